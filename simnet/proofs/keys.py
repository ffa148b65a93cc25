"""The on-disk key cache: one file per backend, circuit, size and version, with a checksum.

A file is written beside its final name and renamed, so a killed process leaves the old file or the new one.
A file that is damaged, of another version or unreadable is made again. Keys are public data; whoever can
write this folder can make proofs fail, not verify wrongly: a verifier key is pinned by its id in every run.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from simnet.errors import KeyCacheError

_MAGIC = b"SIMNETK1"
_DIGEST_BYTES = 32
K = TypeVar("K")


def default_folder() -> Path:
    """`$SIMNET_CACHE_DIR`, else `$XDG_CACHE_HOME/simnet/keys`, else `~/.cache/simnet/keys`."""
    explicit = os.environ.get("SIMNET_CACHE_DIR")
    if explicit:
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "simnet" / "keys"


def load_or_make(path: Path, load: Callable[[bytes], K], make: Callable[[], tuple[K, bytes]]) -> K:
    """The key in `path` if it is intact and `load` takes it, else a new one from `make`, stored in `path`.

    `load` raises ValueError for bytes it refuses. Raises KeyCacheError when the folder cannot be written.
    """
    payload = _read(path)
    if payload is not None:
        try:
            return load(payload)
        except ValueError:
            pass  # of another build or version: made again below
    key, dumped = make()
    _write(path, dumped)
    return key


def _read(path: Path) -> bytes | None:
    """The payload of an intact file, else `None`."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head = len(_MAGIC) + _DIGEST_BYTES
    if len(data) < head or not data.startswith(_MAGIC):
        return None
    payload = data[head:]
    return payload if _digest(payload) == data[len(_MAGIC) : head] else None


def _write(path: Path, payload: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as f:
            try:
                f.write(_MAGIC + _digest(payload))
                f.write(payload)
                f.flush()
                os.fsync(f.fileno())
            except BaseException:
                os.unlink(f.name)
                raise
        os.replace(f.name, path)
    except OSError as e:
        raise KeyCacheError(
            f"cannot write the key cache {path}: {e.strerror or e}; set SIMNET_CACHE_DIR to a folder that can be written"
        ) from e


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_DIGEST_BYTES).digest()
