"""Plots of a finished run, as matplotlib figures: `plot(run, "finality")`.

Each takes its figures from the run's frames and summary; times are virtual.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from simnet.base.errors import SimnetError
from simnet.record.places import PICTURES
from simnet.report.layout import positions
from simnet.report.proofs import BOX
from simnet.report.style import GREY, backend_colours, bands, colour, ecdf, figure, legend, plain_log
from simnet.runs.finished import FinishedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STAGES = {"committed_ms": ("o", 18, "committed"), "proven_ms": ("s", 18, "proven"), "aggregated_ms": ("^", 70, "aggregated")}
"""Of a block: marker, size and name; the last one stands around the second where both come together."""
LOSS_BIN_S = 0.5


def plot(run: FinishedRun, what: str) -> "Figure":
    """A matplotlib figure of a run.

    `what`: finality, propagation, proofs, faults or topology. Raises SimnetError for another name, or where the run has nothing of it,
    OutputError when a file of the run cannot be read.
    """
    import matplotlib as mpl

    if what not in PLOTS:
        raise SimnetError(f"no plot {what!r}; there are {', '.join(PLOTS)}")
    with mpl.rc_context({"text.parse_math": False, "svg.hashsalt": "simnet", "axes.titlelocation": "left", "axes.titlesize": "medium"}):
        made = PLOTS[what](run)
        made.suptitle(f"{run.summary['simnet']['scenario']}, seed {run.summary['simnet']['seed']}: {what}", x=0.01, ha="left", fontsize=11)
        return made


# --- finality -----------------------------------------------------------------------------------------


def _finality(run: FinishedRun) -> "Figure":
    """Heights of the nodes, how long each block took to be committed, proven and aggregated, and the gaps between commits."""
    if run.blocks.empty:
        raise SimnetError(f"{run.folder}: no block was committed: there is no finality to plot")
    made, (heights, latencies, gaps) = figure(3, sharex=True)
    for axes in (heights, latencies, gaps):
        bands(axes, run.summary["simnet"]["fault_effects"])
    _heights(heights, run)
    _latencies(latencies, run)
    commits = sorted(run.blocks.groupby("height")["committed_ms"].min() / 1000)
    ends = [run.summary["simnet"]["traffic_started_ms"] / 1000, *commits, run.summary["simnet"]["end_ms"] / 1000]
    for start, end in pairwise(ends):
        gaps.plot([start, end, end], [0, end - start, 0], color=colour(0), linewidth=1)
    gaps.set(title="Time since the last commit", ylabel="s", xlabel="virtual time, s", ylim=(0, None))
    return made


def _heights(axes: "Axes", run: FinishedRun) -> None:
    """The highest and the lowest node's."""
    import pandas as pd

    commits = run.frames.heights
    reached = commits.pivot_table(index="at_ms", columns="node", values="height", aggfunc="max").cummax().ffill()
    reached = reached.reindex(columns=run.nodes.index).fillna(0)
    at = pd.concat([pd.Series([0.0]), pd.Series(reached.index / 1000), pd.Series([run.summary["simnet"]["end_ms"] / 1000])])
    for name, values, shade in (("highest node", reached.max(axis=1), colour(0)), ("lowest node", reached.min(axis=1), colour(1))):
        axes.step(at, [0, *values, values.iloc[-1]], where="post", label=name, color=shade, linewidth=1.2)
    axes.set(title="Height", ylabel="blocks", ylim=(0, None))
    legend(axes)


def _latencies(axes: "Axes", run: FinishedRun) -> None:
    shades = backend_colours(run.blocks["backend"])
    for column, (marker, size, name) in STAGES.items():
        for backend, blocks in run.blocks.groupby("backend"):
            after = (blocks[column] - blocks["proposed_ms"]) / 1000
            label = f"{name}, {backend}" if after.notna().any() else None
            face = "none" if marker == "^" else shades[str(backend)]
            axes.scatter(
                blocks["proposed_ms"] / 1000, after, marker=marker, s=size, facecolor=face, edgecolor=shades[str(backend)], label=label
            )
    axes.set(title="From proposal, by block", ylabel="s", ylim=(0, None))
    legend(axes)


# --- propagation --------------------------------------------------------------------------------------


