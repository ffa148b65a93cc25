"""Draws docs/result.svg, the README's picture, from the summary of a run: `python docs/result.py [SUMMARY]`."""

import io
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from simnet.cli.result import show
from simnet.record.summary_files import summary_file

SUMMARY = Path(__file__).parent / "data/mixed_backend_interop.json"


def picture(summary: Mapping[str, Any]) -> str:
    """The tables that `simnet run` prints, as SVG."""
    console = Console(record=True, width=132, file=io.StringIO())
    show(summary, console)
    drawn = console.export_svg(title="simnet run scenarios/mixed_backend_interop.toml")
    # A picture that fetches nothing: whatever monospaced font is there will do.
    return re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL).replace("Fira Code", "monospace")


def main() -> None:
    """Writes the picture beside this file."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else SUMMARY
    (Path(__file__).parent / "result.svg").write_text(picture(summary_file(path).content))


if __name__ == "__main__":
    main()
