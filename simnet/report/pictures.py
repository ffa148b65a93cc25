"""Plots as files: the same run gives the same bytes."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.record.atomic import write_atomic
from simnet.report.plots import plot
from simnet.runs.finished import FinishedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110
UNDATED = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
"""What would differ between days and versions."""


def write(run: FinishedRun, what: str, folder: Path, picture: str) -> Path:
    """Draws a plot into a folder as `png` or `svg`; returns the file. Raises SimnetError like `plot`, OutputError when it cannot be written."""
    path = folder / f"{what}.{picture}"
    save(plot(run, what), path, picture)
    return path


def save(drawn: "Figure", path: Path, picture: str) -> None:
    """A figure as a file, `png` or `svg`. Raises OutputError."""
    import matplotlib as mpl

    content = io.BytesIO()
    with warnings.catch_warnings(), mpl.rc_context({"svg.hashsalt": "simnet", "text.parse_math": False}):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # it is drawn as a box
        drawn.savefig(content, format=picture, dpi=DPI, metadata=UNDATED[picture])
    write_atomic(path, content.getvalue())