def _propagation(run: FinishedRun) -> "Figure":
    """First receptions: the share that had come after so long, by the author's region, by the receiver's class, and by kind."""
    received = run.frames.deliveries
    if received.empty:
        raise SimnetError(f"{run.folder}: nothing was delivered: there is no propagation to plot")
    received = received[["node", "message", "kind", "delay_ms"]].assign(
        author=received["message"].map(run.messages["region"]), peer_class=received["node"].map(run.nodes["peer_class"])
    )
    made, rows = figure(3, sharex=True)
    titles = {"author": "By region of the author", "peer_class": "By class of the receiver", "kind": "By kind of message"}
    for axes, (column, title) in zip(rows, titles.items(), strict=True):
        for number, (name, group) in enumerate(received.groupby(column)):
            ecdf(axes, group["delay_ms"], str(name), colour(number), ("-", "--", ":")[number // 8 % 3])
        axes.set(title=title, ylabel="share received", ylim=(0, 1), xscale="log")
        plain_log(axes.xaxis)
        legend(axes)
    rows[-1].set_xlabel("ms since publication")
    return made


# --- proofs -------------------------------------------------------------------------------------------


def _proofs(run: FinishedRun) -> "Figure":
    """Per circuit and backend: quantiles of the time to prove, to wait for a prover, to verify, and of the size."""
    if run.proofs.empty:
        raise SimnetError(f"{run.folder}: the run made no proofs")
    panels: Sequence[tuple[str, Any, str]] = (
        ("prove, ms", run.proofs, "prove_ms"),
        ("wait for the prover, ms", run.proofs, "waited_ms"),
        ("verify, ms", run.verifications[run.verifications["accepted"]], "verify_ms"),
        ("size, KiB", run.proofs.assign(kib=run.proofs["bytes"] / 1024), "kib"),
    )
    names = sorted(set(zip(run.proofs["backend"], run.proofs["circuit"], strict=True)))
    made, columns = figure(1, len(panels), height_in=0.3 * len(names) + 0.6, sharey=True)
    for axes, (title, frame, column) in zip(columns, panels, strict=True):
        _boxes(axes, dict(list(frame.groupby(["backend", "circuit"])[column])), names)
        axes.set_title(title)
    columns[0].set_yticks(range(len(names)), [f"{backend} {circuit}" for backend, circuit in names], fontsize="small")
    columns[0].invert_yaxis()
    return made


def _boxes(axes: "Axes", samples: Mapping[tuple[str, str], Any], names: Sequence[tuple[str, str]]) -> None:
    """A dot at the median, a thick line between the quartiles, a thin one from 5 % to 95 %; no single points: there are thousands."""
    shades = backend_colours(backend for backend, _ in names)
    largest = 0.0
    for row, name in enumerate(names):
        if name not in samples:
            continue
        low, first, middle, third, high = samples[name].quantile(list(BOX))
        shade = shades[name[0]]
        axes.plot([low, high], [row, row], color=shade, linewidth=1)
        axes.plot([first, third], [row, row], color=shade, linewidth=5, alpha=0.5, solid_capstyle="butt")
        axes.plot([middle], [row], "o", color=shade, markersize=4)
        largest = max(largest, high)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(0, max(2.0, 2 * largest))
    plain_log(axes.xaxis)
    axes.tick_params(axis="x", labelsize="x-small")


# --- faults -------------------------------------------------------------------------------------------


def _faults(run: FinishedRun) -> "Figure":
    """When each fault was there, and how many copies the network lost, by reason."""
    effects = run.summary["simnet"]["fault_effects"]
    losses = run.frames.losses
    if not effects and losses.empty:
        raise SimnetError(f"{run.folder}: the run had no faults and lost nothing")
    made, (rows, lost) = figure(2, sharex=True, height_ratios=(max(1.0, len(effects) / 8), 1.0))
    kinds = list(dict.fromkeys(effect["kind"] for effect in effects))
    for number, effect in enumerate(effects):
        start, end = effect["start_ms"] / 1000, effect["end_ms"] / 1000
        rows.broken_barh([(start, max(end - start, 0.02))], (number - 0.4, 0.8), color=colour(kinds.index(effect["kind"])))
    labels = [f"{effect['kind']} {effect['detail'] or ''}".strip() for effect in effects]
    rows.set_yticks(range(len(effects)), labels, fontsize="x-small")
    rows.invert_yaxis()
    rows.set_title("Faults")
    reasons = losses["reason"].unique() if not losses.empty else []
    end = run.summary["simnet"]["end_ms"] / 1000
    edges = [LOSS_BIN_S * n for n in range(int(end / LOSS_BIN_S) + 2)]
    for number, reason in enumerate(sorted(reasons)):
        at = losses.loc[losses["reason"] == reason, "at_ms"] / 1000
        lost.hist(at, bins=edges, histtype="step", color=colour(number), label=f"{reason} ({len(at)})")
    lost.set(title=f"Copies lost in each {LOSS_BIN_S} s", xlabel="virtual time, s", ylabel="copies")
    if len(reasons):
        legend(lost)
    return made


# --- topology -----------------------------------------------------------------------------------------


def _topology(run: FinishedRun) -> "Figure":
    """The network at the start, each node in its backends' colour; links that a partition cut are dashed."""
    made, (axes,) = figure(1, height_in=6.4)
    edges = [(int(a), int(b)) for a, b in run.frames.edges.to_numpy()]
    places = positions(list(run.nodes["region"]), edges)
    cut = run.frames.cut
    for a, b in edges:
        (x0, y0), (x1, y1) = places[a], places[b]
        apart = (a, b) in cut
        axes.plot(
            [x0, x1],
            [y0, y1],
            color=colour(1) if apart else GREY,
            linewidth=1.1 if apart else 0.6,
            linestyle="--" if apart else "-",
            zorder=1,
        )
    mixes = run.nodes["backends"].map(" + ".join)
    shades = backend_colours(mixes)
    for mix, members in run.nodes.groupby(mixes):
        x, y = zip(*(places[node] for node in members.index), strict=True)
        axes.scatter(
            x,
            y,
            s=110 + 20 * members["stake"] / members["stake"].mean(),
            color=shades[str(mix)],
            label=f"{mix or 'no prover'} ({len(members)})",
            zorder=2,
        )
        for node in members.index if len(run.nodes) <= NAMED_MAX else ():
            axes.annotate(str(node), places[node], fontsize="xx-small", ha="center", va="center", zorder=3, color="white")
    axes.set_axis_off()
    axes.set_title(f"{len(run.nodes)} nodes, {len(edges)} links" + (f", {len(cut)} of them cut by a partition (dashed)" if cut else ""))
    axes.legend(frameon=False, loc="lower left", fontsize="small")
    return made


NAMED_MAX = 60
"""Nodes that have their number written on them; more would be unreadable."""
PLOTS: Mapping[str, Callable[[FinishedRun], "Figure"]] = dict(
    zip(PICTURES, (_finality, _propagation, _proofs, _faults, _topology), strict=True)
)
