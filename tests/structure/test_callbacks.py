"""The rule against callbacks between parts, on what it must find and on the package."""

from pathlib import Path

import pytest

from tests.structure.callbacks import of_folder, planned, violations

PACKAGE = Path(__file__).parents[2] / "simnet"


@pytest.mark.parametrize(
    "line",
    [
        "self.on_commit: Callable[[int], None] = lambda _height: None",
        "self.told: list[Callable[[int], None]] = []",
        "validator.on_commit = self._on_commit",
        "self.validator.on_commit = self._on_commit",
        "self.finality.told = lambda height: None",
        "transactions.on_verified.append(self._on_verified)",
        "self.validator.on_signed.append(lambda vote: None)",
    ],
)
def test_callbacks_between_parts_are_found(line: str) -> None:
    assert [n for n, _ in violations(f"def f(self):\n    {line}\n")] == [2]


@pytest.mark.parametrize(
    "line",
    [
        "self._publish = publish",
        "self._handlers: dict[str, Callable[[int], None]] = {'vote': self.on_vote}",
        "self._items.append(item)",
        "committed.proof = proof",
        "other.height = self.height",
        "letters.open({Committed: (self.on_commit,)})",
    ],
)
def test_what_is_allowed_is_not(line: str) -> None:
    assert not list(violations(f"def f(self):\n    {line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        "wire.ahead = self.start",
        "wire.ahead, wire.dissolve = self.height, self.start",
        "bus.judge = other = self.start",
        "self.judge: Callable[[int], None] = acquit",
    ],
)
def test_methods_of_any_name_and_slots_with_a_function_are_found(line: str) -> None:
    source = f"class A:\n    def f(self):\n        {line}\n    def start(self): ...\n    @property\n    def height(self): ...\ndef acquit(_): ...\n"
    assert [n for n, _ in violations(source)] == [3]
    assert not list(
        violations("class A:\n    def f(self):\n        other.height = self.height\n    @property\n    def height(self): ...\n")
    )


@pytest.mark.parametrize("room", sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()))
def test_no_part_puts_a_callback_into_another(room: str) -> None:
    assert of_folder(PACKAGE / room) == []


@pytest.mark.parametrize(
    "line",
    [
        "self._ports.after(delay, self._begin)",
        "self._ports.after(delay, lambda: self._begin(height))",
        "self._letters.post_after(0, begin)",
        "ticket.when_ready(self._announce)",
        "ticket.when_ready(Misdeed(self._announce))",
    ],
)
def test_functions_given_to_timers_are_found(line: str) -> None:
    assert [n for n, _ in planned(f"def f(self):\n    {line}\n")] == [2]


def test_letters_given_to_timers_are_allowed() -> None:
    assert not list(planned("self._letters.post_after(delay, letter)\nticket.when_ready(BlockProofReady(height, part, ticket))"))


def test_no_part_of_a_node_plans_a_callback() -> None:
    """But for the letterbox itself and the spammer."""
    own = {"letters.py", "byzantine.py"}
    parts = [path for path in sorted((PACKAGE / "node").glob("*.py")) if path.name not in own]
    assert len(parts) > 20
    assert [f"{path.name}:{line}: {what}" for path in parts for line, what in planned(path.read_text(encoding="utf-8"))] == []
