"""What a collector is: a part of the summary that names the events it wants."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from simnet.events import Event

# A handler takes the one event class it is registered for; Callable is contravariant, hence Any.
Handlers = Mapping[type[Event], Callable[[Any], None]]


class Collector(Protocol):
    """Gathers figures from some of a run's events."""

    @property
    def handlers(self) -> Handlers:
        """The events this collector wants, and what takes them."""


class Dispatcher:
    """An observer that hands each event to the collectors that asked for its class, in the order given."""

    def __init__(self, collectors: tuple[Collector, ...]) -> None:
        table: dict[type[Event], tuple[Callable[[Any], None], ...]] = {}
        for collector in collectors:
            for kind, handler in collector.handlers.items():
                table[kind] = (*table.get(kind, ()), handler)
        self._table = table
        self.count = 0
        self.last_at = 0

    def on_event(self, event: Event) -> None:
        self.count += 1
        self.last_at = event.at
        for handler in self._table.get(type(event), ()):
            handler(event)
