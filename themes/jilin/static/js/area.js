/* Chooses the area of a search on the map: draw a rectangle, or press a city for the box around it.
   The four fields below say the same; without this file, and by keyboard, they are what is used. */
(() => {
  "use strict";
  const map = document.querySelector(".area-map");
  if (!map) return;
  const { west, north, perLongitude, perLatitude } = Object.fromEntries(
    Object.entries(map.dataset).map(([name, value]) => [name, Number(value)]));
  const field = (side) => document.getElementById(`f-${side}`);
  const chosen = map.querySelector(".chosen-area");
  const told = document.getElementById("area-told");
  const SMALLEST = 6; // drawing units; less is a press, not a rectangle

  const place = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const show = (x, y, width, height) => {
    for (const [name, value] of Object.entries({ x, y, width, height })) chosen.setAttribute(name, String(Math.max(0, value)));
    chosen.toggleAttribute("hidden", !(width > 0 && height > 0));
  };
  const write = (x, y, width, height) => {
    const sides = {
      west: west + x / perLongitude, east: west + (x + width) / perLongitude,
      north: north - y / perLatitude, south: north - (y + height) / perLatitude,
    };
    for (const [side, degrees] of Object.entries(sides)) field(side).value = degrees.toFixed(2);
    const words = ["west", "south", "east", "north"].map((side) => field(side).value).join(", ");
    told.textContent = map.dataset.told.replace("{box}", words);
  };
  const fromFields = () => {
    const [w, s, e, n] = ["west", "south", "east", "north"].map((side) => field(side).value === "" ? NaN : Number(field(side).value));
    if (![w, s, e, n].every(Number.isFinite)) { show(0, 0, 0, 0); return; }
    show((w - west) * perLongitude, (north - n) * perLatitude, (e - w) * perLongitude, (n - s) * perLatitude);
  };

  let start = null;
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = place(event);
    map.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  const rectangle = (event) => {
    const end = place(event);
    return [Math.min(start.x, end.x), Math.min(start.y, end.y), Math.abs(end.x - start.x), Math.abs(end.y - start.y)];
  };
  map.addEventListener("pointermove", (event) => { if (start) show(...rectangle(event)); });
  map.addEventListener("pointercancel", () => { start = null; fromFields(); });
  map.addEventListener("pointerup", (event) => {
    if (!start) return;
    let box = rectangle(event);
    start = null;
    if (box[2] < SMALLEST || box[3] < SMALLEST) {
      map.releasePointerCapture(event.pointerId);
      const city = document.elementsFromPoint(event.clientX, event.clientY).find((one) => one.matches(".area-map use"));
      if (!city) { fromFields(); return; }
      const around = city.getBBox();
      box = [around.x, around.y, around.width, around.height];
    }
    show(...box);
    write(...box);
  });
  for (const side of ["west", "south", "east", "north"]) field(side).addEventListener("input", fromFields);
  map.closest("figure").hidden = false;
  fromFields();
})();
