"""Python's cycle collector during a run."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

YOUNG_MAX = 200_000
"""New objects between two collections. A run makes many objects and hardly any cycles: with Python's default of 700 a
fifth of its time goes into looking for them."""

_RUNS = count()
"""Runs that this process has begun."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collects seldom, and what exists already not at all; afterwards as before.

    What an earlier run in this process left is collected first: its few objects hold a gigabyte of native keys, which the
    collector cannot see. In the process of one run that would cost the time of ten simulated seconds for nothing.
    """
    before = gc.get_threshold()
    if next(_RUNS):
        gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
