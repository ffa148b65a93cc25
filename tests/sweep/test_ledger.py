"""What a sweep has finished is on disk, whatever happens to it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simnet.base.errors import OutputError
from simnet.sweep.ledger import LEDGER, Ledger, missing


def row(key: str, job: int = 0, **figures: float) -> dict[str, Any]:
    return {"key": key, "job": job, "exit_code": 0, "complete": True, "error": "", "figures": figures}


def test_rows_are_there_again(tmp_path: Path) -> None:
    with Ledger(tmp_path / "s") as ledger:
        ledger.add(row("a", x=1.5))
        ledger.add(row("b", 1, x=2))
        assert missing(["c", "a", "c"], ledger.rows) == ["c"]
    with Ledger(tmp_path / "s") as again:
        assert again.rows == {"a": row("a", x=1.5), "b": row("b", 1, x=2)}


@pytest.mark.parametrize("kept", range(1, 8))
def test_a_line_that_was_being_written_is_cut_off(tmp_path: Path, kept: int) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.add(row("a"))
    whole = (tmp_path / LEDGER).read_bytes()
    (tmp_path / LEDGER).write_bytes(whole + whole[: len(whole) * kept // 8])
    with Ledger(tmp_path) as ledger:
        assert list(ledger.rows) == ["a"]
        ledger.add(row("b"))
    with Ledger(tmp_path) as ledger:
        assert list(ledger.rows) == ["a", "b"]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"key": "a"}', '{"key": "a", "job": 0, "exit_code": 0, "complete": true, "error": "", "figures": {"x": "y"}}'],
)
def test_a_damaged_ledger_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.add(row("a"))
    with (tmp_path / LEDGER).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(OutputError, match=r"runs\.jsonl:2: not a row"):
        Ledger(tmp_path)


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from simnet.sweep.ledger import Ledger; Ledger(Path(sys.argv[1]))"
    with Ledger(tmp_path):
        done = subprocess.run([sys.executable, "-c", program, tmp_path], check=False, capture_output=True, text=True)
    assert "another sweep is writing" in done.stderr
    assert subprocess.run([sys.executable, "-c", program, tmp_path], check=False).returncode == 0


def test_a_row_that_does_not_fit_on_the_disk_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with Ledger(tmp_path) as ledger:
        ledger.add(row("a"))
        before = (tmp_path / LEDGER).read_bytes()
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            ledger.add(row("b"))
        assert (tmp_path / LEDGER).read_bytes() == before and list(ledger.rows) == ["a"]
