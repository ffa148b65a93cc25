"""What simnet accepts although upstream refuses or silently ignores it (specification, section 9).

Each tolerance is a warning; strict loading turns it into an error.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simnet.scenario.idle import IDLE
from simnet.scenario.tables import Conflict, at, whole
from simnet.scenario.upstream import KNOWN_MODES

DEFAULT_SEED = 0x53494D4E4554
"""ASCII "SIMNET": upstream's seed for runs without one."""


def supply_sim(data: dict[str, Any], seed: int | None) -> Iterator[Conflict]:
    """Builds a missing `[sim]` from a top-level `duration_ms` and the given or default seed, in place."""
    if "sim" in data or "duration_ms" not in data:
        return
    chosen = DEFAULT_SEED if seed is None else seed
    data["sim"] = {"duration_ms": data.pop("duration_ms"), "seed": chosen}
    yield Conflict(("duration_ms",), None, f"no [sim] section: top-level duration_ms and seed {chosen} are used")


def unknown_mode(data: Mapping[str, Any]) -> Iterator[Conflict]:
    mode = at(data, "sim", "mode")
    if isinstance(mode, str) and mode.lower() not in KNOWN_MODES:
        yield Conflict(("sim", "mode"), mode, f"unknown, run in process; known: {', '.join(sorted(KNOWN_MODES))}")


def odd_degree(data: Mapping[str, Any]) -> Iterator[Conflict]:
    kind, k = at(data, "topology", "type"), whole(data, "topology", "k")
    if kind in ("ring", "small_world") and k is not None and k > 0 and k % 2:
        why = f"odd for {kind}: {k // 2} neighbours on each side are used"
        yield Conflict(("topology", "k"), k, why)


TOLERANCES: tuple[Callable[[Mapping[str, Any]], Iterator[Conflict]], ...] = (unknown_mode, odd_degree, *IDLE)
