/* Draws charts from the tables beside them; the table stays and says the same.
   <div class="chart" data-chart="bars|line" data-table="ID" hidden></div>; columns: th[data-series]. */
(() => {
  "use strict";
  if (!window.echarts) return;
  const MOST = 15;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const text = (cell) => cell.textContent.trim();
  const number = (cell) => Number(text(cell).replace(/[^\d.-]/g, "")) || 0;

  const read = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const series = heads.map((head, at) => ({ head, at })).filter(({ head }) => head.hasAttribute("data-series"));
    return {
      names: rows.map((row) => text(row.cells[0])),
      series: series.map(({ head, at }) => ({ name: text(head), values: rows.map((row) => number(row.cells[at])) })),
    };
  };

  const common = () => ({
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    color: [colour("brand"), colour("link"), colour("amber")],
    textStyle: { fontFamily: style.getPropertyValue("--font"), color: colour("ink") },
    tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
    grid: { left: 8, right: 24, top: 40, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: colour("ink") } },
    aria: { enabled: true, decal: { show: true } },
  });
  const axis = (more) => ({ axisLabel: { color: colour("muted") }, splitLine: { lineStyle: { color: colour("line") } }, ...more });

  const bars = ({ names, series }) => ({
    ...common(),
    xAxis: axis({ type: "value", minInterval: 1 }),
    yAxis: axis({ type: "category", inverse: true, data: names.slice(0, MOST), axisLabel: { color: colour("ink"), width: 160, overflow: "truncate" } }),
    series: series.map((one) => ({ name: one.name, type: "bar", stack: "all", barMaxWidth: 18, data: one.values.slice(0, MOST) })),
  });
  const line = ({ names, series }) => ({
    ...common(),
    legend: { show: false },
    grid: { left: 8, right: 24, top: 16, bottom: 8, containLabel: true },
    xAxis: axis({ type: "category", data: names, boundaryGap: false }),
    yAxis: axis({ type: "value", minInterval: 1, scale: true }),
    series: series.map((one) => ({ name: one.name, type: "line", symbolSize: 8, areaStyle: { opacity: 0.12 }, data: one.values })),
  });

  document.querySelectorAll("[data-chart]").forEach((place) => {
    const data = read(document.getElementById(place.dataset.table));
    if (!data.names.length) return;
    place.hidden = false;
    place.setAttribute("aria-hidden", "true"); // the table says it better to those who listen
    const wanted = place.dataset.chart === "line" ? line : bars;
    if (wanted === bars) place.style.height = `${80 + 28 * Math.min(MOST, data.names.length)}px`;
    const chart = window.echarts.init(place);
    chart.setOption(wanted(data));
    new ResizeObserver(() => chart.resize()).observe(place);
  });
})();
