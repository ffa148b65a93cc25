"""The consensus load's summary and CSV (specification of the scenario files, sections 4.3 and 4.4).

Its times are real wall times: the load is a load test. `proof_bytes` counts the proof envelope's bytes. `security_bits` and
`use_gpu` say what happened (the backend's conjectured bits, and that the CPU proved); what was asked for is beside them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simnet.base.version import VERSION
from simnet.record.csv import csv_text
from simnet.record.stats import QUANTILES, percentile, rounded
from simnet.scenario.wrapper import DEFAULT_CONSENSUS_SEED, ConsensusLoad

if TYPE_CHECKING:
    from simnet.jobs.consensus_load import Attack, LoadResult

KIND = "consensus-load"


@dataclass(frozen=True)
class LoadLabels:
    """What the summary says beside the figures."""

    backend: str
    security_bits: tuple[float, float]
    """(conjectured, proven) of the backend's pinned configuration."""
    summary_path: str
    csv_path: str | None
    complete: bool


def load_summary(load: ConsensusLoad, result: "LoadResult", labels: LoadLabels) -> dict[str, object]:
    """All of upstream's keys, then ours below `simnet`."""
    verified = [row.verify_ms for row in result.rows if row.verify_ms is not None]
    return {
        "kind": KIND,
        "runs": load.runs,
        "validators": load.validators,
        "witness_commitments": load.witness_commitments,
        "security_bits": math.floor(labels.security_bits[0]),
        "use_gpu": False,
        "seed": DEFAULT_CONSENSUS_SEED if load.seed is None else load.seed,
        "summary_path": labels.summary_path,
        "csv_path": labels.csv_path,
        "prove_ms": _quantiles([row.prove_ms for row in result.rows]),
        "verify_ms": _quantiles(verified),
        "proof_bytes": _quantiles([row.proof_bytes for row in result.rows]),
        "failures": list(result.failures),
        "tamper_vrf": _tamper(result.attacks.get("vrf")),
        "tamper_quorum": _tamper(result.attacks.get("quorum_roots")),
        "simnet": _ours(load, result, labels, len(verified)),
    }


def _ours(load: ConsensusLoad, result: "LoadResult", labels: LoadLabels, verified: int) -> dict[str, object]:
    conjectured, proven = labels.security_bits
    return {
        "version": VERSION,
        "complete": labels.complete,
        "backend": labels.backend,
        "times": "wall",
        "circuit": result.circuit.size,
        "requested": {"security_bits": load.security_bits, "use_gpu": bool(load.use_gpu)},
        "security_bits_conjectured": rounded(conjectured),
        "security_bits_proven": rounded(proven),
        "runs_done": result.done,
        "proved": len(result.rows),
        "verified": verified,
        "failures": len(result.failures),
        "key_load_ms": rounded(result.load_ms),
        "tamper_reasons": {kind: dict(sorted(attack.reasons.items())) for kind, attack in sorted(result.attacks.items())},
        "proofs_sha256": result.proofs.hexdigest(),
    }


def load_csv(result: "LoadResult") -> str:
    """One row for each proved run; `verify_ms` is empty where verification failed."""
    rows = ((row.run, f"{row.prove_ms:.6f}", row.verify_ms, row.proof_bytes) for row in result.rows)
    return csv_text(("run", "prove_ms", "verify_ms", "proof_bytes"), rows)


def _quantiles(samples: Sequence[float]) -> dict[str, float]:
    """Upstream's block: all zero without samples."""
    ordered = sorted(map(float, samples))
    if not ordered:
        return dict.fromkeys(("min", *(name for name, _ in QUANTILES), "max", "mean"), 0.0)
    middle = {name: rounded(percentile(ordered, q)) for name, q in QUANTILES}
    return {"min": rounded(ordered[0]), **middle, "max": rounded(ordered[-1]), "mean": rounded(sum(ordered) / len(ordered))}


def _tamper(attack: "Attack | None") -> dict[str, int] | None:
    if attack is None or not attack.attempts:
        return None
    return {"attempts": attack.attempts, "rejected": attack.rejected, "unexpected_accepts": attack.unexpected_accepts}
