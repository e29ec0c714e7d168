/* Draws the chart or map of a table preview. The table beside it says the same and stays.
   <div class="chart" data-view="bar|line|pie|regions" data-source="ID of a table" hidden></div>: names in the
   first column, values in that with th[data-value]. points and shapes fetch data-places. ECharts comes only
   when there is something to draw. */
(() => {
  "use strict";
  const { nonce, dataset } = document.currentScript;
  const MOST = { bar: 40, line: 400, pie: 12 };
  const JILIN = { west: 121.3, east: 131.6, south: 40.6, north: 46.6 };
  let library;

  const load = () => (library ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = dataset.echarts;
    script.nonce = nonce;
    script.onload = () => done(window.echarts);
    script.onerror = failed;
    document.head.append(script);
  }));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const json = async (url) => {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };

  const read = (table) => {
    const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.hasAttribute("data-value"));
    return [...table.tBodies[0].rows].map((row) => ({
      name: row.cells[0].textContent.trim(),
      value: Number(row.cells[at].textContent.replace(/[^\d.-]/g, "")) || 0,
    }));
  };
  const common = () => ({
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    color: ["brand", "link", "amber", "brand-deep", "muted"].map(colour).filter(Boolean),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour("ink") },
    tooltip: { renderMode: "richText", confine: true },
    aria: { enabled: true, decal: { show: true } },
  });
  const axis = (more) => ({
    axisLabel: { color: colour("muted"), hideOverlap: true },
    splitLine: { lineStyle: { color: colour("line") } },
    ...more,
  });

  const options = {
    bar: (rows) => ({
      ...common(), tooltip: { ...common().tooltip, trigger: "axis", axisPointer: { type: "shadow" } },
      grid: { left: 8, right: 32, top: 8, bottom: 8, containLabel: true },
      xAxis: axis({ type: "value" }),
      yAxis: axis({ type: "category", inverse: true, data: rows.map((r) => r.name), axisLabel: { color: colour("ink"), width: 120, overflow: "truncate" } }),
      series: [{ type: "bar", barMaxWidth: 20, data: rows.map((r) => r.value) }],
    }),
    line: (rows) => ({
      ...common(), tooltip: { ...common().tooltip, trigger: "axis" },
      grid: { left: 8, right: 24, top: 16, bottom: 8, containLabel: true },
      xAxis: axis({ type: "category", data: rows.map((r) => r.name), boundaryGap: false }),
      yAxis: axis({ type: "value", scale: true }),
      series: [{ type: "line", symbolSize: 6, data: rows.map((r) => r.value) }],
    }),
    pie: (rows) => ({
      ...common(), tooltip: { ...common().tooltip, trigger: "item" },
      series: [{ type: "pie", radius: ["35%", "68%"], data: rows.filter((r) => r.value > 0), label: { color: colour("ink"), formatter: "{b}\n{d}%" } }],
    }),
  };
  // Near values, such as averages, would all be of one colour on a scale that begins at 0.
  const least = (values) => {
    const low = Math.min(...values), high = Math.max(...values);
    return low < high && low * 2 > high ? low : Math.min(0, low);
  };
  const geo = (map) => ({
    map, roam: true, top: 16, bottom: 16, left: 16, right: 16, scaleLimit: { min: 0.8, max: 40 },
    itemStyle: { areaColor: colour("mist"), borderColor: colour("muted") },
    emphasis: { itemStyle: { areaColor: colour("line") }, label: { show: false } }, select: { disabled: true },
  });

  const isAround = ([x, y]) => x > JILIN.west && x < JILIN.east && y > JILIN.south && y < JILIN.north;
  const points = (place, found) => {
    const spot = { type: "scatter", symbolSize: found.length > 500 ? 5 : 9, itemStyle: { color: colour("brand"), opacity: 0.75 }, data: found.map(([x, y, name]) => ({ name, value: [x, y] })) };
    const tooltip = { ...common().tooltip, formatter: ({ name, value }) => (Array.isArray(value) ? `${name || place.dataset.name}\n${value[0]}, ${value[1]}` : name) };
    if (found.filter(isAround).length * 2 >= found.length) {
      return { ...common(), tooltip, geo: geo("jilin"), series: [{ ...spot, coordinateSystem: "geo" }] };
    }
    return { ...common(), tooltip, grid: { left: 8, right: 24, top: 16, bottom: 8, containLabel: true }, xAxis: axis({ type: "value", scale: true }), yAxis: axis({ type: "value", scale: true }), series: [spot] };
  };
  const regions = (rows) => {
    const values = rows.map((r) => r.value);
    return {
      ...common(), aria: { enabled: true }, tooltip: { ...common().tooltip, trigger: "item" },
      visualMap: { min: least(values), max: Math.max(0, ...values) || 1, calculable: true, left: 8, bottom: 8, textStyle: { color: colour("ink") }, inRange: { color: [colour("mist"), colour("brand")] } },
      series: [{ type: "map", ...geo("jilin"), data: rows, label: { show: true, color: colour("ink"), textBorderColor: colour("paper"), textBorderWidth: 3, fontSize: 11 } }],
    };
  };

  const option = async (place, echarts) => {
    const kind = place.dataset.view;
    if (kind === "points" || kind === "regions") echarts.registerMap("jilin", await json(place.dataset.map));
    if (kind === "points") return points(place, (await json(place.dataset.places)).points);
    if (kind === "shapes") {
      const { shapes } = await json(place.dataset.places);
      echarts.registerMap("shapes", shapes);
      return { ...common(), geo: { ...geo("shapes"), label: { show: shapes.features.length <= 40, color: colour("ink"), fontSize: 11 } } };
    }
    const rows = read(document.getElementById(place.dataset.source));
    if (kind === "regions") return regions(rows);
    return rows.length ? options[kind](rows.slice(0, MOST[kind])) : null;
  };

  const draw = async (place) => {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    try {
      const echarts = await load();
      const wanted = await option(place, echarts);
      if (!wanted || !place.isConnected) return;
      place.hidden = false;
      place.setAttribute("aria-hidden", "true"); // the table says it better to those who listen
      if (place.dataset.view === "bar") place.style.height = `${60 + 26 * wanted.series[0].data.length}px`;
      const chart = echarts.init(place);
      chart.setOption(wanted);
      new ResizeObserver(() => chart.resize()).observe(place);
    } catch {
      if (place.dataset.failed) {
        const note = document.createElement("p");
        note.setAttribute("role", "status");
        note.textContent = place.dataset.failed;
        place.replaceWith(note);
      }
    }
  };
  const all = () => document.querySelectorAll("[data-view]").forEach(draw);
  all();
  document.addEventListener("htmx:afterSettle", all);
})();
