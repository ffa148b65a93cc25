"""What the replay of a run shows: some messages with their ways, and what each node had at any time."""

from typing import TYPE_CHECKING, Any

import numpy as np

from simnet.events import MessagePublished, MessageValidated, Proposed
from simnet.record.frames import VERDICTS, Frames
from simnet.record.messages import TX_KINDS
from simnet.report.axis import Axis, Floats, axis_for, highest, levels
from simnet.report.propagation import named
from simnet.report.timeline import pool_changes

if TYPE_CHECKING:
    import pandas as pd

MESSAGES_MAX, HOPS_MAX = 200, 60_000
"""Messages of a replay, and receptions of all of them: what a page can hold."""
EACH_TRANSFER, EACH_SPAM, EACH_OTHER = 10, 3, 2
"""The first so many of a backend's transfers, of a kind of forgery, of any other kind."""
VIEW_VALUES_MAX = 24_000
"""Values of one figure over all nodes and times."""
BLOCKS = ("proposal", "consensus_proof")


def messages(frames: Frames) -> list[dict[str, Any]]:
    """The chosen messages in the order of their publication: `at` (ms), `node`, `kind`, `label`, `spam`, and `hops`: for each first reception the
    receiver, the neighbour that passed it on, milliseconds since the publication, and the number of its verdict (0: none)."""
    chosen = _chosen(frames)
    told = frames.deliveries
    told = told[told["message"].isin(chosen.index)]
    verdicts = frames.of(MessageValidated, ("node", "message", "verdict"))
    verdicts = verdicts[verdicts["message"].isin(chosen.index)].drop_duplicates(["message", "node"])
    joined = told.merge(verdicts[["message", "node", "verdict"]], on=["message", "node"], how="left")
    numbers = {name: number for number, name in enumerate(VERDICTS, 1)}
    joined = joined.assign(
        answer=joined["verdict"].map(numbers).fillna(0).astype("int64"), delay_ms=joined["delay_ms"].round().astype("int64")
    )
    hops = {
        message: part[["node", "peer", "delay_ms", "answer"]].to_numpy(dtype=np.int64).ravel().tolist()
        for message, part in joined.groupby("message")
    }
    return [
        {
            "at": round(row.at_ms, 3),
            "node": int(row.node),
            "kind": row.kind,
            "label": row.label,
            "spam": row.spam,
            "hops": hops.get(row.Index, []),
        }
        for row in chosen.itertuples()
    ]


def _chosen(frames: Frames) -> "pd.DataFrame":
    """Blocks first, then the first forgeries and transfers of each kind, as many as a page holds."""
    found = frames.of(MessagePublished, ("node", "message", "kind", "spam")).drop_duplicates("message").set_index("message")
    found = found.assign(label=_heights(frames, found))
    honest = found["spam"].isna()
    transfer = honest & found["kind"].isin(TX_KINDS)
    backend = found["node"].map(frames.nodes["backends"]).map(named)
    parts = [
        found[honest & found["kind"].isin(BLOCKS)],
        found[~honest].groupby("spam").head(EACH_SPAM),
        found[transfer].groupby(backend[transfer]).head(EACH_TRANSFER),
        found[honest & ~transfer & ~found["kind"].isin(BLOCKS)].groupby("kind").head(EACH_OTHER),
    ]
    most = max(1, min(MESSAGES_MAX, HOPS_MAX // max(1, len(frames.nodes))))
    import pandas as pd

    return pd.concat(parts).head(most).sort_values("at_ms", kind="stable")


def _heights(frames: Frames, found: "pd.DataFrame") -> "pd.Series":
    """Which block a proposal is of; empty for all else."""
    proposed = frames.of(Proposed, ("node", "height", "backend"))
    known = {(row.node, row.at_ms): f"block {row.height}, {row.backend}" for row in proposed.itertuples()}
    is_proposal = found["kind"] == "proposal"
    labels = [
        known.get(key, "") if ours else "" for key, ours in zip(zip(found["node"], found["at_ms"], strict=True), is_proposal, strict=True)
    ]
    import pandas as pd

    return pd.Series(labels, index=found.index, dtype=object)


def views(frames: Frames, end_ms: float, *, network_only: bool) -> dict[str, Any]:
    """What each node had at the end of each step: lists by node of the changes from one step to the next."""
    nodes = len(frames.nodes)
    axis = axis_for(end_ms, max(20, min(400, VIEW_VALUES_MAX // max(1, nodes))))
    told = frames.deliveries
    figures = {"messages received": _counted(axis, nodes, told["at_ms"], told["node"])}
    if not network_only:
        commits, pool, made, verified = frames.heights, pool_changes(frames), frames.proofs, frames.verifications
        refused = verified[~verified["accepted"].astype(bool)]
        figures = {
            "committed height": highest(axis, nodes, commits["at_ms"], commits["node"], commits["height"]).end,
            "transfers in the pool": levels(axis, nodes, pool["at_ms"], pool["node"], pool["change"]).end,
            "proofs made": _counted(axis, nodes, made["finished_ms"], made["node"]),
            "proofs verified": _counted(axis, nodes, verified["at_ms"], verified["node"]),
            "proofs refused": _counted(axis, nodes, refused["at_ms"], refused["node"]),
            **figures,
        }
    return {"step_ms": axis.step_ms, "figures": {name: _changes(values) for name, values in figures.items()}}


def _counted(axis: Axis, nodes: int, at_ms: Any, node: Any) -> Floats:
    """How many so far, by node."""
    return levels(axis, nodes, at_ms, node, np.ones(len(at_ms))).end


def _changes(values: Floats) -> list[list[int]]:
    return [[int(change) for change in row] for row in np.diff(values, axis=1, prepend=0.0)]
