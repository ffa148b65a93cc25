// The charts that share the axis of virtual time, with the chosen run's faults behind them.

const GROUP = "timeline";
const span = { from: 0, to: END_S, moment: null };
const timelineCharts = [];
const TIMES = Array.from({ length: DATA.axis.bins }, (_, bin) => (bin * DATA.axis.step_ms) / 1000);

function startTimeline() {
  const section = byId("timeline");
  const step = DATA.axis.step_ms;
  const band = SEVERAL || DATA.runs.length > 1 ? " Lines are medians over a group's runs; bands go from the lowest to the highest of all its runs and nodes." : "";
  section.append(el("p", { class: "note" }, `Seconds since the start of the simulation, in steps of ${number(step)} ms.${band}`));
  section.append(timelineTools());
  const keys = el("div", {});
  section.append(keys);
  keepLegend(keys, faultLegend);
  for (const chart of DATA.timeline) section.append(timelineChart(chart));
  section.append(incidentChart());
  section.append(faultTable());
  if (DATA.network_only) section.append(el("p", {}, "These runs had no chain: there are no heights, mempools or provers to show."));
  echarts.connect(GROUP);
  chosen.whenChanged.push(repaint);
}

function timelineTools() {
  const shift = (share) => () => showSpan(span.from + share * (span.to - span.from), span.to + share * (span.to - span.from));
  const zoom = (factor) => () => {
    const middle = span.moment !== null && span.moment >= span.from && span.moment <= span.to ? span.moment : (span.from + span.to) / 2;
    showSpan(middle - ((span.to - span.from) * factor) / 2, middle + ((span.to - span.from) * factor) / 2);
  };
  const button = (label, name, action) => el("button", { type: "button", "aria-label": name, title: name, onclick: action }, label);
  return el(
    "div",
    { class: "bar sticky", id: "timeline-tools", role: "toolbar", "aria-label": "Part of the time axis" },
    button("Whole run", "Show the whole run", () => { span.moment = null; showSpan(0, END_S); }),
    button("◀", "Earlier", shift(-0.5)),
    button("▶", "Later", shift(0.5)),
    button("+", "Zoom in", zoom(0.5)),
    button("−", "Zoom out", zoom(2)),
    runChoice(),
    el("span", { class: "muted", id: "span", role: "status" }, spanText()),
  );
}

function runChoice() {
  if (DATA.runs.length === 1) return null;
  const made = selection("Faults, incidents and replay of", DATA.runs.map(runName), choose);
  chosen.whenChanged.push(() => { made.querySelector("select").value = chosen.run; });
  return made;
}

function spanText() {
  const moment = span.moment === null ? "" : `, moment ${span.moment.toFixed(3)} s`;
  return `${span.from.toFixed(2)} – ${span.to.toFixed(2)} s${moment}`;
}

function showSpan(from, to) {
  const length = Math.max(Math.min(to - from, END_S), DATA.axis.step_ms / 250);
  span.from = Math.min(Math.max(0, from), END_S - length);
  span.to = span.from + length;
  byId("span").textContent = spanText();
  for (const entry of timelineCharts) entry.refresh();
}

function showMoment(at) {
  span.moment = at;
  showSpan(at - END_S / 10, at + END_S / 10);
}

// Every chart of the axis has these: the shared axis, the part of it that is shown, and the faults.
function timelineOption(series, yAxis, formatter) {
  return {
    animation: false,
    grid: { left: 62, right: 14, top: 14, bottom: 24 },
    xAxis: { type: "value", min: 0, max: END_S, ...axisLook(), axisLabel: { color: colour("muted"), hideOverlap: true, showMaxLabel: false, formatter: (value) => `${Number(value.toFixed(3))} s` }, splitLine: { show: false } },
    yAxis: { ...axisLook(), ...yAxis },
    dataZoom: [{ type: "inside", startValue: span.from, endValue: span.to, zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, moveOnMouseMove: false, preventDefaultMouseMove: false, filterMode: "none" }],
    tooltip: { trigger: "axis", ...tooltipLook(), axisPointer: { lineStyle: { color: colour("muted") } }, formatter },
    series: [...series, marks()],
  };
}

// Faults as bands and the chosen moment as a line, on a series without data.
function marks() {
  const areas = ownRun().bands.flatMap((entry, row) => {
    const fill = palette(faultIndex(entry.kind));
    return entry.spans.map(([from, to]) => [
      { xAxis: from / 1000, itemStyle: { color: fill, opacity: 0.11 }, label: { show: to - from > DATA.axis.end_ms * 0.09, formatter: () => entry.kind, position: "insideTopLeft", color: colour("muted"), distance: 3 + 12 * (row % 3), fontSize: 11 } },
      { xAxis: Math.min(to / 1000, END_S) },
    ]);
  });
  const moment = span.moment === null ? [] : [{ xAxis: span.moment, lineStyle: { color: colour("bad"), width: 2, type: "solid" }, label: { show: false } }];
  return { id: "marks", type: "line", data: [], silent: true, tooltip: { show: false }, markArea: { silent: true, data: areas }, markLine: { silent: true, symbol: "none", data: moment }, z: 1 };
}

