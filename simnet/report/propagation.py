"""How fast messages spread: the share of first receptions within a delay, by who published, who passed on and who received.

Honest publications on the transaction topic, without late repairs, as in the summary's `propagation`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simnet.base.units import to_ms
from simnet.events import FaultInjected, MessagePublished
from simnet.record.frames import Frames
from simnet.record.messages import TX_KINDS
from simnet.record.traffic import LATE_REPAIR
from simnet.report.axis import Floats

if TYPE_CHECKING:
    import pandas as pd

VIEWS = (
    ("backend", "the publisher's backend"),
    ("peer_class", "class of the neighbour that passed it on"),
    ("region", "the receiver's region"),
)
GROUPS_MAX = 12
"""Curves of one view; a hundred regions would be a smear."""
POINTS = 81
"""Delays at which a curve is drawn."""


def delays(frames: Frames) -> "pd.DataFrame":
    """The receptions that count: `delay_ms`, and the column of each view."""
    published = frames.of(MessagePublished, ("node", "message", "kind", "spam")).drop_duplicates("message").set_index("message")
    honest = published[published["spam"].isna() & published["kind"].isin(TX_KINDS)]
    told = frames.deliveries
    told = told[told["message"].isin(honest.index)].reset_index(drop=True)
    told = told[~_late(frames, told)]
    backends = frames.nodes["backends"].map(named)
    return told[["delay_ms", "region"]].assign(
        backend=told["message"].map(honest["node"]).map(backends), peer_class=told["peer"].map(frames.nodes["peer_class"])
    )


def named(backends: tuple[str, ...]) -> str:
    """The backends of a node in one word."""
    return "+".join(backends) or "none"


def curves(found: "pd.DataFrame") -> dict[str, dict[str, Floats]]:
    """By view and group the delays, ascending; the groups with most receptions where there are too many."""
    views = {}
    for column, _ in VIEWS:
        parts = {str(name): np.sort(part.to_numpy(dtype=np.float64)) for name, part in found.groupby(column)["delay_ms"]}
        kept = sorted(sorted(parts, key=lambda name: -len(parts[name]))[:GROUPS_MAX])
        views[column] = {name: parts[name] for name in kept}
    return views


def grid(runs: list[dict[str, dict[str, Floats]]]) -> Floats:
    """The delays at which all curves of a report are drawn: up to the largest 99.5 % of a curve, which leaves the last stragglers out."""
    ends = [np.quantile(samples, 0.995) for views in runs for groups in views.values() for samples in groups.values() if len(samples)]
    return np.linspace(0.0, float(np.ceil(max(ends, default=1.0))), POINTS)


def shares(samples: Floats, at: Floats) -> Floats:
    """Which share of the samples is at most each of these delays."""
    return np.searchsorted(samples, at, side="right") / max(1, len(samples))


def quantiles(samples: Floats) -> Mapping[str, Any]:
    """What the table beside a curve says."""
    return {"count": len(samples), **{f"p{q}": round(float(np.quantile(samples, q / 100)), 3) for q in (50, 95, 99)}}


def _late(frames: Frames, told: "pd.DataFrame") -> Any:
    """Which receptions measure a fault: `record.traffic` says which, and why."""
    healed, rejoined = _returns(frames)
    back = np.full(len(told), -np.inf)
    at = told["at_ms"].to_numpy()
    np.maximum(back, _last_before(healed, at), out=back)
    for column in ("node", "peer"):
        nodes = told[column].to_numpy()
        for node, times in rejoined.items():
            mine = nodes == node
            back[mine] = np.maximum(back[mine], _last_before(times, at[mine]))
    repaired = told["repaired"].to_numpy(dtype=bool)
    late = repaired & ((told["delay_ms"].to_numpy() > to_ms(LATE_REPAIR)) | (back > at - told["delay_ms"].to_numpy()))
    # What a receiver of a late repair passed on is late, too: only messages with one need to be gone through, in order.
    message, node, peer = (told[column].to_numpy() for column in ("message", "node", "peer"))
    behind = set(zip(message[late], node[late], strict=True))
    for row in np.flatnonzero(np.isin(message, message[late]) & ~repaired):
        if (message[row], peer[row]) in behind:
            late[row] = True
            behind.add((message[row], node[row]))
    return late


def _returns(frames: Frames) -> tuple[Floats, dict[int, Floats]]:
    """When partitions ended, and when each node came back, ascending."""
    faults = frames.of(FaultInjected, ("kind", "detail"))
    back = faults[faults["kind"].isin(("churn_up", "crash_up"))]
    nodes = back["detail"].str.removeprefix("node:").astype("int64")
    rejoined = {int(node): part.to_numpy(dtype=np.float64) for node, part in back.groupby(nodes)["at_ms"]}
    return faults["at_ms"][faults["kind"] == "partition_end"].to_numpy(dtype=np.float64), rejoined


def _last_before(times: Floats, at: Any) -> Floats:
    """The last of these times that is not after each moment."""
    padded = np.concatenate([[-np.inf], times])
    found: Floats = padded[np.searchsorted(times, at, side="right")]
    return found
