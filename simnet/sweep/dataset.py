"""A sweep's result as one Parquet file: a row for each run, its parameters, its seed and every figure of its summary as columns."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simnet.base.tomltext import tables
from simnet.record.atomic import write_atomic
from simnet.sweep.ledger import Row
from simnet.sweep.plan import Plan

DATA = "runs.parquet"
ENDS = ("exit_code", "complete", "error", "trace_sha256", "summary_sha256", "proofs_sha256")


def write_dataset(plan: Plan, rows: Mapping[str, Row], folder: Path) -> Path:
    """The runs in the order of the plan; those that have no row are left out. The same plan and rows give the same bytes."""
    jobs = [(job, rows[job.key]) for job in plan.jobs if job.key in rows]
    columns: dict[str, list[Any]] = {f"param.{key}": [_plain(job.point[key]) for job, _ in jobs] for key in plan.keys}
    columns["seed"] = [job.seed for job, _ in jobs]
    columns |= {name: [row.get(name) for _, row in jobs] for name in ENDS}
    names = sorted({name for _, row in jobs for name in row["figures"]})
    columns |= {name: [row["figures"].get(name) for _, row in jobs] for name in names}
    arrays = {name: _array(values) for name, values in columns.items()}
    content = io.BytesIO()
    pq.write_table(pa.table(arrays), content, compression="zstd")
    write_atomic(folder / DATA, content.getvalue())
    return folder / DATA


def _plain(value: str) -> Any:
    """A parameter's value: numbers and texts as they are, the rest as TOML."""
    found = tables(f"value = {value}")["value"]
    return found if isinstance(found, int | float | str) else value


def _array(values: list[Any]) -> pa.Array:
    """Of one type: integers among floats become floats, and anything among texts becomes text."""
    there = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in there):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    if all(isinstance(value, bool) for value in there):
        return pa.array(values, pa.bool_())
    if all(isinstance(value, int) and abs(value) < 1 << 63 for value in there):
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    return pa.array([None if value is None else float(value) for value in values], pa.float64())
