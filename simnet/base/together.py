"""Calls side by side."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def together(calls: Iterable[Callable[[], T]]) -> list[T]:
    """The results in the order of the calls, which let go of the interpreter while they work.

    After an error or an interrupt those that have not begun are dropped, and those that have are waited for.
    """
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        return [future.result() for future in [pool.submit(call) for call in calls]]
    finally:
        pool.shutdown(cancel_futures=True)
