"""The on-disk key cache: one file per backend, circuit, size and version, and a manifest with their checksums.

A file is written beside its final name and renamed, so a killed process leaves the old file or the new one. A file
that is damaged, of another version or unreadable is named in a warning, thrown away and made again. Processes that need
the same key at once wait for one of them to make it. Keys are public data, and whoever can write this folder can write the
checksums, too: they tell damage, not forgery. What keeps a written key from verifying false proofs is `load`: see
`simnet.proofs.native.load_key`.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from simnet.base.errors import KeyCacheError, reason
from simnet.base.jsontext import json_text
from simnet.base.locks import held
from simnet.base.regular import open_regular

MANIFEST = "manifest.json"
MANIFEST_BYTES_MAX = 1 << 20
KEY_BYTES_MAX = 4 << 30
"""Of a key file; Groth16's largest has some hundred megabytes."""
_MAGIC = b"SIMNETK1"
_DIGEST_BYTES = 32
_HEAD = len(_MAGIC) + _DIGEST_BYTES
K = TypeVar("K")
log = logging.getLogger(__name__)


Hex32 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Entry(BaseModel):
    """What the manifest says about one file."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)

    bytes: Annotated[int, Field(ge=0)]
    sha256: Hex32
    params_hash: Hex32
    vk_id: Hex32


_ENTRIES = TypeAdapter(dict[str, Entry])


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one file of the cache."""

    file: str
    state: str
    """`intact`, or what is wrong."""
    harm: bool
    """Whether a key is damaged or gone; else, what is wrong is only untidy."""


def default_folder() -> Path:
    """`$SIMNET_CACHE_DIR`, else `$XDG_CACHE_HOME/simnet/keys`, else `~/.cache/simnet/keys`."""
    explicit = os.environ.get("SIMNET_CACHE_DIR")
    if explicit:
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "simnet" / "keys"


def load_or_make(path: Path, load: Callable[[bytes], K], make: Callable[[], tuple[K, bytes]], ids: Callable[[K], tuple[bytes, bytes]]) -> K:
    """The key in `path` if it is intact and `load` takes it, else a new one from `make`, stored in `path`.

    `load` raises ValueError for bytes it refuses; `ids` gives a key's params hash and vk id, for the manifest. Raises
    KeyCacheError when the folder cannot be written.
    """
    if path.exists():
        # Its line in the manifest follows a moment after the file: whoever writes both holds the lock alone.
        with _reading(path), suppress(FileNotFoundError, ValueError):
            return _load(path, load, ids)
    _make_folder(path)
    with _locked(_lock_of(path)):
        try:
            return _load(path, load, ids)
        except FileNotFoundError:
            pass
        except ValueError as error:
            log.warning("key cache: %s: %s; thrown away and made again", path, error)
        key, dumped = make()
        content = _MAGIC + _digest(dumped) + dumped
        _write(path, content)
        _enter(path, _entry(content, ids(key)))
        return key


def put(path: Path, content: bytes) -> None:
    """A key file that another machine's cache has, into this one unless it is there. Nothing is taken on trust: see `load_or_make`. Raises
    KeyCacheError."""
    _make_folder(path)
    with _locked(_lock_of(path)):
        if not path.exists():
            _write(path, content)


def _load(path: Path, load: Callable[[bytes], K], ids: Callable[[K], tuple[bytes, bytes]]) -> K:
    """The cached key. Raises FileNotFoundError, or ValueError that says what is wrong with the file."""
    content = _read(path)
    known = _readable_manifest(path.parent)
    listed = known.get(path.name)
    if listed is not None and hashlib.sha256(content).hexdigest() != listed.sha256:
        raise ValueError("its sha256 is not the manifest's")
    key = load(content[_HEAD:])
    if listed is None:
        try:
            _enter(path, _entry(content, ids(key)))
        except KeyCacheError as error:
            # A cache that cannot be written, say a shared one, still serves intact keys.
            log.warning("key cache: %s", error)
    return key


def _entry(content: bytes, ids: tuple[bytes, bytes]) -> Entry:
    sha256 = hashlib.sha256(content).hexdigest()
    return Entry(bytes=len(content), sha256=sha256, params_hash=ids[0].hex(), vk_id=ids[1].hex())


