"""Ends what nodes without a run have begun."""

from collections.abc import Iterator

import pytest

from tests.node import alone


@pytest.fixture(autouse=True)
def provers_end_with_their_test() -> Iterator[None]:
    """A workshop sets the interpreter's switch interval until it is closed."""
    yield
    while alone.OPEN:
        alone.OPEN.pop().close()
