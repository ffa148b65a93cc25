"""Colours and the look of plots: the same backend has the same colour in all of them, and no two differ by colour alone for the colour-blind."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from simnet.base.catalogue import BACKENDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
"""Okabe and Ito, "Color Universal Design" (2008)."""
GREY = "#8a8f98"
WIDTH_IN, ROW_IN = 9.0, 2.4


def colour(number: int) -> str:
    """Of the n-th of several things."""
    return PALETTE[number % len(PALETTE)]


def backend_colours(others: Iterable[str] = ()) -> dict[str, str]:
    """Colour of each proof system, then of `others`."""
    return {name: colour(n) for n, name in enumerate(dict.fromkeys([*BACKENDS, *others]))}


def figure(rows: int, columns: int = 1, *, height_in: float = ROW_IN, **grid: Any) -> "tuple[Figure, Sequence[Axes]]":
    """A figure with rows or columns of axes; it belongs to no window. `grid` goes to `Figure.subplots`."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(WIDTH_IN, height_in * rows + 0.6), layout="constrained")
    axes = made.subplots(rows, columns, squeeze=False, **grid).ravel()
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(axis="x" if columns > 1 else "y", color="#dddddd", linewidth=0.6)
        one.set_axisbelow(True)
    return made, axes


def plain_log(axis: "Axis") -> None:
    """Ticks of a logarithmic axis as plain numbers."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))


def legend(axes: "Axes") -> None:
    """To the right of the axes, where it hides nothing."""
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.02), fontsize="x-small")


def bands(axes: "Axes", effects: Sequence[dict[str, Any]]) -> None:
    """Faults as grey bands, in seconds of virtual time."""
    for effect in effects:
        start, end = effect["start_ms"] / 1000, effect["end_ms"] / 1000
        axes.axvspan(start, max(end, start), color=GREY, alpha=0.18, linewidth=0)


def ecdf(axes: "Axes", samples: "pd.Series", label: str, shade: str, dashes: str = "-") -> None:
    """The share of samples up to each value."""
    axes.ecdf(samples.dropna().to_numpy(), label=f"{label} ({len(samples.dropna())})", color=shade, linestyle=dashes)
