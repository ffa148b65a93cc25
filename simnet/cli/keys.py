"""`simnet keys`: the cached keys and the committed checksums of what proofs rest on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simnet.cli.exits import FAILED, HELD, exits
from simnet.errors import KeyCacheError
from simnet.proofs import keys
from simnet.record.atomic import write_atomic

if TYPE_CHECKING:
    from simnet.proofs.pins import Pin

app = typer.Typer(name="keys", help="Check the key cache and the committed checksums.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was checked."""

    what: str
    ok: bool
    detail: str


@app.command()
@exits
def verify(
    everything: Annotated[bool, typer.Option("--all", help="Also make the keys that take many seconds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> int:
    """Recompute hash constants, parameters and keys and compare them with the committed checksums, then check every
    cached key against the cache's manifest. Exit code 1 when something differs.
    """
    lines = pinned_lines(everything=everything) + cache_lines(keys.default_folder())
    ok = all(line.ok for line in lines)
    if as_json:
        typer.echo(json.dumps({"ok": ok, "checks": [{"what": x.what, "ok": x.ok, "detail": x.detail} for x in lines]}, indent=2))
    else:
        for line in lines:
            typer.echo(f"{'ok  ' if line.ok else 'FAIL'} {line.what}: {line.detail}")
    return HELD if ok else FAILED


@app.command()
@exits
def pin(
    out: Annotated[Path, typer.Option(help="Where to write them.")] = Path("simnet/proofs/pinned.toml"),
) -> int:
    """Write the checksums of this build. For a change of a circuit or its parameters that is meant."""
    from simnet.proofs import pins
    from simnet.proofs.backend import Circuit
    from simnet.proofs.witness import FORMATS

    found = list(pins.compute_all([Circuit(which, form.default) for which, form in FORMATS.items()]))
    write_atomic(out, pins.to_toml(found))
    typer.echo(f"{len(found)} checksums written to {out}")
    return HELD


def pinned_lines(*, everything: bool) -> list[Line]:
    """This build against the committed checksums."""
    from simnet.proofs import pins

    lines = []
    for known in pins.committed():
        if isinstance(known, pins.KeyPin) and known.slow and not everything:
            lines.append(Line(known.name, True, "not recomputed without --all"))
        else:
            lines.append(_compare(known))
    return lines


def _compare(known: "Pin") -> Line:
    from simnet.proofs import pins

    wrong = pins.differences(known, pins.recompute(known))
    return Line(known.name, not wrong, "; ".join(wrong) or "as committed")


def cache_lines(folder: Path) -> list[Line]:
    """The cached keys against the cache's manifest, and their ids against the committed ones."""
    from simnet.proofs import pins

    try:
        findings, known = keys.audit(folder), keys.manifest(folder)
    except (ValueError, KeyCacheError) as error:
        return [Line(str(folder), False, str(error))]
    committed = {p.params_hash: p.vk_id for p in pins.committed() if isinstance(p, pins.KeyPin)}
    lines = []
    for finding in findings:
        entry = known.get(finding.file)
        foreign = entry is not None and committed.get(entry.params_hash, entry.vk_id) != entry.vk_id
        detail = f"{finding.state}, but not the key that is committed" if foreign else finding.state
        lines.append(Line(str(folder / finding.file), not finding.harm and not foreign, detail))
    return lines
