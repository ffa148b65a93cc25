"""What a run shows while it goes: a live table on a terminal, a line now and then elsewhere."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from simnet.base import plain
from simnet.base.units import to_s
from simnet.cli.screen import say
from simnet.events import BlockCommitted, Event, ProofMade, ProofVerified, TxAdmitted, TxEvicted
from simnet.events.run_info import RunInfo
from simnet.scenario.load import LoadedScenario

LOOK_EVERY = 256
"""Events between two looks at the wall clock, which costs more than an event."""
LIVE_S = 0.2
LINE_S = 10.0
SHARE_TOLD = 0.02
"""Of the run, before which a guess at the rest would be one."""


class Progress:
    """An observer that counts a few things and shows them; use it as a context around the run."""

    def __init__(self, info: RunInfo, console: Console) -> None:
        self._info = info
        self._console = console
        self._live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal and not console.is_dumb_terminal else None
        )
        self._interval = LIVE_S if self._live else LINE_S
        self._began = self._shown = time.monotonic()
        self._events = 0
        self._now = 0
        self._height = 0
        self._pooled = 0
        self._made: Counter[str] = Counter()
        self._verified: Counter[str] = Counter()
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            BlockCommitted: self._committed,
            ProofMade: self._proof_made,
            ProofVerified: self._proof_verified,
            TxAdmitted: self._admitted,
            TxEvicted: self._evicted,
        }

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
            self._show()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def on_event(self, event: Event) -> None:
        self._now = event.at
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
        self._events += 1
        if self._events % LOOK_EVERY == 0 and time.monotonic() - self._shown >= self._interval:
            self._shown = time.monotonic()
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

    def figures(self) -> list[tuple[str, str]]:
        """What is shown, by name."""
        wall = max(time.monotonic() - self._began, 1e-9)
        proofs = ", ".join(f"{name} {self._made[name]}/{self._verified[name]}" for name in sorted(self._verified | self._made))
        share = min(1.0, self._now / max(self._info.duration, 1))
        left = f"about {wall * (1 - share) / share:.0f} s" if share > SHARE_TOLD else "not known yet"
        return [
            ("virtual time", f"{to_s(self._now):.1f} of {to_s(self._info.duration):.0f} s ({100 * share:.0f} %)"),
            ("real-time factor", f"{to_s(self._now) / wall:.2f}"),
            ("time left", left),
            ("height", str(self._height)),
            ("proofs made/verified", proofs or "none yet"),
            ("mempool, mean a node", f"{self._pooled / max(self._info.nodes, 1):.1f}"),
        ]

    def _show(self) -> None:
        if self._live is None:
            self._console.print("; ".join(f"{name} {value}" for name, value in self.figures()), soft_wrap=True, highlight=False)
            return
        table = Table.grid(padding=(0, 2))
        for name, value in self.figures():
            table.add_row(name, value)
        self._live.update(table, refresh=True)


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
        shape = f"{scenario.topology.n} nodes, {scenario.sim.duration_ms / 1000:g} s of virtual time, seed {scenario.sim.seed}"
        say(f"{plain.printable(scenario.name)}: {shape}; into {plain.printable(str(folder))}/; loading the provers' keys", err=True)

    def watching(self, info: RunInfo) -> Progress:
        """Shows how far the run is."""
        return Progress(info, self._console)
