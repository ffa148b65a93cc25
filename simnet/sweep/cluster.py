"""Jobs on dask.distributed: the cores of this machine, or a cluster that is there."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from simnet.base.errors import SimnetError, reason
from simnet.sweep.work import THREADS, bound_threads

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 2
"""Jobs for each worker that are on their way to it while it works."""
DEATHS_MAX = 3
"""Workers that may die of one job before it counts as failed."""
CONNECT_S = 20


@contextmanager
def connected(workers: int | None, scheduler: str | None) -> Iterator["Client"]:
    """A client of the cluster at `scheduler`, else of one that lives as long as this context: `workers` processes, each with its share of
    the cores for its provers' threads. Raises SimnetError."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise SimnetError("`simnet sweep` needs dask.distributed: pip install 'simnet[sweep]'") from None
    with ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": DEATHS_MAX}))
        if scheduler is not None:
            try:
                yield stack.enter_context(Client(scheduler, timeout=CONNECT_S))
            except (OSError, ValueError, TimeoutError) as error:
                raise SimnetError(f"--scheduler {scheduler}: {reason(error)}") from error
            return
        count = workers or os.cpu_count() or 1
        made = LocalCluster(
            n_workers=count, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", memory_limit=0, silence_logs=50,
            env={THREADS: str(bound_threads(count))},
        )  # fmt: skip
        yield stack.enter_context(Client(stack.enter_context(made)))


def outcomes(client: "Client", function: Callable[[T], R], jobs: Iterable[T]) -> Iterator[tuple[T, R | Exception]]:
    """Each job with its result, or with what it raised or its workers died of, in the order in which they end."""
    from distributed import as_completed

    waiting = iter(jobs)
    running: dict[Any, T] = {}

    def submit() -> Any:
        job = next(waiting, None)
        if job is None:
            return None
        # Dask would take equal calls for one: a repetition is to be run again.
        future = client.submit(function, job, pure=False)
        running[future] = job
        return future

    window = max(2, AHEAD * sum(client.nthreads().values()))
    first = [future for future in (submit() for _ in range(window)) if future is not None]
    ended = as_completed(first)
    for future in ended:
        job = running.pop(future)
        error = future.exception() if future.status == "error" else None
        yield job, future.result() if error is None else error
        following = submit()
        if following is not None:
            ended.add(following)
