"""Plots as files: the same run gives the same bytes."""

import io
import warnings
from pathlib import Path

from simnet.record.atomic import write_atomic
from simnet.report.plots import plot
from simnet.runs.finished import FinishedRun

DPI = 110
UNDATED = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
"""What would differ between days and versions."""


def write(run: FinishedRun, what: str, folder: Path, picture: str) -> Path:
    """Draws a plot into a folder as `png` or `svg`; returns the file. Raises SimnetError like `plot`, OutputError when it cannot be written."""
    import matplotlib as mpl

    drawn, content = plot(run, what), io.BytesIO()
    with warnings.catch_warnings(), mpl.rc_context({"svg.hashsalt": "simnet", "text.parse_math": False}):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # it is drawn as a box
        drawn.savefig(content, format=picture, dpi=DPI, metadata=UNDATED[picture])
    path = folder / f"{what}.{picture}"
    write_atomic(path, content.getvalue())
    return path