function timelineChart(chart) {
  const rows = () => TIMES.map((at, bin) => [at, ...chart.series.flatMap((one) => (one.low ? [one.mid[bin], one.low[bin], one.high[bin]] : [one.mid[bin]]))]).filter((row) => row.slice(1).some((value) => value !== null));
  const heads = ["s", ...chart.series.flatMap((one) => (one.low ? [seriesName(one), "lowest", "highest"] : [seriesName(one)]))];
  const { made, place, keys } = figure(`${chart.title}${chart.unit ? `, ${chart.unit}` : ""}`, chart.note, null, folded("Table", () => table(`${chart.title}, ${chart.unit || "value"} by second`, heads, rows())));
  if (chart.series.length > 1) keepLegend(keys, () => seriesLegend(chart.series));
  made.id = `chart-${chart.key}`;
  const label = () => `${chart.title} over virtual time. ${chart.note} ${chart.series.map(peak).join("; ")}. The table below has every value.`;
  const peak = (one) => {
    const values = one.high || one.mid;
    const at = values.reduce((best, value, bin) => (value !== null && (best < 0 || value > values[best]) ? bin : best), -1);
    return at < 0 ? `${seriesName(one)}: no value` : `${seriesName(one)}: largest ${shown(values[at], chart.unit)} at ${TIMES[at]} s`;
  };
  later(() => {
    const yAxis = { type: "value", axisLabel: { color: colour("muted"), formatter: (value) => (chart.unit.startsWith("bytes") ? bytes(value) : number(value)) } };
    const options = () => timelineOption(lines(TIMES, chart.series, { step: "end", stacked: chart.stacked }), yAxis, axisTip(chart.series, chart.unit, (at) => `${Number(at.toFixed(3))} s`));
    keepChart(draw(place, label, options, GROUP));
  });
  return made;
}

// Charts are drawn once their places are in the page and have a size.
const waiting = [];
function later(action) {
  waiting.push(action);
}
function drawWaiting() {
  while (waiting.length) waiting.shift()();
}

function keepChart(entry) {
  timelineCharts.push(entry);
  entry.chart.on("datazoom", () => {
    const zoom = entry.chart.getOption().dataZoom[0];
    if (Math.abs(zoom.startValue - span.from) < 1e-9 && Math.abs(zoom.endValue - span.to) < 1e-9) return;
    [span.from, span.to] = [zoom.startValue, zoom.endValue];
    byId("span").textContent = spanText();
  });
}

function incidentChart() {
  const most = Math.max(1, ...DATA.runs.map((run) => run.incidents.length));
  const { made, place, keys } = figure("Incidents", "What was refused, punished or late; a larger point is more of it.", 44 + 36 * most);
  made.id = "chart-incidents";
  const rows = () => ownRun().incidents;
  const fold = el("div", {});
  made.append(fold);
  keepLegend(fold, () => folded("Table", () => table("Incidents by second", ["what", "s", "how many"], rows().flatMap((row) => row.points.map(([bin, count]) => [row.kind, TIMES[bin], count])))));
  if (!DATA.runs.some((run) => run.incidents.length)) {
    place.remove();
    fold.remove();
    keys.append(el("p", { class: "note" }, "There were none."));
    return made;
  }
  keepLegend(keys, () => el("p", { class: "note" }, rows().length ? rows().map((row) => `${row.kind}: ${number(row.total)}`).join(" · ") : "There were none."));
  later(() => {
    const options = () => {
      const kinds = rows().map((row) => row.kind).reverse();
      const points = rows().flatMap((row) => row.points.map(([bin, count]) => [TIMES[bin], kinds.indexOf(row.kind), count]));
      const yAxis = { type: "category", data: kinds, axisLabel: { color: colour("text"), inside: true, verticalAlign: "bottom", padding: [0, 0, 4, 0], fontSize: 11 }, axisTick: { show: false }, splitLine: { show: true, lineStyle: { color: colour("line") } } };
      const scatter = { id: "points", type: "scatter", data: points, symbolSize: (value) => 4 + 4 * Math.log10(1 + value[2]), color: palette(4), itemStyle: { opacity: 0.75 } };
      const option = timelineOption([scatter], yAxis, null);
      option.tooltip = { ...tooltipLook(), trigger: "item", formatter: (entry) => tip(`${entry.value[0]} s`, [[kinds[entry.value[1]], number(entry.value[2])]]) };
      return option;
    };
    keepChart(draw(place, () => `Incidents over virtual time. ${rows().map((row) => `${row.kind}: ${row.total}`).join("; ")}`, options, GROUP));
  });
  return made;
}

function faultLegend() {
  const entries = ownRun().bands.map((entry) => {
    const spans = entry.spans.slice(0, 4).map(([from, to]) => `${Number((from / 1000).toFixed(1))}–${Number((to / 1000).toFixed(1))}`);
    const more = entry.spans.length > 4 ? `, and ${entry.spans.length - 4} more` : "";
    return el("li", {}, key(palette(faultIndex(entry.kind))), `${entry.kind} ${spans.join(", ")} s${more}`);
  });
  const of = DATA.runs.length > 1 ? ` of ${runName(ownRun())}` : "";
  return el("ul", { class: "keys", id: "faults" }, el("li", {}, entries.length ? `Faults${of}:` : `There were no faults${of}.`), entries);
}

function faultTable() {
  const place = el("div", {});
  keepLegend(place, () => {
    const { rows, left_out: left } = ownRun().faults;
    const heads = ["fault", "whom", "from s", "to s", "copies lost meanwhile", "blocks inside", "longest gap ms", "crossed after ms", "did"];
    const cells = rows.map((row) => [row.kind, row.detail, row.start_ms / 1000, row.end_ms === null ? null : row.end_ms / 1000, row.lost, row.blocks, row.gap_ms, row.crossed_ms, row.did]);
    return folded(`What each fault did (${rows.length}${left ? ` of ${rows.length + left}` : ""})`, () => table("Faults", heads, cells, [8]));
  });
  return place;
}
