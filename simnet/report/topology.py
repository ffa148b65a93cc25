"""Where the nodes of a run are drawn, which links they have, and when those were down."""

from typing import Any

from simnet.events import FaultInjected, PeerConnected, PeerDisconnected
from simnet.record.frames import Frames
from simnet.report.layout import positions
from simnet.report.propagation import named

NODES_MAX = 2000
"""Of a network that is drawn; beyond, dots cover each other."""
SIDE = 1000
"""Of the square in which nodes have their places."""
OPEN_MS = 1.0
"""How far what has not ended reaches beyond the run's end, so that it still lasts there."""
DOWN, UP = ("churn_down", "crash_down", "pause_start"), ("churn_up", "crash_up", "pause_end")
WHY = ("partition", "churn", "crash", "ban")
"""Reasons of `PeerDisconnected`, by their number in a list of outages."""


def topology(frames: Frames, end_ms: float) -> dict[str, Any] | None:
    """Nodes with places in a square of 1000, links with their outages, and when nodes were down; None where there are too many nodes."""
    nodes = frames.nodes
    if len(nodes) > NODES_MAX:
        return None
    edges = [(int(low), int(high)) for low, high in frames.edges.to_numpy()]
    places = [[round(SIDE * x), round(SIDE * y)] for x, y in positions(list(nodes["region"]), edges)]
    outages = _outages(frames, end_ms)
    known = set(edges)
    later = sorted(pair for pair in outages if pair not in known)
    return {
        "nodes": [
            {"region": row.region, "backend": named(row.backends), "peer_class": row.peer_class, "stake": int(row.stake), "at": place}
            for row, place in zip(nodes.itertuples(), places, strict=True)
        ],
        "edges": [[*pair, *outages.get(pair, [])] for pair in (*edges, *later)],
        "why": list(WHY),
        "down": _down(frames, end_ms),
    }


def _outages(frames: Frames, end_ms: float) -> dict[tuple[int, int], list[list[int]]]:
    """By link, the lower number first: `[from, to, why]` in whole milliseconds. Both ends tell; the first to tell counts."""
    import pandas as pd

    cuts = frames.of(PeerDisconnected, ("node", "peer", "why")).assign(down=True)
    joins = frames.of(PeerConnected, ("node", "peer")).assign(down=False, why="")
    found: dict[tuple[int, int], list[list[int]]] = {}
    open_since: dict[tuple[int, int], tuple[float, str]] = {}
    for row in pd.concat([cuts, joins]).sort_values("at_ms", kind="stable").itertuples():
        pair = (min(row.node, row.peer), max(row.node, row.peer))
        if row.down:
            open_since.setdefault(pair, (row.at_ms, row.why))
        elif pair in open_since:
            since, why = open_since.pop(pair)
            found.setdefault(pair, []).append(_outage(since, row.at_ms, why))
    for pair, (since, why) in open_since.items():
        found.setdefault(pair, []).append(_outage(since, end_ms + OPEN_MS, why))
    return found


def _outage(since: float, until: float, why: str) -> list[int]:
    return [round(since), round(until), WHY.index(why) if why in WHY else len(WHY)]


def _down(frames: Frames, end_ms: float) -> dict[str, list[list[int]]]:
    """By node: spans `[from, to]` in which it was away or stood still."""
    faults = frames.of(FaultInjected, ("kind", "detail"))
    faults = faults[faults["kind"].isin((*DOWN, *UP))]
    found: dict[str, list[list[int]]] = {}
    since: dict[str, float] = {}
    for row in faults.itertuples():
        node = row.detail.removeprefix("node:")
        if row.kind in DOWN:
            since.setdefault(node, row.at_ms)
        elif node in since:
            found.setdefault(node, []).append([round(since.pop(node)), round(row.at_ms)])
    for node, start in since.items():
        found.setdefault(node, []).append([round(start), round(end_ms + OPEN_MS)])
    return found
