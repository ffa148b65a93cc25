// The replay: a moment of the chosen run, moved by a slider, and what a node has then.

const TICKS = 1000;
const PLAY_MS = 12000;
const replay = { from: 0, to: 0, at: 0, message: null, ways: null, node: null, playing: null, entry: null };

function startReplay() {
  const section = byId("replay");
  section.append(el("p", { class: "note" }, "Move through the run, or choose a message to see it spread. The arrow keys move the slider; click a node, or choose it, to see what it has at that time."));
  section.append(el("div", { id: "replay-place" }));
  buildReplay();
  chosen.whenChanged.push(buildReplay);
}

function buildReplay() {
  stopPlaying();
  const run = ownRun();
  const place = byId("replay-place");
  if (replay.entry) {
    drawn.splice(drawn.indexOf(replay.entry), 1);
    replay.entry.chart.dispose();
    replay.entry = null;
  }
  if (!run.topology) {
    place.replaceChildren(el("p", {}, run.views === undefined ? "There was no room for this run's replay: report on it alone." : "The network is too large to be drawn."));
    return;
  }
  Object.assign(replay, { message: null, ways: null, node: null, from: 0, to: run.end_ms, at: 0 });
  const graph = el("div", { id: "graph" });
  const keys = el("div", {});
  place.replaceChildren(
    el("figure", {}, replayTools(run), el("p", { id: "told", role: "status" }), el("div", { class: "stage" }, el("div", {}, graph, keys), replayPanel(run))),
  );
  keepLegendOnce(keys, () => stageLegend(run.topology));
  const label = () => `The network of ${run.topology.nodes.length} nodes and ${run.topology.edges.length} links at ${seconds(replay.at)}. ${told(run)}`;
  replay.entry = draw(graph, label, () => stageOption(run.topology, replay, stageBox()));
  replay.entry.chart.on("click", (event) => {
    if (event.dataType === "node") showNode(event.dataIndex);
  });
  moveTo(0);
}

function stageBox() {
  const graph = byId("graph");
  return [Math.max(100, graph.clientWidth - 64), Math.max(100, graph.clientHeight - 64)];
}

function replayTools(run) {
  const watch = el("select", { id: "watch", onchange: (event) => watchMessage(run, event.target.value) }, el("option", { value: "" }, "the whole run"));
  const families = { blocks: [], forgeries: [], transfers: [], "other messages": [] };
  run.messages.forEach((message, index) => {
    const option = el("option", { value: index }, `${seconds(message.at)} · ${messageName(message)}`);
    families[message.spam ? "forgeries" : ["proposal", "consensus_proof"].includes(message.kind) ? "blocks" : message.kind === "transaction" ? "transfers" : "other messages"].push(option);
  });
  for (const [name, options] of Object.entries(families)) if (options.length) watch.append(el("optgroup", { label: name }, options));
  const slider = el("input", { type: "range", id: "slider", min: 0, max: TICKS, value: 0, step: 1, "aria-label": "Virtual time", oninput: (event) => { stopPlaying(); moveTo(Number(event.target.value)); } });
  return el(
    "div",
    { class: "bar" },
    el("label", { class: "choice" }, "Watch ", watch),
    el("button", { type: "button", id: "play", onclick: togglePlaying }, "▶ Play"),
    slider,
    el("output", { id: "now", for: "slider" }),
  );
}

function messageName(message) {
  const what = message.spam ? `${message.spam} (${message.kind})` : message.label ? `${message.kind} of ${message.label}` : message.kind.replace("_", " ");
  return `${what} by node ${message.node}`;
}

function watchMessage(run, value) {
  stopPlaying();
  byId("watch").value = value;
  replay.message = value === "" ? null : run.messages[Number(value)];
  replay.ways = replay.message ? ways(replay.message) : null;
  const last = replay.ways ? Math.max(1, ...[...replay.ways.values()].map((way) => way.after)) : 0;
  replay.from = replay.message ? Math.max(0, replay.message.at - last * 0.05) : 0;
  replay.to = replay.message ? replay.message.at + last * 1.05 : run.end_ms;
  moveTo(0);
}

