"""`simnet doctor`: whether this installation and this machine can run simnet's provers, and how well."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simnet.base.catalogue import BackendId
from simnet.base.codes import FAILED, HELD
from simnet.base.errors import reason
from simnet.base.jsontext import json_text
from simnet.base.version import VERSION
from simnet.cli import machine
from simnet.cli.exits import exits
from simnet.cli.keys import cache_lines, pinned_lines
from simnet.cli.screen import say
from simnet.proofs.keys import default_folder
from simnet.record.versions import crates, packages

IMPORT = "import json; from simnet.proofs import native; print(json.dumps(native.cpu_features()))"
SEED = bytes(32)


class Status(StrEnum):
    """How a check ended."""

    ok = "ok"
    warn = "warn"
    broken = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    detail: str


@exits
def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Do not prove anything.")] = False,
    with_keys: Annotated[bool, typer.Option("--keys", help="Recompute the committed checksums, as `simnet keys verify`.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> int:
    """Look at versions, backends, CPU features, memory, graphics cards and the key cache.

    Exit code 0 when simnet can run here, 1 when something is broken.
    """
    checks: list[Check] = []
    for check in _checks(quick=quick, with_keys=with_keys):
        checks.append(check)
        if not as_json:
            say(f"{check.status:7}{check.name:32} {check.detail}")
    ok = all(c.status is not Status.broken for c in checks)
    if as_json:
        say(json_text({"ok": ok, "simnet": VERSION, "checks": [asdict(c) for c in checks]}))
    return HELD if ok else FAILED


def _checks(*, quick: bool, with_keys: bool) -> Iterator[Check]:
    yield _versions()
    yield _crates()
    features, native = _native()
    yield native
    yield from _hardware(features)
    yield from _cache(default_folder(), usable=native.status is Status.ok)
    yield _node()
    if native.status is not Status.ok:
        return
    if not quick:
        yield from map(_backend, BackendId)
    if with_keys:
        for line in pinned_lines(everything=False):
            yield Check(line.what, Status.ok if line.ok else Status.broken, line.detail)


def _versions() -> Check:
    found = {"simnet": VERSION, "python": sys.version.split()[0], **packages()}
    return Check("versions", Status.ok, ", ".join(f"{name} {version}" for name, version in found.items()))


def _crates() -> Check:
    found = crates()
    detail = ", ".join(f"{name} {version}" for name, version in found.items())
    return Check("proof libraries", Status.ok, detail or "built without the sources at hand; see the release's Cargo.lock")


def _native() -> tuple[set[str] | None, Check]:
    """Imports the native module in a process of its own: on a CPU that lacks its features it would end this one."""
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter and text
    if done.returncode == 0:
        features = set(json.loads(done.stdout))
        return features, Check("native module", Status.ok, f"loads; compiled for {', '.join(sorted(features)) or 'the baseline CPU'}")
    if done.returncode == -signal.SIGILL:
        return None, Check("native module", Status.broken, "compiled for CPU features that this CPU lacks: build it here (`make build`)")
    reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"ended with {done.returncode}"
    return None, Check("native module", Status.broken, f"does not load: {reason}; build it with `make build`")


def _hardware(compiled: set[str] | None) -> Iterator[Check]:
    name, present = machine.processor()
    yield Check("processor", *_features(name, present, compiled))
    total, usable = machine.cores()
    yield Check("cores", Status.ok, f"{usable} usable" + (f" of {total}" if usable != total else ""))
    yield Check("memory", Status.ok, f"{machine.memory_bytes() / 2**30:.1f} GiB")
    cards = ", ".join(machine.graphics_cards()) or "none found"
    yield Check("graphics cards", Status.ok, f"{cards} (simnet's provers run on the CPU only)")


def _features(name: str, present: set[str] | None, compiled: set[str] | None) -> tuple[Status, str]:
    """What the processor has against what the module was compiled for."""
    if present is None or compiled is None:
        return Status.ok, f"{name}; its features cannot be compared here"
    lacking, unused = sorted(compiled - present), sorted(present - compiled)
    if lacking:
        return Status.broken, f"{name}; lacks {', '.join(lacking)}, which the native module was compiled for: build it here (`make build`)"
    if unused:
        return Status.warn, f"{name}; the native module does not use {', '.join(unused)}: a build on this machine is faster"
    return Status.ok, f"{name}; the native module uses {', '.join(sorted(present)) or 'no SIMD features'}"


def _cache(folder: Path, *, usable: bool) -> Iterator[Check]:
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Check("key cache", Status.broken, f"{folder}: {reason(error)}; set SIMNET_CACHE_DIR to a folder that can be written")
        return
    files = list(folder.glob("*.key")) if folder.is_dir() else []
    size = sum(f.stat().st_size for f in files)
    yield Check("key cache", Status.ok, f"{folder}: writable, {len(files)} keys, {size / 2**20:.1f} MiB")
    for line in cache_lines(folder, loaded=False) if usable else []:
        if not line.ok:
            # Harmless in itself: it is thrown away and made again when it is needed.
            yield Check("key cache", Status.warn, f"{line.what}: {line.detail}")


def _node() -> Check:
    version = machine.output_of(["node", "--version"])
    return Check("node", Status.ok, version) if version else Check("node", Status.warn, "not found: tests against snarkjs do not run")


def _backend(backend: BackendId) -> Check:
    """Makes a key, proves a transfer, verifies it, and expects another transfer to be refused."""
    from simnet.proofs import native, samples
    from simnet.proofs.calibrate import MAX_BYTES

    start = time.perf_counter()
    try:
        key, _ = native.make_key(backend, samples.TRANSACTION)
        made, other = samples.transaction(), samples.transaction(amount=26)
        envelope = key.prove(made.witness, SEED, min(2, os.cpu_count() or 1))
        codes = [key.verify(key.public_inputs(s.statement), envelope, MAX_BYTES) for s in (made, other)]
    except Exception as error:  # noqa: BLE001 - whatever a broken prover raises is the finding
        return Check(backend.label, Status.broken, f"{type(error).__name__}: {error}")
    ms = (time.perf_counter() - start) * 1000
    if codes[0] != 0 or codes[1] == 0:
        return Check(backend.label, Status.broken, f"verdicts {codes}: an honest proof must give 0, another statement must not")
    return Check(backend.label, Status.ok, f"made a key, proved and verified a transfer in {ms:.0f} ms; {len(envelope)} bytes")
