"""Python's cycle collector during a run."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_MAX = 200_000
"""New objects between two collections. A run makes many objects and hardly any cycles: with Python's default of 700 a
fifth of its time goes into looking for them."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collects seldom, and what exists already not at all; afterwards as before.

    What earlier runs in this process left is collected first: a run's few objects hold a gigabyte of native keys, which
    the collector cannot see.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
