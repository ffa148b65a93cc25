"""Bugs that are planted in the real code for a run, to see whether the search finds them.

Each is a change of a small method. Nothing else in the package knows of them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from simnet.errors import SimnetError


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug."""

    what: str
    checks: frozenset[str]
    """Those that name it: another check that fails does not count as finding it."""
    patches: Callable[[], Mapping[tuple[object, str], Any]]
    """(class or module, attribute) -> what stands there during the run."""


BUGS: dict[str, Bug] = {}


def bug_of(name: str) -> Bug:
    """A planted bug by name. Raises SimnetError with all names."""
    if name not in BUGS:
        raise SimnetError(f"no planted bug {name!r}; there are {', '.join(BUGS)}")
    return BUGS[name]


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """The bug is in the code inside the block. None: no bug."""
    patches = {} if name is None else bug_of(name).patches()
    before = {(owner, attribute): vars(owner)[attribute] for owner, attribute in patches}
    for (owner, attribute), replacement in patches.items():
        setattr(owner, attribute, replacement)
    try:
        yield
    finally:
        for (owner, attribute), original in before.items():
            setattr(owner, attribute, original)
