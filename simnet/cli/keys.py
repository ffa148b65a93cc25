"""`simnet keys`: the cached keys and the committed checksums of what proofs rest on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simnet.base.codes import FAILED, HELD
from simnet.base.errors import KeyCacheError
from simnet.base.jsontext import json_text
from simnet.cli import paths
from simnet.cli.exits import exits
from simnet.proofs import keys
from simnet.record.atomic import write_atomic

if TYPE_CHECKING:
    from simnet.proofs.pinned import Pin

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
    """Recompute hash constants, parameters and keys and compare them with the committed checksums, then load every
    cached key: intact by the cache's manifest, and the committed one or one that follows from its circuit. Exit code 1 when not.
    """
    lines = pinned_lines(everything=everything) + cache_lines(keys.default_folder())
    ok = all(line.ok for line in lines)
    if as_json:
        typer.echo(json_text({"ok": ok, "checks": [{"what": x.what, "ok": x.ok, "detail": x.detail} for x in lines]}))
    else:
        for line in lines:
            typer.echo(f"{'ok  ' if line.ok else 'FAIL'} {line.what}: {line.detail}")
    return HELD if ok else FAILED


@app.command()
@exits
def pin(
    out: Annotated[Path, typer.Option(help="Where to write them.", parser=paths.new_file)] = Path("simnet/proofs/pinned.toml"),
) -> int:
    """Write the checksums of this build. For a change of a circuit or its parameters that is meant."""
    from simnet.proofs import pinned, pins
    from simnet.proofs.backend import Circuit
    from simnet.proofs.witness import FORMATS

    found = list(pins.compute_all([Circuit(which, form.default) for which, form in FORMATS.items()]))
    write_atomic(out, pinned.to_toml(found))
    typer.echo(f"{len(found)} checksums written to {out}")
    return HELD


def pinned_lines(*, everything: bool) -> list[Line]:
    """This build against the committed checksums."""
    from simnet.proofs import pinned

    lines = []
    for known in pinned.committed():
        if isinstance(known, pinned.KeyPin) and known.slow and not everything:
            lines.append(Line(known.name, True, "not recomputed without --all"))
        else:
            lines.append(_compare(known))
    return lines


def _compare(known: "Pin") -> Line:
    from simnet.proofs import pins

    wrong = pins.differences(known, pins.recompute(known))
    return Line(known.name, not wrong, "; ".join(wrong) or "as committed")


def cache_lines(folder: Path, *, loaded: bool = True) -> list[Line]:
    """Every cached key: intact by the cache's manifest and, `loaded`, one that a verifier may use (seconds for the largest)."""
    try:
        findings = keys.audit(folder)
    except (ValueError, KeyCacheError) as error:
        return [Line(str(folder), False, str(error))]
    return [_cached(folder / f.file, f) if loaded and not f.harm else Line(str(folder / f.file), not f.harm, f.state) for f in findings]


def _cached(path: Path, finding: keys.Finding) -> Line:
    """Whether the key in a file that is no damaged one may be used."""
    from simnet.proofs import native, pinned

    what = native.of_key_file(path.name)
    if path.suffix != ".key":
        return Line(str(path), True, finding.state)
    if what is None:
        return Line(str(path), True, f"{finding.state}; not a key of this version, never loaded")
    backend, circuit, security = what
    try:
        key = native.load_key(backend, circuit, keys.read_key(path), security)
    except (ValueError, FileNotFoundError) as error:
        return Line(str(path), False, f"{finding.state}, but {error}")
    pin = pinned.key_pin(backend, circuit, key.params_hash)
    if pin is None:
        return Line(str(path), True, f"{finding.state}; unpinned, follows from the circuit and the setup seed")
    same = pin.vk_id == key.vk_id.hex()
    return Line(str(path), same, f"{finding.state}, as committed" if same else f"{finding.state}, but not the key that is committed")
