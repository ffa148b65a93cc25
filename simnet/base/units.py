"""Units. Inside simnet time is integer nanoseconds; conversions are made with what stands here."""

from typing import NewType

SimTime = NewType("SimTime", int)
"""A point or span of virtual time, in nanoseconds."""
NodeId = NewType("NodeId", int)
"""Index of a node, 0-based."""

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def from_ms(ms: int) -> SimTime:
    """Whole milliseconds as virtual time."""
    return SimTime(ms * NS_PER_MS)


def from_s(seconds: float) -> SimTime:
    """Seconds as virtual time, rounded to the nearest nanosecond."""
    return SimTime(round(seconds * NS_PER_S))


def to_ms(t: int) -> float:
    """Virtual time as milliseconds."""
    return t / NS_PER_MS


def to_s(t: int) -> float:
    """Virtual time as seconds."""
    return t / NS_PER_S
