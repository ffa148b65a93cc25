"""Our own faults of nodes (`[[faults.nodes]]`): what one of them does, or fails to do, for a while."""

from typing import Annotated, Literal

from pydantic import Field

from simnet.scenario.base import DELAY_MS_MAX
from simnet.scenario.onnodes import OnNode, OnNodes
from simnet.scenario.opponents import (
    OPPONENTS,
    Amnesia,
    DoubleSpend,
    FalseEvidence,
    Flood,
    ForgedProofs,
    ForgedVotes,
    InvalidBlocks,
    LyingSync,
    Opponent,
    Poison,
    Split,
)

NODE_FAULTS_MAX = 256
DRIFT_PPM_MAX = 100_000
"""A tenth: a limit of ours; quartz is off by some tens."""
Equivocated = Literal["proposals", "votes"]
Withheld = Literal["proposals", "votes", "proofs", "blocks"]
Service = Literal["prover", "verifier", "wallet"]


class Crash(OnNode):
    """Links down, gossip memory lost."""

    kind: Literal["crash"]


class Pause(OnNode):
    """Nothing is sent or received; all of it is late."""

    kind: Literal["pause"]


class Equivocation(OnNodes):
    """The validators sign two different messages where one is allowed; half of the neighbours get one, the rest the other."""

    kind: Literal["equivocation"]
    what: tuple[Equivocated, ...] = Field(
        default=("proposals", "votes"),
        min_length=1,
        strict=False,
        description="Two proposals when the node leads; two votes in each of prevote and precommit.",
    )


class Withholding(OnNodes):
    """The validators keep to themselves what others wait for, and take part otherwise."""

    kind: Literal["withholding"]
    what: tuple[Withheld, ...] = Field(
        min_length=1,
        strict=False,
        description="Proposals as leader; votes of all phases; consensus and block proofs; answers to neighbours that catch up.",
    )


class ServiceStop(OnNodes):
    """A service of the nodes stops: its jobs wait, and are worked off afterwards.

    A table `[faults.service_stop]` with `service` and `nodes` is the same; of another layout it is an unknown key.
    """

    kind: Literal["service_stop"]
    service: Service = Field(
        description="prover: proofs of all kinds. verifier: all verifications. wallet: own transfers. Jobs wait, within the usual limits."
    )


class ClockSkew(OnNodes):
    """The nodes' own clocks are wrong, and right again at the end."""

    kind: Literal["clock_skew"]
    offset_ms: int = Field(
        default=0, ge=-DELAY_MS_MAX, le=DELAY_MS_MAX, description="The clock jumps by this at the start; may be negative."
    )
    drift_ppm: int = Field(
        default=0, ge=-DRIFT_PPM_MAX, le=DRIFT_PPM_MAX, description="And gains this many microseconds each second; may be negative."
    )


Conduct = Equivocation | Withholding | ServiceStop | ClockSkew | Opponent
"""Faults of a node itself; they need a chain."""
NodeFault = Annotated[
    Crash
    | Pause
    | Equivocation
    | Withholding
    | ServiceStop
    | ClockSkew
    | ForgedVotes
    | ForgedProofs
    | InvalidBlocks
    | DoubleSpend
    | Split
    | Amnesia
    | LyingSync
    | Poison
    | FalseEvidence
    | Flood,
    Field(discriminator="kind"),
]
NODE_FAULTS = ("crash", "pause", "equivocation", "withholding", "service_stop", "clock_skew", *OPPONENTS)
CONDUCT = NODE_FAULTS[2:]
