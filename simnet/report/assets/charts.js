// How series become lines with bands, with a tooltip of their own.

// `x` are the places, `series` as in the data. A band is two stacked lines: the lower one unseen, the difference filled.
function lines(x, series, { step, stacked }) {
  const made = [];
  const variants = [...new Set(series.map((one) => one.name))];
  series.forEach((one, position) => {
    const fill = seriesColour(one, position);
    if (one.low) made.push(...band(x, one, position, fill, step));
    made.push({
      type: "line",
      id: `line${position}`,
      name: seriesName(one),
      data: one.mid.map((value, index) => [x[index], value]),
      showSymbol: false,
      step,
      stack: stacked ? "whole" : undefined,
      areaStyle: stacked ? { opacity: 0.55 } : undefined,
      color: fill,
      lineStyle: { width: stacked ? 0.5 : 1.8, type: SEVERAL ? ["solid", "dashed", "dotted"][variants.indexOf(one.name) % 3] : "solid" },
      emphasis: { disabled: true },
      z: 3,
    });
  });
  return made;
}

function band(x, one, position, fill, step) {
  const edge = (id, values, area) => ({
    type: "line",
    id: `${id}${position}`,
    data: values,
    stack: `band${position}`,
    stackStrategy: "all",
    showSymbol: false,
    step,
    silent: true,
    color: fill,
    lineStyle: { opacity: 0 },
    areaStyle: area ? { color: fill, opacity: 0.2 } : undefined,
    tooltip: { show: false },
    emphasis: { disabled: true },
    z: 2,
  });
  const missing = (index) => one.low[index] === null || one.high[index] === null;
  return [
    edge("low", x.map((at, index) => [at, one.low[index]]), false),
    edge("high", x.map((at, index) => [at, missing(index) ? null : one.high[index] - one.low[index]]), true),
  ];
}

// A tooltip for an axis: the value of every line there, and its band.
function axisTip(series, unit, head) {
  return (found) => {
    const rows = found
      .filter((entry) => /^line\d+$/.test(entry.seriesId))
      .map((entry) => [entry, series[Number(entry.seriesId.slice(4))]])
      .map(([entry, one]) => {
        const range = one.low ? ` (${shown(one.low[entry.dataIndex])} – ${shown(one.high[entry.dataIndex])})` : "";
        return [entry.seriesName, shown(one.mid[entry.dataIndex], unit) + range];
      });
    return tip(head(found[0].axisValue), rows);
  };
}

function figure(title, note, height, ...more) {
  const place = el("div", { class: "chart", style: height ? `height:${height}px` : null });
  const keys = el("div", {});
  const made = el("figure", {}, el("figcaption", {}, el("h3", {}, title), el("span", { class: "note" }, note)), keys, place, ...more);
  return { made, place, keys };
}

function seriesLegend(series) {
  return legend(series.map(seriesName), series.map(seriesColour));
}

// A choice between views of one chart.
function selection(label, options, changed) {
  const made = el("select", { onchange: (event) => changed(Number(event.target.value)) }, options.map((name, index) => el("option", { value: index }, name)));
  return el("label", { class: "choice" }, `${label} `, made);
}
