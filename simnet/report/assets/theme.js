// Colours of the page for the charts, and the charts that are drawn anew when they change.

const drawn = [];
const BACKENDS = ["stwo", "plonky3", "groth16"];
const SHAPES = ["circle", "rect", "triangle", "diamond", "pin", "roundRect", "arrow"];
const GLYPHS = ["●", "■", "▲", "◆", "⬟", "▬", "➤"];
const FAULTS = { partition: 4, churn: 1, crash: 7, byzantine: 3, pause: 6 };

// A chart asks for dozens of colours; the browser works out its styles for each question.
const known = new Map();
function colour(name) {
  if (!known.has(name)) known.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return known.get(name);
}

function palette(index) {
  return colour(`c${index % 8}`);
}

// A backend has the same colour and shape everywhere; a mixture of several is the fourth.
function backendIndex(name) {
  const found = BACKENDS.indexOf(name);
  return found >= 0 ? found : name.includes("+") ? 3 : name === "none" ? 0 : 4;
}

// Opponents have many kinds: those of these runs take the colours that are left in turn.
const OTHER_FAULTS = [...new Set(DATA.runs.flatMap((run) => run.bands.map((band) => band.kind)))].filter((kind) => !(kind in FAULTS)).sort();
function faultIndex(kind) {
  return FAULTS[kind] ?? [5, 0, 2][OTHER_FAULTS.indexOf(kind) % 3];
}

function seriesColour(series, position) {
  if (SEVERAL) return palette(series.group);
  if (BACKENDS.includes(series.name) || series.name.includes("+")) return palette(backendIndex(series.name));
  return palette(position);
}

// Regions that are named after a backend have its colour.
function regionColour(region, index) {
  const name = region.toLowerCase();
  if (BACKENDS.includes(name)) return palette(backendIndex(name));
  return palette(name === "mixed" ? 3 : 4 + index);
}

// Draws a chart into a place. `options` is asked again when the colours, the run or the size change.
function draw(place, label, options, group) {
  const chart = echarts.init(place, null, { renderer: "canvas" });
  if (group) chart.group = group;
  place.setAttribute("role", "img");
  const entry = {
    chart,
    refresh() {
      const option = options();
      option.aria = { enabled: true, label: { description: label() } };
      chart.setOption(option, { notMerge: true });
    },
  };
  drawn.push(entry);
  entry.refresh();
  new ResizeObserver(() => {
    if (chart.isDisposed() || (chart.getWidth() === place.clientWidth && chart.getHeight() === place.clientHeight)) return;
    chart.resize();
    entry.refresh();
  }).observe(place);
  return entry;
}

function refreshAll() {
  for (const entry of drawn) entry.refresh();
}

function axisLook() {
  return {
    axisLine: { lineStyle: { color: colour("line") } },
    axisTick: { lineStyle: { color: colour("line") } },
    axisLabel: { color: colour("muted"), hideOverlap: true },
    splitLine: { lineStyle: { color: colour("line"), opacity: 0.6 } },
    nameTextStyle: { color: colour("muted") },
  };
}

function tooltipLook() {
  return {
    confine: true,
    backgroundColor: colour("card"),
    borderColor: colour("line"),
    textStyle: { color: colour("text") },
    transitionDuration: 0,
  };
}

// What a tooltip holds: an element, so that names stay text.
function tip(head, rows) {
  return el("div", { class: "tip" }, el("b", {}, head), rows.map(([name, value]) => el("div", {}, el("span", {}, name), el("span", {}, value))));
}

function legend(names, colours, marks) {
  return el("ul", { class: "keys" }, names.map((name, index) => el("li", {}, key(colours[index], marks ? marks[index] : null), name)));
}

function key(fill, glyph) {
  if (glyph) return el("span", { style: `color:${fill};margin-right:.35em`, "aria-hidden": "true" }, glyph);
  return el("span", { class: "swatch", style: `background:${fill}`, "aria-hidden": "true" });
}

function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  byId("theme").addEventListener("change", (event) => {
    if (event.target.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = event.target.value;
    repaint();
  });
  system.addEventListener("change", repaint);
}

// Legends are elements with colours of their own: they are made anew with the charts.
const legends = [];
function keepLegend(place, make) {
  const entry = () => place.replaceChildren(make());
  legends.push(entry);
  entry();
}
function repaint() {
  known.clear();
  for (const entry of legends) entry();
  refreshAll();
}