function moveTo(tick) {
  const slider = byId("slider");
  slider.value = tick;
  replay.at = replay.from + ((replay.to - replay.from) * tick) / TICKS;
  slider.setAttribute("aria-valuetext", seconds(replay.at));
  byId("now").textContent = seconds(replay.at);
  byId("told").textContent = told(ownRun());
  replay.entry.chart.setOption(stageOption(ownRun().topology, replay, stageBox()));
  fillPanel();
}

function told(run) {
  const { topology } = run;
  const cut = new Map();
  for (const edge of topology.edges) {
    const why = cutWhy(topology, edge, replay.at);
    if (why) cut.set(why, (cut.get(why) || 0) + 1);
  }
  const down = topology.nodes.map((_, index) => index).filter((index) => isDown(topology, index, replay.at));
  const parts = [];
  if (replay.message) {
    const got = [...replay.ways.values()].filter((way) => replay.message.at + way.after <= replay.at);
    const refused = got.filter((way) => way.verdict === 3).length;
    parts.push(replay.at < replay.message.at ? "Not published yet." : `${messageName(replay.message)}: at ${got.length} of ${topology.nodes.length - 1} other nodes${refused ? `, of which ${refused} refused it` : ""}.`);
  }
  parts.push(cut.size ? `Links down: ${[...cut].map(([why, count]) => `${count} by ${why}`).join(", ")}.` : "All links are up.");
  if (down.length) parts.push(`Away: node ${down.join(", ")}.`);
  return parts.join(" ");
}

function togglePlaying() {
  if (replay.playing !== null) {
    stopPlaying();
    return;
  }
  const start = Number(byId("slider").value) >= TICKS ? 0 : Number(byId("slider").value);
  const began = performance.now();
  byId("play").textContent = "❚❚ Pause";
  const advance = (time) => {
    const tick = Math.min(TICKS, Math.round(start + ((time - began) / PLAY_MS) * TICKS));
    moveTo(Math.max(start, tick));
    if (tick >= TICKS) stopPlaying();
    else replay.playing = requestAnimationFrame(advance);
  };
  replay.playing = requestAnimationFrame(advance);
}

function stopPlaying() {
  if (replay.playing !== null) cancelAnimationFrame(replay.playing);
  replay.playing = null;
  if (byId("play")) byId("play").textContent = "▶ Play";
}

function replayPanel(run) {
  const options = run.topology.nodes.map((node, index) => el("option", { value: index }, `node ${index} (${node.region})`));
  const choice = el("select", { id: "node", onchange: (event) => showNode(event.target.value === "" ? null : Number(event.target.value)) }, el("option", { value: "" }, "none"), options);
  return el("div", { class: "panel" }, el("label", { class: "choice" }, "Node ", choice), el("div", { id: "view" }));
}

function showNode(index) {
  replay.node = index;
  byId("node").value = index === null ? "" : index;
  moveTo(Number(byId("slider").value));
}

// The value of a step series, kept as changes, at a moment.
function valueAt(changes, stepMs, at) {
  const until = Math.min(changes.length, Math.floor(at / stepMs));
  let value = 0;
  for (let place = 0; place < until; place += 1) value += changes[place];
  return value;
}

function fillPanel() {
  const view = byId("view");
  if (replay.node === null) {
    view.replaceChildren(el("p", { class: "note" }, "No node is chosen."));
    return;
  }
  const run = ownRun();
  const { topology, views } = run;
  const node = topology.nodes[replay.node];
  const own = topology.edges.filter((edge) => edge[0] === replay.node || edge[1] === replay.node);
  const up = own.filter((edge) => !cutWhy(topology, edge, replay.at)).length;
  const rows = [["region", node.region], ["backend", node.backend], ["class", node.peer_class], ["stake", number(node.stake)]];
  rows.push(["state", isDown(topology, replay.node, replay.at) ? "away" : "running"], ["links up", `${up} of ${own.length}`]);
  for (const [name, series] of Object.entries(views.figures)) rows.push([name, number(valueAt(series[replay.node], views.step_ms, replay.at))]);
  if (replay.message) rows.push(["the message", messageAt()]);
  view.replaceChildren(el("dl", {}, rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
}

function messageAt() {
  if (replay.node === replay.message.node) return "its author";
  const way = replay.ways.get(replay.node);
  if (!way || replay.message.at + way.after > replay.at) return "not here";
  return `after ${number(way.after)} ms from node ${way.peer}, ${ANSWERS[way.verdict]}`;
}
