"""Our own faults of the network: rules on links (`[[faults.links]]`)."""

from typing import Annotated, Literal

from pydantic import Field

from simnet.scenario.base import DelayMs, DurationMs, Ours, Probability, StartMs

KBPS_MAX = 1_000_000_000
Kbps = Annotated[int, Field(ge=1, le=KBPS_MAX)]
LINK_FAULTS_MAX = 256


class _OnLinks(Ours):
    start_ms: StartMs = Field(default=0, description="From 500 ms before traffic zero, as for a partition.")
    duration_ms: DurationMs
    source: str | None = Field(default=None, description="Region of the sending node; absent: any.")
    target: str | None = Field(default=None, description="Region of the receiving node; absent: any.")
    both_ways: bool = Field(default=False, description="Also from target to source.")

    @property
    def where(self) -> str:
        """The regions between which it acts, as events name them."""
        return f"{self.source or '*'}{'<->' if self.both_ways else '->'}{self.target or '*'}"


class OneWay(_OnLinks):
    """Everything that goes this way is lost, and nobody is told."""

    kind: Literal["one_way"]


class Flapping(_OnLinks):
    kind: Literal["flapping"]
    up_ms: DurationMs = Field(description="Copies pass for this long,")
    down_ms: DurationMs = Field(description="then are lost for this long, and so on.")


class Duplicate(_OnLinks):
    kind: Literal["duplicate"]
    probability: Probability = Field(description="That a copy arrives twice.")
    delay_ms: DelayMs = Field(default=0, description="The second copy comes up to this much later.")


class Reorder(_OnLinks):
    kind: Literal["reorder"]
    probability: Probability = Field(description="That a copy is delayed.")
    delay_ms: DelayMs = Field(description="By up to this much, so that later ones overtake it.")


class Corrupt(_OnLinks):
    kind: Literal["corrupt"]
    probability: Probability = Field(description="That a copy arrives with flipped bytes: its receiver drops it.")


class Throttle(_OnLinks):
    kind: Literal["bandwidth"]
    kbps: Kbps = Field(description="Each hop's bandwidth: copies leave one after another.")


LinkFault = Annotated[OneWay | Flapping | Duplicate | Reorder | Corrupt | Throttle, Field(discriminator="kind")]


LINK_FAULTS: dict[str, type[Ours]] = {
    "one_way": OneWay,
    "flapping": Flapping,
    "duplicate": Duplicate,
    "reorder": Reorder,
    "corrupt": Corrupt,
    "bandwidth": Throttle,
}
