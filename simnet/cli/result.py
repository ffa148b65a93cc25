"""The result of a run as tables that are whole on a terminal of 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simnet.cli.screen import cell

Summary = Mapping[str, Any]
Cell = str | Text


def show(summary: Summary, console: Console) -> None:
    """Prints the tables that have something to say: proofs, finality and mempool, network, faults, byzantine copies, opponents, checks."""
    parts = (_network(summary), _faults(summary), _byzantine(summary), _opponents(summary))
    chain = () if summary["simnet"]["network_only"] else (_proofs(summary), _chain(summary))
    for table in (*chain, *parts, _checks(summary)):
        if table.row_count:
            console.print(table)
            console.print()


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], words: Sequence[int] = (0,)) -> Table:
    """A table whose numbers are never cut: only the columns of `words`, by position, are folded, and headings at their blanks."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for number, column in enumerate(columns):
        longest = max((len(str(row[number])) for row in rows), default=0)
        heading = max(map(len, column.split()), default=0)
        wide = None if number in words else max(longest, heading)
        table.add_column(column, justify="left" if number in words else "right", overflow="fold", min_width=wide, max_width=wide)
    for row in rows:
        table.add_row(*row)
    return table


def _number(value: object, digits: int = 1) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def _proofs(summary: Summary) -> Table:
    columns = ("backend, circuit", "made", "again", "verified", "rejected", "prove ms p50", "p95", "verify ms p50", "p95", "KiB p50")
    rows: list[tuple[Cell, ...]] = [
        (
            cell(f"{backend} {circuit}"),
            *(str(f[name]) for name in ("made", "made_again", "verified", "rejected_total")),
            *(_number(f["prove_ms"][q], 0) for q in ("p50", "p95")),
            *(_number(f["verify_ms"][q]) for q in ("p50", "p95")),
            "-" if f["bytes"]["p50"] is None else _number(f["bytes"]["p50"] / 1024),
        )
        for backend, circuits in summary["proofs"].items()
        for circuit, f in circuits.items()
    ]
    return _table("Proofs (virtual times)", columns, rows)


def _chain(summary: Summary) -> Table:
    finality, pool, proved = summary["finality"], summary["mempool"], summary["aggregation"]
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
    ]
    return _figures("Finality, block proofs, mempool, network", rows)


def _network(summary: Summary) -> Table:
    network = summary["simnet"]["network"]
    replays = network["content_replays"].values()
    judged, found = (sum(group[name] for group in replays) for name in ("judged", "replays"))
    rows: list[tuple[str, object]] = [
        ("publications / first receptions", f"{summary['total_publishes']} / {summary['total_receives']}"),
        ("propagation p50 / p95 ms", " / ".join(_number(summary["propagation"][n]) for n in ("p50_ms", "p95_ms"))),
        ("coverage, delivered of reachable", _number(network["coverage"]["ratio"], 4)),
        ("copies arrived / lost", f"{network['wire']['copies_arrived']} / {sum(network['wire']['copies_lost'].values())}"),
    ]
    if judged:
        rows.append(("transfers judged / ignored as replays", f"{judged} / {found}"))
    return _figures("Network", rows)


def _figures(title: str, rows: Sequence[tuple[str, object]]) -> Table:
    return _table(title, ("figure", "value"), [(name, _number(value)) for name, value in rows])


def _pair(block: Mapping[str, Any]) -> str:
    return f"{_number(block['p50'])} / {_number(block['p95'])}"


def _faults(summary: Summary) -> Table:
    chain = not summary["simnet"]["network_only"]
    columns = (
        "fault",
        "start s",
        "end s",
        *(("blocks inside", "gap ms") if chain else ()),
        "lost meanwhile",
        "resumed ms",
        "crossed ms",
        "did",
    )
    rows: list[tuple[Cell, ...]] = [
        (
            cell(f"{effect['kind']} {effect['detail']}"),
            *(f"{effect[name] / 1000:.2f}" for name in ("start_ms", "end_ms")),
            *((str(effect["blocks_committed"]), _number(effect["longest_finality_gap_ms"], 0)) if chain else ()),
            str(sum(effect["copies_lost"].values())),
            _number(effect["resume_latency_ms"]),
            _number(effect["first_crossing_ms"]),
            cell(", ".join(f"{name} {count}" for name, count in effect.get("did", {}).items()) or "-"),
        )
        for effect in summary["simnet"]["fault_effects"]
    ]
    return _table("Faults", columns, rows, (0, len(columns) - 1))


def _byzantine(summary: Summary) -> Table:
    columns = ("kind", "published", "delivered", "accepted", "ignored", "rejected", "by nodes", "honest verify ms")
    rows: list[tuple[Cell, ...]] = []
    for kind, f in summary["byzantine"]["by_kind"].items():
        counts = [f["published"], f["delivered"], f["accepted"], sum(f["ignored"].values()), sum(f["rejected"].values()), f["rejected_by"]]
        rows.append((cell(kind), *map(str, counts), _number(f["honest_verify_ms"])))
    return _table("Byzantine copies", columns, rows)


def _opponents(summary: Summary) -> Table:
    columns = ("kind", "nodes", "acts", "delivered", "accepted", "ignored", "rejected", "dropped", "verifiers' time")
    costs = summary["simnet"].get("peers", {}).get("verifiers", {}).get("refused", {})
    rows: list[tuple[Cell, ...]] = []
    for kind, f in summary["simnet"].get("node_faults", {}).items():
        if "acted" in f:
            counts = (len(f["nodes"]), sum(f["acted"].values()), f["delivered"])
            answers = (sum(f[answer].values()) for answer in ("accepted", "ignored", "rejected", "dropped"))
            rows.append((cell(kind), *map(str, (*counts, *answers)), f"{100 * (costs.get(kind, {}).get('load') or 0):.3f} %"))
    return _table("Opponents", columns, rows)


def _checks(summary: Summary) -> Table:
    """Broken invariants first."""
    shown = {True: cell("yes"), False: cell("NO", "bold red"), None: cell("not exercised")}
    checks = sorted(summary["checks"].items(), key=lambda item: item[1]["held"] is not False)
    rows: list[tuple[Cell, ...]] = [
        (
            cell(name),
            shown[check["held"]],
            cell(", ".join(f"{key} {value}" for key, value in check.items() if isinstance(value, int | float) and key != "held")),
        )
        for name, check in checks
    ]
    return _table("Checks", ("invariant", "held", "behind it"), rows, (0, 1, 2))
