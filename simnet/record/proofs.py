"""Proof figures per backend and circuit, in virtual time."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simnet.base.catalogue import BACKENDS
from simnet.base.errors import Problem, ScenarioError
from simnet.events import Handlers, ProofMade, ProofVerified
from simnet.events.run_info import RunInfo
from simnet.record.stats import quantiles, quantiles_ms

LABELS = (*BACKENDS, "rpp-stark")
"""Attributions that others name."""
ALIASES = {"stark": "stwo"}
ATTRIBUTION = "SIMNET_BACKEND_ATTRIBUTION"


@dataclass(slots=True)
class Circuit:
    """Samples of one circuit in one backend."""

    made: int = 0
    made_again: int = 0
    verified: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    prove: list[int] = field(default_factory=list)
    prove_queue: list[int] = field(default_factory=list)
    verify: list[int] = field(default_factory=list)
    verify_queue: list[int] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)


class ProofsCollector:
    """How many proofs were made, checked and refused, how long each took and how big they were."""

    def __init__(self) -> None:
        self._circuits: dict[tuple[str, str], Circuit] = defaultdict(Circuit)

    @property
    def handlers(self) -> Handlers:
        return {ProofMade: self._made, ProofVerified: self._verified}

    def _made(self, event: ProofMade) -> None:
        figures = self._circuits[event.backend, event.circuit]
        figures.made += 1
        figures.made_again += event.again
        figures.prove.append(event.finished_at - event.started_at)
        figures.prove_queue.append(event.started_at - event.queued_at)
        figures.bytes.append(event.bytes)

    def _verified(self, event: ProofVerified) -> None:
        figures = self._circuits[event.backend, event.circuit]
        if event.accepted:
            figures.verified += 1
        else:
            figures.rejected[event.reason] += 1
        figures.verify.append(event.cost)
        figures.verify_queue.append(max(event.at - event.queued_at - event.cost, 0))

    def block(self, backends: tuple[str, ...]) -> dict[str, object]:
        """The summary's `proofs`: every circuit of the run for each of `backends`, made or not."""
        circuits = sorted({circuit for _, circuit in self._circuits})
        return {name: {c: _figures(self._circuits.get((name, c), Circuit())) for c in circuits} for name in backends}


def _figures(figures: Circuit) -> dict[str, object]:
    return {
        "made": figures.made,
        "made_again": figures.made_again,
        "verified": figures.verified,
        "rejected": dict(sorted(figures.rejected.items())),
        "rejected_total": figures.rejected.total(),
        "prove_ms": quantiles_ms(figures.prove),
        "queue_ms": quantiles_ms(figures.prove_queue),
        "verify_ms": quantiles_ms(figures.verify),
        "verify_queue_ms": quantiles_ms(figures.verify_queue),
        "bytes": quantiles(figures.bytes),
    }


def reported_backends(info: RunInfo, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The backends to report: those of `SIMNET_BACKEND_ATTRIBUTION`, else those of the run, in a fixed order.

    Raises `ScenarioError` for a name that is no backend: a misspelt one would silently report nothing.
    """
    asked = attributed(environ)
    return _ordered(asked or (name for names in info.backends for name in names))


def attributed(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The backends that `SIMNET_BACKEND_ATTRIBUTION` names; empty where it is not set. Raises `ScenarioError`."""
    return attribution(environ.get(ATTRIBUTION, ""))


def attribution(text: str) -> list[str]:
    """The backends named in a comma list; `stark` means stwo. Raises `ScenarioError` on another name."""
    names = [part.strip().lower() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if ALIASES.get(name, name) not in LABELS]
    if unknown:
        why = f"no such backend; allowed: {', '.join((*LABELS, *ALIASES))}"
        raise ScenarioError([Problem(Path("environment"), None, ATTRIBUTION, unknown[0], why)])
    return [ALIASES.get(name, name) for name in names]


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    found = set(names)
    return (*(name for name in LABELS if name in found), *sorted(found.difference(LABELS)))
