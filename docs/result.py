"""Draws docs/result.svg, the README's picture, from the summary of a run: `python docs/result.py [SUMMARY]`."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from simnet.cli.result import show
from simnet.record.summary_files import summary_file

SUMMARY = "target/simnet/mixed-backend-interop/summaries/mixed_backend_interop.json"


def main() -> None:
    """Writes the picture beside this file."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else SUMMARY)
    console = Console(record=True, width=132, file=io.StringIO())
    show(summary_file(path).content, console)
    picture = console.export_svg(title="simnet run scenarios/mixed_backend_interop.toml")
    # A picture that fetches nothing: whatever monospaced font is there will do.
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL).replace("Fira Code", "monospace")
    (Path(__file__).parent / "result.svg").write_text(picture)


if __name__ == "__main__":
    main()
