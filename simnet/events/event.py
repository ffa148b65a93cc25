"""The base of all events, and the protocol of those who watch."""

from dataclasses import dataclass
from typing import Protocol, TypeVar, dataclass_transform

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


class Observer(Protocol):
    """Watches a run. Must not change it."""

    def on_event(self, event: Event) -> None:
        """Called once per event, in order."""
