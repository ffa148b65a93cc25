"""The result of a run as tables."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from simnet.cli.screen import cell

Summary = Mapping[str, Any]


def show(summary: Summary, console: Console) -> None:
    """Prints the tables: proofs, finality and mempool, faults, byzantine copies, opponents, checks."""
    for table in (_proofs(summary), _chain(summary), _faults(summary), _byzantine(summary), _opponents(summary), _checks(summary)):
        if table.row_count:
            console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def _number(value: object, digits: int = 1) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def _proofs(summary: Summary) -> Table:
    columns = ("made", "again", "verified", "rejected", "prove p50 ms", "p95", "verify p50 ms", "p95", "bytes p50")
    table = _table("Proofs (virtual times)", "backend, circuit", *columns)
    for backend, circuits in summary["proofs"].items():
        for circuit, f in circuits.items():
            table.add_row(
                cell(f"{backend} {circuit}"),
                *(str(f[name]) for name in ("made", "made_again", "verified", "rejected_total")),
                *(_number(f["prove_ms"][q]) for q in ("p50", "p95")),
                *(_number(f["verify_ms"][q]) for q in ("p50", "p95")),
                _number(f["bytes"]["p50"], 0),
            )
    return table


def _chain(summary: Summary) -> Table:
    finality, pool, network = summary["finality"], summary["mempool"], summary["simnet"]["network"]
    proved = summary["aggregation"]
    table = _table("Finality, block proofs, mempool, network", "figure", "value")
    rows = [
        ("height, highest and lowest node", f"{finality['height_max']} / {finality['height_min']}"),
        ("blocks committed / proven by a quorum", f"{finality['blocks']} / {finality['blocks_proven']}"),
        ("transactions committed", finality["transactions"]),
        ("proposal to commit, p50 / p95 ms", _pair(finality["committed_ms"])),
        ("proposal to proven, p50 / p95 ms", _pair(finality["proven_ms"])),
        ("blocks aggregated by a quorum / provings taken over", f"{proved['blocks_aggregated']} / {proved['taken_over']}"),
        ("commit to aggregated, p50 / p95 ms", _pair(proved["aggregated_ms"])),
        ("identities joined / uptime claims", f"{proved['joins']} / {proved['uptime_claims']}"),
        ("longest finality gap, ms", finality["longest_gap_ms"]),
        ("mempool: admitted / largest", f"{pool['admitted']} / {pool['size_max']}"),
        ("transfers stale / late", f"{pool['stale']} / {pool['late']}"),
        ("propagation p50 / p95 ms", " / ".join(_number(summary["propagation"][n]) for n in ("p50_ms", "p95_ms"))),
        ("coverage, delivered of reachable", _number(network["coverage"]["ratio"], 4)),
    ]
    for name, value in rows:
        table.add_row(name, _number(value))
    return table


def _pair(block: Mapping[str, Any]) -> str:
    return f"{_number(block['p50'])} / {_number(block['p95'])}"


def _faults(summary: Summary) -> Table:
    columns = ("start s", "end s", "blocks inside", "longest gap ms", "copies lost", "resumed after ms", "crossed after ms")
    table = _table("Faults", "fault", *columns)
    for effect in summary["simnet"]["fault_effects"]:
        table.add_row(
            cell(f"{effect['kind']} {effect['detail']}"),
            *(f"{effect[name] / 1000:.2f}" for name in ("start_ms", "end_ms")),
            str(effect["blocks_committed"]),
            _number(effect["longest_finality_gap_ms"]),
            str(sum(effect["copies_lost"].values())),
            _number(effect["resume_latency_ms"]),
            _number(effect["first_crossing_ms"]),
        )
    return table


def _byzantine(summary: Summary) -> Table:
    table = _table("Byzantine copies", "kind", "published", "delivered", "accepted", "rejected", "by nodes", "honest verify ms")
    for kind, f in summary["byzantine"]["by_kind"].items():
        counts = (f["published"], f["delivered"], f["accepted"], sum(f["rejected"].values()), f["rejected_by"])
        table.add_row(cell(kind), *map(str, counts), _number(f["honest_verify_ms"]))
    return table


def _opponents(summary: Summary) -> Table:
    table = _table("Opponents", "kind", "nodes", "acts", "delivered", "accepted", "ignored", "rejected", "dropped", "verifiers' time")
    costs = summary["simnet"].get("peers", {}).get("verifiers", {}).get("refused", {})
    for kind, f in summary["simnet"].get("node_faults", {}).items():
        if "acted" in f:
            counts = (len(f["nodes"]), sum(f["acted"].values()), f["delivered"])
            answers = (sum(f[answer].values()) for answer in ("accepted", "ignored", "rejected", "dropped"))
            table.add_row(cell(kind), *map(str, (*counts, *answers)), f"{100 * (costs.get(kind, {}).get('load') or 0):.3f} %")
    return table


def _checks(summary: Summary) -> Table:
    table = _table("Checks", "check", "held", "behind it")
    for name, check in summary["checks"].items():
        counts = ", ".join(f"{key} {value}" for key, value in check.items() if isinstance(value, int | float) and key != "held")
        held = {True: cell("yes"), False: cell("NO", "red"), None: cell("not exercised")}[check["held"]]
        table.add_row(cell(name), held, cell(counts))
    return table
