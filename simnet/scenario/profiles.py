"""Names for shipped scenarios: `simnet run --profile NAME`."""

from pathlib import Path

from simnet.base.errors import SimnetError
from simnet.scenario.unknown import close_match

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = Path(__file__).resolve().parents[1] / "shipped/scenarios"
FOLDERS = (Path("tools/simnet/scenarios"), Path("scenarios"), REPOSITORY / "scenarios", SHIPPED)
"""Upstream's layout and ours from the working directory, then those that ship with simnet: of the repository, of the package."""
SUFFIXES = (".ron", ".toml", ".yaml", ".yml", ".json")
"""A wrapper comes before its profile."""
ALIASES = {
    "block-pipeline": "ci_block_pipeline",
    "state-sync-guard": "ci_state_sync_guard",
    "quorum-stress": "consensus_quorum_stress",
    "partition": "snapshot_partition",
    "flood": "partitioned_flood",
    "small-world": "small_world_smoke",
    "reorg-stark": "consensus_reorg_stark",
    "reorg-rpp-stark": "consensus_reorg_rpp_stark",
    "canary-rolling": "canary_rolling_restart",
    "leader-rotation": "leader_rotation_prover_load",
    "epoch-drift": "consensus_epoch_drift",
}
"""Both of upstream's lists in one. A file's stem is a name, too; hyphen, underscore and case make no difference."""
UNSUPPORTED = {"consensus-reorg-rpp-stark": "needs the proof system rpp-stark, which this build does not have"}


def find_profile(name: str) -> Path:
    """The file that a name means. Raises SimnetError with the near or all names."""
    wanted = ALIASES.get(plain_name(name), name)
    found = available()
    if plain_name(wanted) not in found:
        if plain_name(wanted) in UNSUPPORTED:
            raise SimnetError(f"no profile {name!r}: it {UNSUPPORTED[plain_name(wanted)]}")
        hint = close_match(plain_name(name), {*found, *(alias for alias, stem in ALIASES.items() if plain_name(stem) in found)})
        raise SimnetError(f"no profile {name!r}; {hint}")
    return found[plain_name(wanted)]


def available() -> dict[str, Path]:
    """Every scenario file by its plain name; the first folder wins, and in a folder the first suffix."""
    found: dict[str, Path] = {}
    for folder in FOLDERS:
        for suffix in SUFFIXES:
            for path in sorted(folder.glob(f"*{suffix}")):
                found.setdefault(plain_name(path.stem), path)
    return found


def plain_name(name: str) -> str:
    return name.lower().replace("_", "-")
