"""The key cache: written atomically, rebuilt when damaged, listed with checksums, clear when it cannot be written."""

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simnet.base.errors import KeyCacheError
from simnet.proofs import keys
from simnet.proofs.keys import MANIFEST, audit, default_folder


class Maker:
    """Counts how often a key is made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> tuple[bytes, bytes]:
        self.made += 1
        return b"key", b"payload of a key"


def load_or_make(path: Path, load: Callable[[bytes], bytes], make: Callable[[], tuple[bytes, bytes]]) -> bytes:
    return keys.load_or_make(path, load, make, lambda key: (b"P" * 32, key.ljust(32)))


def load(data: bytes) -> bytes:
    if data != b"payload of a key":
        raise ValueError("another build")
    return b"key"


def test_a_key_is_made_once(tmp_path: Path) -> None:
    make = Maker()
    path = tmp_path / "deep" / "a.key"
    assert [load_or_make(path, load, make) for _ in range(3)] == [b"key"] * 3
    assert make.made == 1
    assert {p.name for p in path.parent.iterdir()} == {"a.key", MANIFEST, ".lock", ".a.lock"}


@pytest.mark.parametrize("position", [0, 8, 20, 40, -1])
def test_every_damaged_byte_is_noticed_and_named(tmp_path: Path, position: int, caplog: pytest.LogCaptureFixture) -> None:
    make = Maker()
    path = tmp_path / "a.key"
    load_or_make(path, load, make)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    assert [f.harm for f in audit(tmp_path)] == [True]
    assert load_or_make(path, load, make) == b"key"
    assert make.made == 2
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert f"{path}: " in caplog.text
    assert "made again" in caplog.text
    assert [f.state for f in audit(tmp_path)] == ["intact"]
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


def test_the_manifest_lists_size_checksum_and_ids(tmp_path: Path) -> None:
    load_or_make(tmp_path / "a.key", load, Maker())
    entry = json.loads((tmp_path / MANIFEST).read_text())["a.key"]
    content = (tmp_path / "a.key").read_bytes()
    assert entry["bytes"] == len(content)
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert (entry["params_hash"], entry["vk_id"]) == ("50" * 32, b"key".ljust(32).hex())


def test_a_swapped_but_intact_file_is_noticed(tmp_path: Path) -> None:
    other = tmp_path / "other" / "a.key"
    load_or_make(other, lambda _: b"", lambda: (b"", b"an intact file with another key"))
    make = Maker()
    load_or_make(tmp_path / "a.key", load, make)
    (tmp_path / "a.key").write_bytes(other.read_bytes())
    assert "damaged" in audit(tmp_path)[0].state
    assert load_or_make(tmp_path / "a.key", lambda _: pytest.fail("loaded"), make) == b"key"


def test_audit_names_what_is_missing_unlisted_and_left_over(tmp_path: Path) -> None:
    for name in ("gone.key", "stays.key"):
        load_or_make(tmp_path / name, load, Maker())
    (tmp_path / "new.key").write_bytes((tmp_path / "stays.key").read_bytes())
    (tmp_path / "gone.key").rename(tmp_path / "gone.keyabc123")
    assert {f.file: f.state for f in audit(tmp_path)} == {
        "gone.key": "in the manifest, but missing",
        "stays.key": "intact",
        "new.key": "not in the manifest",
        "gone.keyabc123": "left over from a broken-off write; delete it",
    }
    assert load_or_make(tmp_path / "new.key", load, Maker()) == b"key"
    assert {f.file for f in audit(tmp_path) if f.state == "intact"} == {"stays.key", "new.key"}, (
        "a key without a line gets one when it is loaded"
    )


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a.key": {}}', '{"a.key": 1}', "[" * 100_000, " " * (1 << 21)])
def test_a_damaged_manifest_is_named_and_begun_anew(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    make = Maker()
    load_or_make(tmp_path / "a.key", load, make)
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(ValueError, match=MANIFEST):
        audit(tmp_path)
    assert load_or_make(tmp_path / "a.key", load, make) == b"key"
    assert make.made == 1
    assert MANIFEST in caplog.text
    assert [f.state for f in audit(tmp_path)] == ["intact"]


def test_keys_made_at_the_same_time_are_all_listed(tmp_path: Path) -> None:
    names = [f"{i}.key" for i in range(12)]
    threads = [threading.Thread(target=load_or_make, args=(tmp_path / name, load, Maker())) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(f.file for f in audit(tmp_path) if f.state == "intact") == sorted(names)


def test_who_needs_a_key_that_another_is_making_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.key"
    load_or_make(path, lambda _: b"", lambda: (b"", b"of another build"))
    make, enter, found = Maker(), keys._enter, []

    def slow_make() -> tuple[bytes, bytes]:
        time.sleep(0.05)
        return make()

    def slow_enter(path: Path, entry: keys.Entry) -> None:
        time.sleep(0.05)
        enter(path, entry)

    monkeypatch.setattr(keys, "_enter", slow_enter)
    threads = [threading.Timer(0.02 * i, lambda: found.append(load_or_make(path, load, slow_make))) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"key"] * 8
    assert make.made == len(caplog.records) == 1


def test_a_folder_that_cannot_be_written_still_serves_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.key"
    load_or_make(path, load, Maker())
    monkeypatch.setattr(keys, "_lock_of", lambda _: tmp_path / "no such folder" / "lock")
    assert load_or_make(path, load, lambda: pytest.fail("made again")) == b"key"


@pytest.mark.parametrize("entry", [{"params_hash": []}, {"vk_id": "x"}, {"bytes": -1}, {"bytes": True}, {"more": 1}])
def test_a_manifest_of_other_types_is_named(tmp_path: Path, entry: dict[str, object]) -> None:
    load_or_make(tmp_path / "a.key", load, Maker())
    known = json.loads((tmp_path / MANIFEST).read_text())
    known["a.key"] |= entry
    (tmp_path / MANIFEST).write_text(json.dumps(known))
    with pytest.raises(ValueError, match=f"{MANIFEST}: damaged: \\['a.key'\\]\\['{next(iter(entry))}'\\]"):
        audit(tmp_path)


def test_a_lock_is_no_way_to_another_file(tmp_path: Path) -> None:
    """A link in its place is not followed, and what a lock file holds is not emptied."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "cache"
    folder.mkdir()
    for lock in (".a.lock", ".lock"):
        (folder / lock).symlink_to(victim)
    with pytest.raises(KeyCacheError, match=r"\.a\.lock"):
        load_or_make(folder / "a.key", load, Maker())
    assert victim.read_text() == "precious"
    (folder / ".a.lock").unlink()
    (folder / ".a.lock").write_text("kept")
    (folder / ".lock").unlink()
    load_or_make(folder / "a.key", load, Maker())
    assert (folder / ".a.lock").read_text() == "kept"


@pytest.mark.parametrize("place", ["a.key", ".a.lock", MANIFEST])
def test_a_fifo_in_the_cache_is_not_waited_for(tmp_path: Path, place: str, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / place)
    if place == ".a.lock":
        with pytest.raises(KeyCacheError, match="not a regular file"):
            load_or_make(tmp_path / "a.key", load, Maker())
        return
    assert load_or_make(tmp_path / "a.key", load, Maker()) == b"key"
    assert "not a regular file" in caplog.text
    assert [f.state for f in audit(tmp_path)] == ["intact"]
