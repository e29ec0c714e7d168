// Small helps for the entry editor; the form is complete without them.
"use strict";
(() => {
  const form = document.querySelector(".editor-form");
  if (!form) return;
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
  // Keep the draft while it is written. The buttons do the same by hand.
  const AUTOSAVE_MS = 15000;
  const note = document.getElementById("autosave");
  let typed = 0, sending = false;
  const autosave = async () => {
    if (!changed || sending) return;
    const upTo = typed;
    const body = new FormData(form);
    body.set("autosave", "1");
    sending = true;
    try {
      const address = form.getAttribute("action"); // form.action is a button of that name
      const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
      const told = await answer.json();
      if (answer.ok) {
        form.elements.seen.value = told.seen;
        form.elements.key.value = told.key;
        note.textContent = told.text;
        if (typed === upTo) changed = false;
        const bar = document.getElementById("filled-bar");
        if (bar) {
          bar.max = told.needed;
          bar.value = told.filled;
          document.getElementById("filled-text").textContent = `${told.filled} / ${told.needed}`;
        }
      } else {
        note.textContent = form.dataset.autosave + (told.defects?.[0]?.message || told.message);
        if (answer.status === 409) window.clearInterval(timer); // the button shows both texts
      }
    } catch { /* no connection: the next turn tries again */ }
    sending = false;
  };
  const timer = "autosave" in form.dataset ? window.setInterval(autosave, AUTOSAVE_MS) : 0;
  form.addEventListener("input", () => { typed += 1; });
  form.addEventListener("submit", (event) => {
    if (!sending) return;
    event.preventDefault(); // what is on its way first: its answer brings what this form must carry
    const again = window.setInterval(() => {
      if (sending) return;
      window.clearInterval(again);
      form.requestSubmit(event.submitter);
    }, 50);
  });
  // After adding or removing a row the page comes back: keep the reader where they were.
  const place = "editor-place:" + form.getAttribute("action");
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !["add", "remove"].includes(button.name)) return;
    const fieldset = button.closest("fieldset");
    if (fieldset) sessionStorage.setItem(place, fieldset.id + (button.name === "add" ? ":add" : ""));
  });
  const kept = sessionStorage.getItem(place);
  if (kept) {
    sessionStorage.removeItem(place);
    changed = true;
    const [id, added] = kept.split(":");
    const fieldset = document.getElementById(id);
    if (fieldset) {
      const rows = fieldset.querySelectorAll(".repeat");
      const target = added && rows.length ? rows[rows.length - 1].querySelector("input, select") : null;
      (target || fieldset).scrollIntoView({ block: "center" });
      if (target) target.focus();
    }
  }
})();
