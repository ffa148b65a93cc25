// The network of the chosen run at one moment: nodes by backend, links that are up, cut or have carried the chosen message.

const ANSWERS = ["no verdict", "accepted", "ignored", "refused", "dropped"];
const CUTS = { partition: [4, "dashed"], churn: [1, "dotted"], crash: [7, "dotted"], ban: [3, "dashed"] };

function inside(spans, at) {
  return spans.some(([from, to]) => at >= from && at < to);
}

// Why a link is down at a moment; null while it is up.
function cutWhy(topology, edge, at) {
  const found = edge.slice(2).find(([from, to]) => at >= from && at < to);
  return found ? topology.why[found[2]] || "unknown" : null;
}

function isDown(topology, node, at) {
  return inside(topology.down[node] || [], at);
}

// By node, how it got the message: [from, milliseconds after publication, verdict].
function ways(message) {
  const found = new Map();
  for (let place = 0; place < message.hops.length; place += 4) {
    const [node, peer, after, verdict] = message.hops.slice(place, place + 4);
    found.set(node, { peer, after, verdict });
  }
  return found;
}

// Places fill whatever shape the drawing has; `box` is its width and height.
function stageNodes(topology, moment, box) {
  const small = topology.nodes.length > 150;
  return topology.nodes.map((node, index) => {
    const way = moment.ways && moment.ways.get(index);
    const has = moment.message && (index === moment.message.node || (way && moment.message.at + way.after <= moment.at));
    const refused = has && way && way.verdict === 3;
    const down = isDown(topology, index, moment.at);
    const kind = backendIndex(node.backend);
    const size = (small ? 8 : 20) + (moment.message && index === moment.message.node ? 6 : 0);
    return {
      id: String(index),
      name: String(index),
      x: (node.at[0] * box[0]) / 1000,
      y: (node.at[1] * box[1]) / 1000,
      symbol: SHAPES[kind],
      symbolSize: index === moment.node ? size + 6 : size,
      itemStyle: {
        color: palette(kind),
        opacity: down ? 0.2 : moment.message && !has ? 0.45 : 1,
        borderColor: refused ? colour("bad") : has ? colour("text") : index === moment.node ? colour("accent") : colour("card"),
        borderWidth: refused || has || index === moment.node ? 3 : 1,
        borderType: refused ? "dashed" : "solid",
      },
      label: { show: !small, color: down ? colour("muted") : colour("text") },
    };
  });
}

function stageLinks(topology, moment) {
  return topology.edges.map((edge) => {
    const [low, high] = edge;
    const why = cutWhy(topology, edge, moment.at);
    const used = moment.ways && [[low, high], [high, low]].some(([from, to]) => moment.ways.has(to) && moment.ways.get(to).peer === from && moment.message.at + moment.ways.get(to).after <= moment.at);
    const [look, type] = why ? CUTS[why] || [4, "dashed"] : [0, "solid"];
    return {
      source: String(low),
      target: String(high),
      lineStyle: { color: why ? palette(look) : used ? colour("accent") : colour("muted"), width: used ? 3 : why ? 2.2 : 1, type: why ? type : "solid", opacity: why || used ? 0.95 : 0.3, curveness: 0 },
    };
  });
}

function stageOption(topology, moment, box) {
  return {
    animation: false,
    tooltip: {
      ...tooltipLook(),
      trigger: "item",
      formatter: (found) => {
        if (found.dataType !== "node") return tip(`link ${found.data.source} – ${found.data.target}`, [["now", cutWhy(topology, topology.edges[found.dataIndex], moment.at) || "up"]]);
        const node = topology.nodes[found.dataIndex];
        return tip(`node ${found.dataIndex}`, [["region", node.region], ["backend", node.backend], ["class", node.peer_class]]);
      },
    },
    series: [
      {
        type: "graph",
        layout: "none",
        roam: false,
        left: 32,
        right: 32,
        top: 24,
        bottom: 40,
        data: stageNodes(topology, moment, box),
        links: stageLinks(topology, moment),
        label: { show: true, position: "bottom", fontSize: 10, distance: 3 },
        emphasis: { disabled: true },
      },
    ],
  };
}

function stageLegend(topology) {
  const kinds = [...new Set(topology.nodes.map((node) => node.backend))].sort((one, other) => backendIndex(one) - backendIndex(other));
  const cuts = [...new Set(topology.edges.flatMap((edge) => edge.slice(2).map((outage) => topology.why[outage[2]] || "unknown")))].sort();
  return el(
    "ul",
    { class: "keys" },
    kinds.map((name) => el("li", {}, key(palette(backendIndex(name)), GLYPHS[backendIndex(name)]), name === "none" ? "node" : name)),
    cuts.map((why) => el("li", {}, key(palette((CUTS[why] || [4])[0]), (CUTS[why] || [4, "dashed"])[1] === "dotted" ? "···" : "– –"), `link down: ${why}`)),
    el("li", {}, key(colour("accent"), "━"), "carried the message first"),
    el("li", {}, key(colour("text"), "◯"), "has the message (dashed: refused it)"),
  );
}
