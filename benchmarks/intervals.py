"""How often intervals of a difference of means hold the true one, over few runs: Welch's against the bootstrap's (docs/adr/0016).

python benchmarks/intervals.py
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import typer
from scipy import stats

from simnet.analyze.compare import Change, interval

TRIALS, RESAMPLES, ALPHA = 600, 1999, 0.05


def bootstrapped(one: Any, other: Any, method: str, rng: np.random.Generator) -> tuple[float, float]:
    def moved(a: Any, b: Any, axis: int) -> Any:
        return np.mean(b, axis=axis) - np.mean(a, axis=axis)

    found = stats.bootstrap((one, other), moved, n_resamples=RESAMPLES, method=method, vectorized=True, random_state=rng)
    return found.confidence_interval.low, found.confidence_interval.high


def coverage(draw: Callable[[int], Any], runs: int, rng: np.random.Generator) -> dict[str, float]:
    """Share of the intervals that hold zero, both sides being drawn alike."""
    held = dict.fromkeys(("welch", "BCa", "percentile"), 0)
    for _ in range(TRIALS):
        one, other = draw(runs), draw(runs)
        intervals = {"welch": interval(Change("x", "lower", tuple(one), tuple(other)), paired=False, alpha=ALPHA)}
        intervals |= {method: bootstrapped(one, other, method, rng) for method in ("BCa", "percentile")}
        for name, found in intervals.items():
            held[name] += found is not None and found[0] <= 0 <= found[1]
    return {name: count / TRIALS for name, count in held.items()}


def main() -> None:
    warnings.simplefilter("ignore")  # BCa says so where all values of a side agree
    rng = np.random.default_rng(1)
    kinds: dict[str, Callable[[int], Any]] = {
        "normal": lambda runs: rng.normal(100, 10, runs),
        "lognormal": lambda runs: rng.lognormal(0, 0.7, runs),
        "exponential": lambda runs: rng.exponential(1, runs),
    }
    for name, draw in kinds.items():
        for runs in (3, 6, 20):
            typer.echo(f"{name} {runs} {coverage(draw, runs, rng)}")


if __name__ == "__main__":
    main()