def manifest(folder: Path) -> dict[str, Entry]:
    """The manifest of a cache folder; empty without one. Raises ValueError when it is damaged."""
    path = folder / MANIFEST
    try:
        with open_regular(path) as file:
            data = file.read(MANIFEST_BYTES_MAX + 1)
        if len(data) > MANIFEST_BYTES_MAX:
            raise ValueError(f"larger than {MANIFEST_BYTES_MAX} bytes")
        return _ENTRIES.validate_json(data)
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "".join(f"[{part!r}]" for part in first["loc"])
        raise ValueError(f"{path}: damaged: {where} {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: damaged: {error}") from error


def _readable_manifest(folder: Path) -> dict[str, Entry]:
    try:
        return manifest(folder)
    except ValueError as error:
        log.warning("key cache: %s; begun anew", error)
        return {}


def audit(folder: Path) -> list[Finding]:
    """Recomputes the checksum of every file and compares it with the manifest. Raises ValueError (damaged manifest)."""
    known = manifest(folder)
    present = {p.name for p in folder.glob("*.key*")} if folder.is_dir() else set()
    findings = [Finding(name, "in the manifest, but missing", True) for name in sorted(known.keys() - present)]
    return findings + [_finding(folder / name, known.get(name)) for name in sorted(present)]


def _finding(path: Path, entry: Entry | None) -> Finding:
    if path.suffix != ".key":
        return Finding(path.name, "left over from a broken-off write; delete it", False)
    try:
        content = _read(path)
        if entry is not None and len(content) != entry.bytes:
            return Finding(path.name, f"damaged: {len(content)} bytes, the manifest says {entry.bytes}", True)
        if entry is not None and hashlib.sha256(content).hexdigest() != entry.sha256:
            return Finding(path.name, "damaged: its sha256 is not the manifest's", True)
    except (OSError, ValueError) as error:
        return Finding(path.name, f"damaged: {error}", True)
    return Finding(path.name, "intact" if entry is not None else "not in the manifest", False)


def read_key(path: Path) -> bytes:
    """The key's own bytes, without the cache's head. Raises FileNotFoundError, or ValueError that says what is wrong."""
    return _read(path)[_HEAD:]


def _read(path: Path) -> bytes:
    """The content of an intact file. Raises FileNotFoundError, or ValueError that says what is wrong."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > KEY_BYTES_MAX:
                raise ValueError(f"has {size} bytes; at most {KEY_BYTES_MAX} are read")
            data = file.read(size)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"cannot be read: {reason(error)}") from error
    if len(data) < _HEAD or not data.startswith(_MAGIC):
        raise ValueError("is no key file of this version")
    if _digest(data[_HEAD:]) != data[len(_MAGIC) : _HEAD]:
        raise ValueError("its checksum is wrong")
    return data


def _write(path: Path, content: bytes) -> None:
    """Writes a file beside its place, flushes it to disk, and renames it."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as f:
            try:
                f.write(content)
                f.flush()
                os.fsync(f.fileno())
            except BaseException:
                os.unlink(f.name)
                raise
        os.replace(f.name, path)
    except OSError as e:
        raise _unwritable(path, e) from e


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise _unwritable(path, e) from e


def _unwritable(path: Path, e: OSError) -> KeyCacheError:
    return KeyCacheError(f"cannot write the key cache {path}: {reason(e)}; set SIMNET_CACHE_DIR to a folder that can be written")


def _enter(path: Path, entry: Entry) -> None:
    """Adds a file to the manifest. A damaged one begins anew; files get back into it as they are loaded."""
    with _locked(path.parent / ".lock"):
        known = _readable_manifest(path.parent)
        known[path.name] = entry
        _write(path.parent / MANIFEST, _as_json(known))


def _as_json(known: Mapping[str, Entry]) -> bytes:
    return (json_text({name: entry.model_dump() for name, entry in sorted(known.items())}) + "\n").encode()


def _lock_of(path: Path) -> Path:
    return path.with_name(f".{path.stem}.lock")


@contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """Held by one process at a time. Raises KeyCacheError."""
    with ExitStack() as stack:
        try:
            stack.enter_context(held(lock))
        except OSError as e:
            raise _unwritable(lock, e) from e
        yield


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Held by any number of processes, while none is writing this key. In a folder that cannot be written nobody writes."""
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(held(_lock_of(path), shared=True))
        yield


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_DIGEST_BYTES).digest()
