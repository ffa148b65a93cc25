"""Takes what happens in a run to those who watch it, each event only to those that asked for its kind."""

from typing import Protocol

from simnet.base.errors import SimnetError
from simnet.events.event import Event, Handler, Observer

NO_LIMIT = 1 << 63


class Judge(Protocol):
    """Decides what an alarm means."""

    def judge(self, event: Event) -> None:
        """May end the run by raising."""


class Bus:
    """Tells observers in the order in which they were attached."""

    def __init__(self, events_max: int = NO_LIMIT) -> None:
        self.events = 0
        """Told so far."""
        self.last_at = 0
        """Virtual time of the last one."""
        self.alarmed = False
        """Set by an observer that has seen what may end the run: from then on the judge is asked."""
        self._most = events_max
        self._routes = _Routes()
        self._judge: Judge | None = None

    def preside(self, judge: "Judge") -> None:
        """Asks this one after all observers, once there is an alarm."""
        self._judge = judge

    def attach(self, *observers: Observer) -> None:
        """Adds observers; they hear every event that they asked for from now on."""
        self._routes.observers.extend(observers)
        self._routes.clear()

    def emit(self, event: Event) -> None:
        """Tells everybody. Raises SimnetError when there are more events than the scenario allows."""
        self.events += 1
        self.last_at = event.at
        for tell in self._routes[type(event)]:
            tell(event)
        if self.alarmed and self._judge is not None:
            self._judge.judge(event)
        if self.events > self._most:
            raise SimnetError(f"more than limits.events_max = {self._most} events")


class _Routes(dict[type[Event], tuple[Handler, ...]]):
    """Who hears a kind of event; worked out when the first of its kind comes."""

    def __init__(self) -> None:
        super().__init__()
        self.observers: list[Observer] = []

    def __missing__(self, kind: type[Event]) -> tuple[Handler, ...]:
        wanted = (handler for observer in self.observers for asked, handler in observer.handlers.items() if asked in {kind, Event})
        route = self[kind] = tuple(wanted)
        return route
