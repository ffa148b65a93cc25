"""Where a run begins and ends."""

from simnet.events.event import Event, event


@event
class TrafficStarted(Event):
    """The traffic clock's zero (after settling)."""


@event
class RunEnded(Event):
    """The last event of a complete run."""
