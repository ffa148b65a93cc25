"""The committed checksums of what proofs rest on: hash constants, parameters and keys, for every circuit and backend.

All of them follow from the source (Groth16's with the simulation's published setup seed), so recomputing them shows
whether a build, a machine or a change of the code gives other circuits than those that were reviewed.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from simnet.proofs import native
from simnet.proofs.backend import BackendId, Circuit, CircuitId
from simnet.proofs.workshop import LARGE_CIRCUITS

FILE = "pinned.toml"


@dataclass(frozen=True, slots=True)
class KeyPin:
    """What a key must be."""

    backend: BackendId
    circuit: Circuit
    params_hash: str
    vk_id: str
    bytes: int
    sha256: str
    """Of the key's bytes, without the cache's own head."""

    @property
    def name(self) -> str:
        """`backend/circuit/size`."""
        return f"{self.backend.label}/{self.circuit.id.label}/{self.circuit.size}"

    @property
    def slow(self) -> bool:
        """Whether making the key takes seconds."""
        return self.backend is BackendId.GROTH16 and self.circuit.id in LARGE_CIRCUITS


@dataclass(frozen=True, slots=True)
class HashPin:
    """What the parameters of a backend's in-circuit hash must be: width, rounds, constants, matrices."""

    backend: BackendId
    sha256: str

    @property
    def name(self) -> str:
        """`backend/hash`."""
        return f"{self.backend.label}/hash"


Pin = KeyPin | HashPin


@cache
def committed() -> tuple[Pin, ...]:
    """The pins of this version of simnet."""
    return parse((resources.files("simnet.proofs") / FILE).read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Pin, ...]:
    """Pins from their TOML text. Raises ValueError, KeyError."""
    document = tomllib.loads(text)
    hashes = [HashPin(BackendId[h["backend"].upper()], h["sha256"]) for h in document["hash"]]
    return (*hashes, *map(_key_pin, document["key"]))


def _key_pin(entry: dict[str, object]) -> KeyPin:
    params = entry["params"]
    assert isinstance(params, list)
    circuit = Circuit(CircuitId[str(entry["circuit"]).upper()], tuple(params))
    backend = BackendId[str(entry["backend"]).upper()]
    return KeyPin(backend, circuit, str(entry["params_hash"]), str(entry["vk_id"]), int(str(entry["bytes"])), str(entry["sha256"]))


def compute_hash(backend: BackendId) -> HashPin:
    """The pin of a backend's hash, from this build."""
    return HashPin(backend, hashlib.sha256(native.hash_parameters(backend)).hexdigest())


def compute_key(backend: BackendId, circuit: Circuit) -> KeyPin:
    """The pin of a key, made anew by this build. Raises ProofError for a circuit that it does not have."""
    key, dumped = native.make_key(backend, circuit)
    return KeyPin(backend, circuit, key.params_hash.hex(), key.vk_id.hex(), len(dumped), hashlib.sha256(dumped).hexdigest())


def recompute(pin: Pin) -> Pin:
    """What this build gives for a pin."""
    return compute_hash(pin.backend) if isinstance(pin, HashPin) else compute_key(pin.backend, pin.circuit)


def compute_all(circuits: Sequence[Circuit]) -> Iterator[Pin]:
    """All pins, from this build."""
    yield from map(compute_hash, BackendId)
    yield from (compute_key(b, c) for c in circuits for b in BackendId)


def differences(pin: Pin, found: Pin) -> list[str]:
    """Which fields of a recomputed pin are not the committed ones."""
    fields = ("sha256",) if isinstance(pin, HashPin) else ("params_hash", "vk_id", "bytes", "sha256")
    return [f"{f}: {getattr(pin, f)} is pinned, {getattr(found, f)} was made" for f in fields if getattr(pin, f) != getattr(found, f)]


def to_toml(pins: Sequence[Pin]) -> str:
    """The committed file."""
    lines = ["# Checksums of what proofs rest on. Made by `simnet keys pin`; checked by `simnet keys verify`.", ""]
    for pin in pins:
        if isinstance(pin, HashPin):
            lines += ["[[hash]]", f'backend = "{pin.backend.label}"', f'sha256 = "{pin.sha256}"', ""]
            continue
        lines += [
            "[[key]]",
            f'backend = "{pin.backend.label}"',
            f'circuit = "{pin.circuit.id.label}"',
            f"params = {list(pin.circuit.params)}",
        ]
        lines += [f'params_hash = "{pin.params_hash}"', f'vk_id = "{pin.vk_id}"', f"bytes = {pin.bytes}", f'sha256 = "{pin.sha256}"', ""]
    return "\n".join(lines)


def known(params_hash: bytes, vk_id: bytes) -> str | None:
    """The committed key that an envelope's two ids belong to; `None` when there is none."""
    keys = [p for p in committed() if isinstance(p, KeyPin)]
    for pin in keys:
        if (pin.params_hash, pin.vk_id) == (params_hash.hex(), vk_id.hex()):
            return pin.name
    of_params = next((p.name for p in keys if p.params_hash == params_hash.hex()), None)
    return f"parameters of {of_params}, unknown key" if of_params else None
