"""The charts over virtual time of one run: finality gap, heights, mempools, jobs of provers and verifiers, bytes.

A chart is a list of series. Where one series is named `WHOLE`, it is what all the others sum up to, and stands alone where several groups of
runs are laid over each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simnet.events import DirectSent, MessageArrived, MessagePublished, RunEnded, TrafficStarted, TxAdmitted, TxEvicted
from simnet.record.frames import Frames
from simnet.report.axis import Axis, Floats, Series, highest, levels, line, sums

if TYPE_CHECKING:
    import pandas as pd

WHOLE = "all"
MS_PER_S = 1000.0
KINDS = {
    "transfers": ("transaction", "transaction_probe", "block_probe"),
    "consensus": ("proposal", "vote", "roll_call", "endorsement", "tag_set", "key_disclosure"),
    "proofs of blocks": ("consensus_proof", "block_proof"),
    "other gossip": (),
}
"""What of gossip counts as what in the chart of bytes; `other gossip` is the rest."""
DIRECT = "between neighbours"


@dataclass(frozen=True)
class Chart:
    """What one chart shows of all runs."""

    key: str
    title: str
    unit: str
    note: str
    chain: bool
    """Whether a run without a chain has nothing to show here."""
    stacked: bool
    make: Callable[[Frames, Axis], list[Series]]


def gap(frames: Frames, axis: Axis) -> list[Series]:
    """The longest time since a height's first commit at any node, within each bin; NaN before the traffic begins and after the run."""
    started, ended = (frames.of(kind, ())["at_ms"].min() for kind in (TrafficStarted, RunEnded))
    end = _until(frames) if np.isnan(ended) else float(ended)
    first = np.sort(frames.blocks.groupby("height")["committed_ms"].min().to_numpy())
    marks = np.concatenate([[0.0 if np.isnan(started) else float(started)], first])
    values = np.full(axis.bins, np.nan)
    for mark, following in zip(marks, [*marks[1:], end], strict=True):
        # The gap grows from one commit to the next; in each bin it is largest at the bin's end, or where it ends.
        inside = np.arange(int(axis.bin_of(mark)), int(axis.bin_of(following)) + 1)
        longest = np.minimum(axis.ends_ms[inside], following) - mark
        values[inside] = np.fmax(values[inside], longest)
    return [line("since the last commit", values / MS_PER_S)]


def heights(frames: Frames, axis: Axis) -> list[Series]:
    """Committed heights over all nodes."""
    told = frames.heights
    found = highest(axis, len(frames.nodes), told["at_ms"], told["node"], told["height"])
    return [found.band("committed height")]


def mempools(frames: Frames, axis: Axis) -> list[Series]:
    """Transfers in the nodes' pools."""
    moved = pool_changes(frames)
    return [levels(axis, len(frames.nodes), moved["at_ms"], moved["node"], moved["change"]).band("transfers in a pool")]


def pool_changes(frames: Frames) -> "pd.DataFrame":
    """What comes into a node's pool and what leaves it, in the order of time: `at_ms`, `node`, `change`."""
    import pandas as pd

    parts = [frames.of(kind, ("node",)).assign(change=change) for kind, change in ((TxAdmitted, 1), (TxEvicted, -1))]
    return pd.concat(parts).sort_values("at_ms", kind="stable")


def provers(frames: Frames, axis: Axis) -> list[Series]:
    """Proofs that wait for a prover or are being made, over all nodes, by backend."""
    made = frames.proofs
    return _jobs(axis, made["backend"], made["queued_ms"], made["finished_ms"])


def verifiers(frames: Frames, axis: Axis) -> list[Series]:
    """Proofs that wait for a verifier or are being verified, over all nodes, by backend."""
    told = frames.verifications
    return _jobs(axis, told["backend"], told["at_ms"] - told["waited_ms"] - told["verify_ms"], told["at_ms"])


def sent(frames: Frames, axis: Axis) -> list[Series]:
    """Bytes that arrived over all links, a second, by what they were for."""
    arrived, direct = frames.of(MessageArrived, ("message", "bytes")), frames.of(DirectSent, ("bytes",))
    kinds = frames.of(MessagePublished, ("message", "kind")).drop_duplicates("message").set_index("message")["kind"]
    family = {kind: name for name, members in KINDS.items() for kind in members}
    of_message = kinds.map(family).fillna("other gossip")
    per_second = axis.step_ms / MS_PER_S
    # A flood is hundreds of copies of one message: families are looked up once a message.
    which = arrived["message"].map(of_message)
    parts = [(name, arrived[which == name]) for name in KINDS] + [(DIRECT, direct)]
    found = [line(name, sums(axis, part["at_ms"], part["bytes"]) / per_second) for name, part in parts if len(part)]
    return [line(WHOLE, _total([series.mid for series in found], axis)), *found]


def _jobs(axis: Axis, backend: "pd.Series", begin: "pd.Series", end: "pd.Series") -> list[Series]:
    names = sorted(set(backend))
    index = backend.map({name: number for number, name in enumerate(names)}).to_numpy(dtype=np.int64)
    at, key, change = (
        np.concatenate([begin, end]),
        np.concatenate([index, index]),
        np.concatenate([np.ones(len(begin)), -np.ones(len(end))]),
    )
    # Where one job ends as the next begins, the end comes first.
    order = np.lexsort((change, at))
    found = levels(axis, len(names), at[order], key[order], change[order])
    all_of_them = levels(axis, 1, at[order], np.zeros(len(at), dtype=np.int64), change[order])
    return [line(WHOLE, all_of_them.peak[0]), *(line(name, found.peak[number]) for number, name in enumerate(names))]


def _total(parts: Sequence[Floats], axis: Axis) -> Floats:
    return np.sum(parts, axis=0) if parts else np.zeros(axis.bins)


def _until(frames: Frames) -> float:
    """The last moment of a run that broke off."""
    return float(frames.of(MessageArrived, ())["at_ms"].max())


CHARTS = (
    Chart("gap", "Finality gap", "s", "Time since a height was first committed anywhere.", True, False, gap),
    Chart("heights", "Heights", "", "Line: the median node. Band: from the lowest to the highest.", True, False, heights),
    Chart("mempool", "Mempools", "transfers", "Line: the median node. Band: from the emptiest to the fullest.", True, False, mempools),
    Chart(
        "provers", "Prover queues", "jobs", "Proofs waiting or in the making over all nodes, the most in each step.", True, False, provers
    ),
    Chart(
        "verifiers",
        "Verifier queues",
        "jobs",
        "Proofs waiting or being verified over all nodes, the most in each step.",
        True,
        False,
        verifiers,
    ),
    Chart("bytes", "Bytes on the links", "bytes/s", "What arrived over all links, by what it was for.", False, True, sent),
)


def charts(frames: Frames, axis: Axis, *, network_only: bool) -> Mapping[str, list[Series]]:
    """The series of every chart that this run has something for."""
    return {chart.key: chart.make(frames, axis) for chart in CHARTS if not (network_only and chart.chain)}
