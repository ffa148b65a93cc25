"""A run's trace as pandas frames: nodes, links, and a row for each event, proof, verification, message and block.

Times in derived frames are virtual milliseconds since the start of the simulation (`…_ms`), those of `events` virtual nanoseconds
(`…_ns`); sizes are bytes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import RootModel

from simnet.base.errors import OutputError, reason
from simnet.base.jsontext import json_text
from simnet.base.reading import Read, checked, parsed_json
from simnet.base.regular import open_regular
from simnet.base.units import NS_PER_MS, SimTime
from simnet.events import (
    BlockAggregated,
    BlockCommitted,
    BlockProven,
    Event,
    MessageArrived,
    MessageDelivered,
    MessageLost,
    MessagePublished,
    MessageValidated,
    PeerDisconnected,
    ProofMade,
    ProofVerified,
)
from simnet.events.run_info import RunInfo
from simnet.record.trace import event_classes

if TYPE_CHECKING:
    import pandas as pd

NODES, EDGES = "nodes", "edges"
"""Keys of a trace's metadata."""
VERDICTS = ("accept", "ignore", "reject", "drop")


class _Node(Read):
    region: str
    backends: list[str]
    peer_class: str
    stake: int
    peer_id: str


class _Nodes(RootModel[list[_Node]]):
    """The metadata's list."""


class _Edges(RootModel[list[tuple[int, int]]]):
    """The metadata's list."""


def network(info: RunInfo) -> dict[str, str]:
    """What a trace's metadata says of the network that it was seen in."""
    columns = (info.regions, info.backends, info.classes, info.stakes, info.peer_ids)
    nodes = [dict(zip(_Node.model_fields, row, strict=True)) for row in zip(*columns, strict=True)]
    return {NODES: json_text(nodes), EDGES: json_text(info.edges)}


@cache
def times() -> frozenset[str]:
    """Columns of a trace that are points or spans of virtual time."""
    return frozenset(
        field.name for kind in event_classes() for field in fields(kind) if get_type_hints(kind)[field.name] in (SimTime, SimTime | None)
    )


