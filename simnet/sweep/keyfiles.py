"""Proving keys for workers elsewhere: sent once to each, so that not every machine makes them anew.

A worker takes nothing on trust: a key that it loads must be the committed one, or follow from the setup's seed
(`simnet.proofs.native.load_key`).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin

from simnet.proofs.keys import default_folder, manifest, put

BYTES_MAX = 1 << 30


class KeyFiles(WorkerPlugin):  # type: ignore[misc] # dask has no types
    """A plugin of dask's workers that puts keys into a worker's own cache."""

    name = "simnet-keys"
    idempotent = True

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def setup(self, worker: Any) -> None:
        """Called by dask in each worker, also in one that joins later."""
        for name, content in self._files.items():
            put(default_folder() / name, content)


def key_files(backends: Iterable[str], folder: Path | None = None) -> KeyFiles | None:
    """The keys of this machine's cache that runs with these proof systems may need; None where there are none, or too many to send."""
    place = default_folder() if folder is None else folder
    try:
        known = manifest(place)
    except ValueError:
        return None  # `simnet keys verify` says what is wrong with it; workers make keys of their own
    wanted = {name for name in known for backend in backends if name.startswith(f"{backend}-")}
    files = {name: (place / name).read_bytes() for name in sorted(wanted) if (place / name).is_file()}
    return KeyFiles(files) if 0 < sum(map(len, files.values())) <= BYTES_MAX else None
