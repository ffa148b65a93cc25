"""A wrapper: what runs around a traffic profile (specification of the scenario files, section 2)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from simnet.base.catalogue import BackendName
from simnet.scenario.base import U64_MAX, FileName, FolderName, Upstream
from simnet.scenario.ours import VALIDATOR_CAPACITIES

DEFAULT_CONSENSUS_SEED = 0x706C6F6E6B333032
"""ASCII "plonk302"."""
PROCESSES_MAX = 256
WITNESSES_MAX = 1024
"""The largest list of the consensus circuit."""
RUNS_MAX = 1_000_000
TIMEOUT_MS_MAX = 24 * 3600 * 1000

TimeoutMs = Annotated[int, Field(ge=1, le=TIMEOUT_MS_MAX)]


class Process(Upstream):
    """A program that runs beside the work, in its own process group."""

    label: str = Field(min_length=1, max_length=200, pattern=r"\S", description="Names the log file; not blank.")
    program: str = Field(min_length=1, description="`simnet` is this installation's own command.")
    args: tuple[str, ...] = Field(default=(), strict=False)
    env: dict[str, str] = Field(default={}, description="Wins over the wrapper's own `env`.")
    startup_timeout_ms: TimeoutMs = Field(default=30_000, description="How long `ready_log` may take to appear.")
    ready_log: str | None = Field(default=None, description="Ready when a line of output has this text; absent: ready at once.")
    working_dir: FolderName | None = Field(default=None, description="From the wrapper's folder.")
    run_timeout_ms: TimeoutMs = Field(
        default=3_600_000, description="Ours: how long a process without `ready_log` may take to end by itself."
    )

    @property
    def is_service(self) -> bool:
        """A process that announces itself is stopped when the work is done; any other ends by itself."""
        return self.ready_log is not None


class P2p(Upstream):
    """The network run."""

    scenario_path: Path = Field(strict=False, description="The traffic profile, from the wrapper's folder.")
    mode: str | None = Field(default=None, description="Replaces the profile's `sim.mode`.")
    summary_path: FileName | None = Field(default=None, description="From the artifacts folder; absent: `summaries/<slug>.json`.")


class Tamper(Upstream):
    """Which altered statements the verifier must refuse."""

    vrf: bool = Field(default=False, description="VRF entries rotated by one validator.")
    quorum_roots: bool = Field(default=False, description="Quorum bitmap root replaced.")
    every_n: int = Field(default=8, ge=1, le=RUNS_MAX, description="In every n-th run, the first included.")


class ConsensusLoad(Upstream):
    """A serial loop that proves, verifies and attacks consensus statements."""

    runs: int = Field(default=64, ge=1, le=RUNS_MAX)
    validators: int = Field(default=64, ge=1, le=VALIDATOR_CAPACITIES[-1], description="The largest consensus circuit holds 128.")
    witness_commitments: int = Field(default=192, ge=1, le=WITNESSES_MAX)
    security_bits: int | None = Field(
        default=128, ge=1, le=256, description="Asked for; the backends' security is fixed, and the summary states theirs."
    )
    use_gpu: bool | None = Field(default=False, description="Asked for; the provers run on the CPU, and the summary says so.")
    seed: int | None = Field(default=DEFAULT_CONSENSUS_SEED, ge=0, le=U64_MAX)
    tamper: Tamper = Field(
        default=Tamper(vrf=True, quorum_roots=True, every_n=16),
        description="Absent: both kinds, every 16th run. Present: each kind is off and every_n 8 unless given.",
    )
    summary_path: FileName | None = Field(default=None, description="From the artifacts folder; absent: `summaries/<slug>_consensus.json`.")
    csv_path: FileName | None = Field(default=None, description="From the artifacts folder; absent: no CSV.")
    backend: BackendName = Field(default="plonky3", description="Ours: the proof system.")


class Resources(Upstream):
    """What the host should have."""

    cpus: int = Field(ge=1, le=65_536, description="Logical CPUs.")
    memory_gb: int = Field(ge=1, le=1_048_576, description="Total memory, in units of 2^30 bytes.")


class Wrapper(Upstream):
    """One whole job. Build it with `simnet.scenario.wrapper_load.load_wrapper`."""

    name: str = Field(min_length=1, max_length=200)
    description: str | None = None
    duration_secs: int = Field(default=0, ge=0, le=30 * 24 * 3600, description="Real seconds to wait after all work.")
    artifacts_dir: FolderName | None = Field(default=None, description="From the wrapper's folder; absent: `target/simnet/<slug>`.")
    env: dict[str, str] = Field(default={}, description="For spawned processes only.")
    nodes: tuple[Process, ...] = Field(default=(), strict=False, max_length=PROCESSES_MAX, description="Started in order.")
    wallets: tuple[Process, ...] = Field(default=(), strict=False, max_length=PROCESSES_MAX, description="Started after the nodes.")
    p2p: P2p | None = None
    consensus: ConsensusLoad | None = None
    resources: Resources | None = None

    @property
    def processes(self) -> tuple[Process, ...]:
        """In the order of their start."""
        return self.nodes + self.wallets
