"""What all faults of nodes have in common: a window, and whom they concern."""

from typing import Annotated

from pydantic import Field

from simnet.scenario.base import DurationMs, Ours, StartMs


class ForAWhile(Ours):
    start_ms: StartMs = Field(default=0, description="From 500 ms before traffic zero.")
    duration_ms: DurationMs


class OnNode(ForAWhile):
    node: int = Field(ge=0)


class OnNodes(ForAWhile):
    nodes: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, strict=False, description="Indices of the nodes concerned.")
