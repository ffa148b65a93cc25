"""Tests against other people's programs; without node they are not run, and the end of the output says so."""

import pytest

from tests.interop import tools


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    why = tools.missing()
    if why is not None:
        pytest.skip(why)
