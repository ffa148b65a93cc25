"use strict";
// What all parts of the page use: the data, elements made of text, numbers as they are shown, and which run is chosen.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SEVERAL = DATA.groups.length > 1;
const END_S = DATA.axis.end_ms / 1000;

// An element; children are elements or text. Text from a run gets into the page here, and only as text.
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined).map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

const PLAIN = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
function number(value, unit) {
  if (value === null || value === undefined) return "–";
  return PLAIN.format(value) + (unit ? ` ${unit}` : "");
}

function bytes(value) {
  if (value === null || value === undefined) return "–";
  for (const [size, name] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
    if (Math.abs(value) >= size) return `${PLAIN.format(Number((value / size).toPrecision(3)))} ${name}`;
  }
  return `${PLAIN.format(value)} B`;
}

function shown(value, unit) {
  return unit && unit.startsWith("bytes") ? bytes(value) + unit.slice(5) : number(value, unit);
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(3)} s`;
}

// Rows are lists of cells; a number is shown as one. `wide` are the columns that may be folded.
function table(caption, heads, rows, wide = []) {
  const isNumber = heads.map((_, column) => rows.length > 0 && rows.every((row) => row[column] === null || typeof row[column] === "number"));
  const kind = (column) => (isNumber[column] ? "number" : wide.includes(column) ? "wide" : null);
  const head = el("tr", {}, heads.map((name, column) => el("th", { scope: "col", class: kind(column) }, name)));
  const body = rows.map((row) => el("tr", {}, row.map((cell, column) => el("td", { class: kind(column) }, typeof cell === "number" || cell === null ? number(cell) : cell))));
  const made = el("table", {}, caption ? el("caption", {}, caption) : null, el("thead", {}, head), el("tbody", {}, body));
  return el("div", { class: rows.length > 20 ? "scroll tall" : "scroll", tabindex: 0, role: "region", "aria-label": caption || heads.join(", ") }, made);
}

// A table that is made when somebody opens it: the page stays light.
function folded(title, make) {
  const made = el("details", {}, el("summary", {}, title));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(make());
  });
  return made;
}

function groupName(index) {
  return DATA.groups[index].name;
}

// Where each group has one line, its name is the group's.
for (const { series } of DATA.timeline) {
  const sole = new Set(series.map((one) => one.name)).size === 1;
  for (const one of series) one.sole = sole;
}
function seriesName(series) {
  if (!SEVERAL) return series.name;
  return series.sole ? groupName(series.group) : `${groupName(series.group)}: ${series.name}`;
}

// Which run the faults, incidents, refused proofs and the replay are of.
const chosen = { run: 0, whenChanged: [] };
function choose(run) {
  chosen.run = run;
  for (const told of chosen.whenChanged) told();
}
function ownRun() {
  return DATA.runs[chosen.run];
}
function runName(run) {
  return `${run.folder}, seed ${run.seed}`;
}
