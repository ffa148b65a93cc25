"""What is committed about hashes and keys: `pinned.toml`, and which of it a key or an envelope has to be."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from simnet.base.catalogue import BackendId, CircuitId
from simnet.proofs.backend import Circuit
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
        return not self.backend.is_stark and self.circuit.id in LARGE_CIRCUITS


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


def key_pin(backend: BackendId, circuit: Circuit, params_hash: bytes) -> KeyPin | None:
    """The committed key of a circuit under these parameters; `None` for a size or profile that is not pinned."""
    wanted = (backend, circuit, params_hash.hex())
    keys = (p for p in committed() if isinstance(p, KeyPin))
    return next((p for p in keys if (p.backend, p.circuit, p.params_hash) == wanted), None)


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
