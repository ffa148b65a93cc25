"""Locks between processes: what ADR 11 says of them."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simnet.base.locks import held, seize_folder
from tests.runs import environment

WAIT_S = 60
LONG_ENOUGH_S = 3
"""For a process to start and try; a lock that does not hold would be had by then."""
HOLDER = """
import sys, time
from pathlib import Path
from simnet.base.locks import held, seize_folder
how, place = sys.argv[1], Path(sys.argv[2])
if how == "folder":
    handle = seize_folder(place)
    print("held" if handle is not None else "refused", flush=True)
    time.sleep(60)
with held(place, shared=how == "shared"):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(how: str, place: Path) -> subprocess.Popen[str]:
    """A process that holds a lock for a minute, or waits for it."""
    return subprocess.Popen([sys.executable, "-c", HOLDER, how, str(place)], env=environment(), stdout=subprocess.PIPE, text=True)


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.kill()
        process.communicate(timeout=WAIT_S)


def waits(process: subprocess.Popen[str]) -> bool:
    """Whether it has not got its lock yet; whoever gets it says so."""
    assert process.stdout is not None
    return not select.select([process.stdout], [], [], LONG_ENOUGH_S)[0]


@pytest.mark.parametrize("how", ["alone", "shared"])
def test_a_lock_ends_with_its_holder_however_that_ends(tmp_path: Path, how: str) -> None:
    first = holder(how, tmp_path / "lock")
    assert says(first) == "held"
    second = holder("alone", tmp_path / "lock")
    try:
        assert waits(second)
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=WAIT_S)
        assert says(second) == "held"
    finally:
        end(first, second)


def test_readers_share_it(tmp_path: Path) -> None:
    first, second = holder("shared", tmp_path / "lock"), holder("shared", tmp_path / "lock")
    try:
        assert says(first) == says(second) == "held"
        with held(tmp_path / "lock", shared=True):
            pass
    finally:
        end(first, second)


def test_a_folder_is_locked_without_a_file_in_it(tmp_path: Path) -> None:
    first = holder("folder", tmp_path)
    try:
        assert says(first) == "held"
        assert seize_folder(tmp_path) is None
        assert list(tmp_path.iterdir()) == []
    finally:
        end(first)
    handle = seize_folder(tmp_path)
    assert handle is not None, "its holder was killed"
    os.close(handle)


def test_nothing_but_a_file_of_ones_own_is_a_lock(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "link").symlink_to(victim)
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path / "link", tmp_path / "fifo", tmp_path, Path("/dev/null")):
        with pytest.raises(OSError), held(place):  # noqa: PT011 - the reasons differ
            pytest.fail(f"{place} was taken for a lock")
    with held(victim):
        pass
    assert victim.read_text() == "precious"
