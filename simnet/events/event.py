"""The base of all events, and the protocol of those who watch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, dataclass_transform

from simnet.base.units import SimTime

C = TypeVar("C")


@dataclass_transform(frozen_default=True)
def event(cls: type[C]) -> type[C]:
    """A frozen dataclass, as far as mypy is concerned. A check at run time would make each of a run's hundred
    thousands of events five times as dear to create."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@event
class Event:
    """Base of all events."""

    at: SimTime


# A handler takes the one event class it is registered for; Callable is contravariant, hence Any.
Handler = Callable[[Any], None]
Handlers = Mapping[type[Event], Handler]
"""What an observer wants to hear, and what takes it; `Event` itself means every event."""


class Observer(Protocol):
    """Watches a run. Must not change it; it may raise the bus's alarm."""

    @property
    def handlers(self) -> Handlers:
        """Asked for once or more while it is attached, and always the same. Handlers are called in the order given."""
