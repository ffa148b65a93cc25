"""What a run shows while it goes: a bar and figures on a terminal, a line now and then elsewhere. Share, rate and time left are Rich's."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from simnet.base import plain
from simnet.base.units import to_s
from simnet.cli.screen import say
from simnet.events import BlockCommitted, Event, Handlers, ProofMade, ProofVerified, TxAdmitted, TxEvicted
from simnet.events.run_info import RunInfo
from simnet.scenario.load import LoadedScenario

LOOK_EVERY = 256
"""Events between two looks at the wall clock, which costs more than an event."""
LIVE_S = 0.2
LINE_S = 10.0
BAR_CHARACTERS = 24


class _Display(Bar):
    """A bar over the run's virtual time and, below it, figures by name. Off a terminal it only keeps the time."""

    def __init__(self, console: Console, clock: Callable[[], float], figures: Callable[[float], list[tuple[str, str]]]) -> None:
        self._figures = figures
        self.live_on_terminal = console.is_terminal and not console.is_dumb_terminal
        columns = (TextColumn("{task.description}"), BarColumn(BAR_CHARACTERS), TaskProgressColumn(), TimeRemainingColumn())
        super().__init__(*columns, console=console, auto_refresh=False, transient=True, get_time=clock, disable=not self.live_on_terminal)

    @property
    def wall_s(self) -> float:
        """Since the run began."""
        return next((task.elapsed or 0.0 for task in self.tasks), 0.0)

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is shown."""
        yield self.make_tasks_table(self.tasks)
        table = Table.grid(padding=(0, 2))
        for name, value in self._figures(self.wall_s):
            table.add_row(name, value)
        yield table


class Progress:
    """An observer that counts a few things and shows them; use it as a context around the run."""

    def __init__(self, info: RunInfo, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._info = info
        self._console = console
        self._clock = clock
        self._events = 0
        self._now = 0
        self._height = 0
        self._pooled = 0
        self._made: Counter[str] = Counter()
        self._verified: Counter[str] = Counter()
        self._display = _Display(console, clock, self.figures)
        self._shown = clock()
        self._interval = LIVE_S if self._display.live_on_terminal else LINE_S
        self._id = self._display.add_task("virtual time", total=max(to_s(info.duration), 1e-9))

    @property
    def handlers(self) -> Handlers:
        return {
            BlockCommitted: self._committed,
            ProofMade: self._proof_made,
            ProofVerified: self._proof_verified,
            TxAdmitted: self._admitted,
            TxEvicted: self._evicted,
            Event: self._any,
        }

    def __enter__(self) -> Self:
        self._display.start()
        self._display.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def _any(self, event: Event) -> None:
        self._now = event.at
        self._events += 1
        if self._events % LOOK_EVERY == 0 and self._clock() - self._shown >= self._interval:
            self._shown = self._clock()
            self._show()

    def _committed(self, event: BlockCommitted) -> None:
        self._height = max(self._height, event.height)

    def _proof_made(self, event: ProofMade) -> None:
        self._made[event.backend] += 1

    def _proof_verified(self, event: ProofVerified) -> None:
        self._verified[event.backend] += 1

    def _admitted(self, event: TxAdmitted) -> None:
        self._pooled += 1

    def _evicted(self, event: TxEvicted) -> None:
        self._pooled -= 1

    def figures(self, wall_s: float) -> list[tuple[str, str]]:
        """What is shown beside the bar after so much wall time, by name."""
        proofs = ", ".join(f"{name} {self._made[name]}/{self._verified[name]}" for name in sorted(self._verified | self._made))
        return [
            ("real-time factor", f"{to_s(self._now) / max(wall_s, 1e-9):.2f}"),
            ("height", str(self._height)),
            ("proofs made/verified", proofs or "none yet"),
            ("mempool, mean a node", f"{self._pooled / max(self._info.nodes, 1):.1f}"),
        ]

    def _show(self) -> None:
        now, end = to_s(self._now), to_s(self._info.duration)
        told = f"virtual time {now:.1f} of {end:.0f} s"
        self._display.update(self._id, completed=min(now, end), description=told, refresh=self._display.live_on_terminal)
        if not self._display.live_on_terminal:
            task = self._display.tasks[0]
            remaining = task.time_remaining
            left = "not known yet" if remaining is None else f"about {remaining:.0f} s"
            head = [f"{told} ({task.percentage:.0f} %)", f"time left {left}"]
            line = "; ".join([*head, *(f"{name} {value}" for name, value in self.figures(self._display.wall_s))])
            self._console.print(line, soft_wrap=True, highlight=False)


class Terminal:
    """The screen of a run: warnings and progress on standard error."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def warn(self, why: str) -> None:
        """One line."""
        say(f"warning: {plain.printable(why)}", err=True)

    def begins(self, loaded: LoadedScenario, folder: Path) -> None:
        """What runs, and where its files go."""
        scenario = loaded.scenario
        keys = "; loading the provers' keys" if scenario.chain.enabled else ""
        shape = f"{scenario.topology.n} nodes, {scenario.sim.duration_ms / 1000:g} s of virtual time, seed {scenario.sim.seed}"
        say(f"{plain.printable(scenario.name)}: {shape}; into {plain.printable(str(folder))}/{keys}", err=True)

    def watching(self, info: RunInfo) -> Progress:
        """Shows how far the run is."""
        return Progress(info, self._console)
