"""What a run shows while it goes."""

import io
import re
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress as Bar

from simnet.base.units import SimTime
from simnet.cli.progress import LOOK_EVERY, Progress
from simnet.events import TrafficStarted
from simnet.events.bus import Bus
from tests.story import info, story

STEP_S = 20.0


def shown(**console: Any) -> str:
    """What is printed of a run whose quarters take 20 s each, until the third is over."""
    file, now = io.StringIO(), [100.0]
    with Progress(info(), Console(file=file, **console), lambda: now[0]) as progress:
        assert isinstance(progress._display, Bar), "share, rate and time left are Rich's"
        bus = Bus()
        bus.attach(progress)
        for event in story():
            bus.emit(event)
        for quarter in (1, 2, 3):
            now[0] += STEP_S
            for _ in range(LOOK_EVERY):
                bus.emit(TrafficStarted(SimTime(info().duration * quarter // 4)))
    return file.getvalue()


def test_a_terminal_has_a_bar_with_share_and_time_left() -> None:
    environment = {"TERM": "xterm", "COLUMNS": "80"}
    text = shown(force_terminal=True, width=80, color_system=None, legacy_windows=False, _environ=environment)
    assert "━" in text and "75%" in text and "0:00:20" in text
    assert "virtual time" in text and "proofs made/verified" in text and "real-time factor" in text
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert all(len(line) <= 80 for line in re.split(r"[\r\n]", plain))


@pytest.mark.parametrize(
    "console", [{"force_terminal": False}, {"force_terminal": True, "_environ": {"TERM": "dumb"}}], ids=["file", "dumb"]
)
def test_elsewhere_a_line_now_and_then_says_the_same(console: dict[str, Any]) -> None:
    text = shown(width=40, **console)
    lines = text.splitlines()
    assert len(lines) == 3, "one for each look that was late enough, none broken"
    assert "━" not in text and "\x1b" not in text
    assert "(25 %)" in lines[0] and "time left not known yet" in lines[0]
    assert "(75 %)" in lines[2] and "time left about 20 s" in lines[2]
    assert all("height" in line and "mempool" in line for line in lines)


def test_it_looks_at_the_clock_seldom() -> None:
    file, looks = io.StringIO(), list[int]()
    progress = Progress(info(), Console(file=file), lambda: float(len(looks) * 1000))
    looks.append(1)
    bus = Bus()
    bus.attach(progress)
    for _ in range(LOOK_EVERY - 1):
        bus.emit(TrafficStarted(SimTime(1)))
    assert file.getvalue() == ""
    bus.emit(TrafficStarted(SimTime(1)))
    assert len(file.getvalue().splitlines()) == 1
