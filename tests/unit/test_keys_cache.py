"""The key cache: written atomically, rebuilt when damaged, clear when it cannot be written."""

from pathlib import Path

import pytest

from simnet.errors import KeyCacheError
from simnet.proofs.keys import default_folder, load_or_make


class Maker:
    """Counts how often a key is made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> tuple[bytes, bytes]:
        self.made += 1
        return b"key", b"payload of a key"


def load(data: bytes) -> bytes:
    if data != b"payload of a key":
        raise ValueError("another build")
    return b"key"


def test_a_key_is_made_once(tmp_path: Path) -> None:
    make = Maker()
    path = tmp_path / "deep" / "a.key"
    assert [load_or_make(path, load, make) for _ in range(3)] == [b"key"] * 3
    assert make.made == 1
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("position", [0, 8, 20, 40, -1])
def test_every_damaged_byte_is_noticed(tmp_path: Path, position: int) -> None:
    make = Maker()
    path = tmp_path / "a.key"
    load_or_make(path, load, make)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    assert load_or_make(path, load, make) == b"key"
    assert make.made == 2
    assert load_or_make(path, load, make) == b"key"
    assert make.made == 2


@pytest.mark.parametrize("length", [0, 7, 39, 45])
def test_a_cut_file_is_made_again(tmp_path: Path, length: int) -> None:
    make = Maker()
    path = tmp_path / "a.key"
    load_or_make(path, load, make)
    path.write_bytes(path.read_bytes()[:length])
    load_or_make(path, load, make)
    assert make.made == 2


def test_a_key_of_another_build_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    load_or_make(path, lambda _: b"", lambda: (b"", b"of another build"))
    make = Maker()
    assert load_or_make(path, load, make) == b"key"
    assert make.made == 1


def test_an_unusable_folder_is_one_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(KeyCacheError, match="SIMNET_CACHE_DIR"):
        load_or_make(blocked / "a.key", load, Maker())


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIMNET_CACHE_DIR", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("SIMNET_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "simnet" / "keys"