class Frames:
    """The frames of one trace; each is read when it is first asked for. Raises OutputError where the file is not a whole trace."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    # --- the network -------------------------------------------------------------------------------

    @cached_property
    def nodes(self) -> "pd.DataFrame":
        """Index `node`; `region`, `backends` (a tuple, in turn order), `peer_class`, `stake`, `peer_id`."""
        import pandas as pd

        rows = [node.model_dump() for node in checked(self._trace, self._told(NODES), _Nodes, "a trace of this version").root]
        frame = pd.DataFrame(rows, columns=list(_Node.model_fields))
        frame["backends"] = [tuple(names) for names in frame["backends"]]
        return frame.rename_axis("node")

    @cached_property
    def edges(self) -> "pd.DataFrame":
        """The links at the start: `node`, `peer`, the lower number first."""
        import pandas as pd

        return pd.DataFrame(checked(self._trace, self._told(EDGES), _Edges, "a trace of this version").root, columns=["node", "peer"])

    # --- what happened -----------------------------------------------------------------------------

    @cached_property
    def events(self) -> "pd.DataFrame":
        """Every event in order: `event` (its class), `at_ns`, and the fields of all classes, null where a class has none."""
        named = times()
        with self._opened() as file:
            whole = pq.read_table(file)
        return whole.to_pandas().rename(columns=lambda name: f"{name}_ns" if name in named else name)

    @cached_property
    def proofs(self) -> "pd.DataFrame":
        """A row for each proof that a node made: `node`, `region`, `backend`, `circuit`, `proof`, `bytes`, `again` (instead of a stale
        one), `queued_ms`, `started_ms`, `finished_ms`, `waited_ms`, `prove_ms`."""
        columns = ("node", "backend", "circuit", "proof", "bytes", "again", "queued_at", "started_at", "finished_at")
        frame = self.of(ProofMade, columns)
        return (
            self._placed(frame)
            .drop(columns="at_ms")
            .assign(waited_ms=frame.started_ms - frame.queued_ms, prove_ms=frame.finished_ms - frame.started_ms)
        )

    @cached_property
    def verifications(self) -> "pd.DataFrame":
        """A row for each answer of a node's verifier: `at_ms`, `node`, `peer`, `region`, `backend`, `circuit`, `proof`, `accepted`,
        `reason`, `spam` (what it really was, where it was no honest proof), `bytes`, `waited_ms`, `verify_ms`."""
        columns = ("node", "peer", "backend", "circuit", "proof", "accepted", "reason", "spam", "bytes", "queued_at", "cost")
        frame = self.of(ProofVerified, columns).rename(columns={"cost_ms": "verify_ms"})
        frame.insert(len(frame.columns) - 1, "waited_ms", (frame.at_ms - frame.queued_ms - frame.verify_ms).clip(lower=0))
        return self._placed(frame).drop(columns="queued_ms")

    @cached_property
    def deliveries(self) -> "pd.DataFrame":
        """A row for each first reception: `at_ms`, `node`, `region`, `peer`, `message`, `kind`, `delay_ms` since the publication,
        `repaired`."""
        frame = self.of(MessageDelivered, ("node", "peer", "message", "kind", "published_at", "repaired"))
        frame = self._placed(frame).assign(delay_ms=frame.at_ms - frame.published_ms).drop(columns="published_ms")
        return frame.drop_duplicates(["node", "message"], ignore_index=True)

    @cached_property
    def messages(self) -> "pd.DataFrame":
        """Index `message`, a row for each publication: `at_ms`, `node`, `region`, `kind`, `bytes`, `spam`; `receivers`, delays of first
        receptions `first_ms`, `p50_ms`, `p95_ms`, `last_ms`; copies that `arrived`, that were `duplicates`, `lost`; receivers' verdicts
        `accept`, `ignore`, `reject`, `drop`."""
        published = self._placed(self.of(MessagePublished, ("node", "message", "kind", "bytes", "spam")).set_index("message"))
        delays = self.deliveries.groupby("message")["delay_ms"]
        arrived = self.of(MessageArrived, ("message", "duplicate")).groupby("message")["duplicate"]
        verdicts = self.of(MessageValidated, ("message", "verdict")).groupby(["message", "verdict"]).size().unstack(fill_value=0)
        counts = {
            "receivers": delays.size(),
            "arrived": arrived.size(),
            "duplicates": arrived.sum(),
            "lost": self.losses.groupby("message").size(),
            **{name: verdicts[name] for name in VERDICTS if name in verdicts},
        }
        whole = {name: found.reindex(published.index, fill_value=0).astype("int64") for name, found in counts.items()}
        whole |= {name: 0 for name in VERDICTS if name not in whole}
        quantiles = {"first_ms": delays.min(), "p50_ms": delays.quantile(0.5), "p95_ms": delays.quantile(0.95), "last_ms": delays.max()}
        return published.assign(receivers=whole.pop("receivers"), **quantiles, **whole)

    @cached_property
    def blocks(self) -> "pd.DataFrame":
        """Index `block`, a row for each block that some node committed, by height: `height`, `slot`, `proposer`, `backend`, `tx_count`,
        `proposed_ms`, `committed_ms` (first node), `committed_last_ms`, `nodes`; `proven_ms` and `aggregated_ms`, when nodes with more
        than two thirds of the stake held its proof and all its proofs; null where they never did."""
        columns = ("node", "height", "slot", "block", "backend", "proposer", "tx_count", "proposed_at")
        commits = self.of(BlockCommitted, columns)
        by_block = commits.groupby("block", sort=False)
        frame = by_block[["height", "slot", "proposer", "backend", "tx_count", "proposed_ms"]].first()
        frame = frame.assign(
            committed_ms=by_block["at_ms"].min(),
            committed_last_ms=by_block["at_ms"].max(),
            nodes=by_block["node"].nunique(),
            proven_ms=self._quorum(BlockProven),
            aggregated_ms=self._quorum(BlockAggregated),
        )
        return frame.sort_values(["height", "committed_ms"])

    @cached_property
    def heights(self) -> "pd.DataFrame":
        """A row for each commit of a node: `at_ms`, `node`, `region`, `height`, `block`, `caught_up`."""
        return self._placed(self.of(BlockCommitted, ("node", "height", "block", "caught_up")))

    @cached_property
    def losses(self) -> "pd.DataFrame":
        """A row for each copy that a link did not deliver: `at_ms`, `node`, `region`, `peer` (where it was going), `message`, `reason`."""
        return self._placed(self.of(MessageLost, ("node", "peer", "message", "reason")))

    @cached_property
    def cut(self) -> frozenset[tuple[int, int]]:
        """Links that a partition cut at some time, the lower number first."""
        apart = self.of(PeerDisconnected, ("node", "peer", "why"))
        apart = apart[apart["why"] == "partition"]
        return frozenset((min(a, b), max(a, b)) for a, b in zip(apart["node"].tolist(), apart["peer"].tolist(), strict=True))

    @cached_property
    def links(self) -> "pd.DataFrame":
        """A row for each direction of a link that gossip used: `node`, `peer` (to which it went), `region`, `peer_region`, `copies`
        that arrived, `bytes`, `duplicates`, `lost`."""
        import pandas as pd

        # An arrival is told by its receiver, a loss by its sender.
        arrived = self.of(MessageArrived, ("node", "peer", "bytes", "duplicate")).rename(columns={"node": "peer", "peer": "node"})
        taken = arrived.groupby(["node", "peer"]).agg(copies=("bytes", "size"), bytes=("bytes", "sum"), duplicates=("duplicate", "sum"))
        lost = self.losses.groupby(["node", "peer"]).size().rename("lost")
        frame = pd.concat([taken, lost], axis=1).fillna(0).astype("int64").sort_index().reset_index()
        return self._placed(self._placed(frame, "peer", "peer_region"))

    # --- how they are made -------------------------------------------------------------------------

    def _quorum(self, kind: type[Event]) -> "pd.Series":
        """When nodes with more than two thirds of the stake had told this of a block."""
        told = self.of(kind, ("node", "block")).drop_duplicates(["node", "block"])
        stake = told["node"].map(self.nodes["stake"]).groupby(told["block"]).cumsum()
        return told[3 * stake > 2 * self.nodes["stake"].sum()].groupby("block")["at_ms"].first()

    def _placed(self, frame: "pd.DataFrame", node: str = "node", region: str = "region") -> "pd.DataFrame":
        """The frame with the region of a column's nodes beside it."""
        frame.insert(frame.columns.get_loc(node) + 1, region, frame[node].map(self.nodes["region"]))
        return frame

    def of(self, kind: type[Event], columns: Sequence[str]) -> "pd.DataFrame":
        """The events of one class in order: `at_ms` and these columns, times as milliseconds and named so."""
        named = times()
        frame = self._only(kind.__name__, ["at", *columns]).to_pandas()
        for name in frame.columns:
            if name in named:
                frame[name] = frame[name] / NS_PER_MS
            elif frame[name].dtype == "category":
                frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
        return frame.rename(columns={name: f"{name.removesuffix('_at')}_ms" for name in frame.columns if name in named})

    def _only(self, kind: str, columns: Sequence[str]) -> pa.Table:
        """These columns of the events of one class: of the parts of the file that have some, and filtered as soon as they are read."""
        import pyarrow.compute as pc

        groups = [number for number, kinds in enumerate(self._kinds) if kind in kinds]
        with self._opened() as file:
            table = pq.ParquetFile(file).read_row_groups(groups, ["event", *columns])
        return table.filter(pc.equal(table["event"], kind)).drop_columns("event")

    @cached_property
    def _kinds(self) -> list[frozenset[str]]:
        """Classes of the events in each part of the file."""
        import pyarrow.compute as pc

        with self._opened() as file:
            trace = pq.ParquetFile(file)
            parts = (trace.read_row_group(number, ["event"])["event"] for number in range(trace.num_row_groups))
            return [frozenset(pc.unique(part).to_pylist()) for part in parts]

    def _told(self, key: str) -> object:
        """A value of the trace's metadata."""
        with self._opened() as file:
            found = (pq.read_schema(file).metadata or {}).get(key.encode())
        if found is None:
            why = f"does not say which {key} the network had; an older simnet wrote it: `simnet rerun` makes it anew"
            raise OutputError(f"{self._trace}: {why}")
        return parsed_json(self._trace, found.decode(errors="replace"))

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Arrow itself would wait for a FIFO and cannot open a path that is no UTF-8."""
        try:
            with open_regular(self._trace) as file:
                yield file
        except (OSError, pa.ArrowException) as error:
            raise OutputError(f"cannot read {self._trace}: {reason(error)}") from error
