"""The health address: ok while a run is active, inactive before and after."""

import urllib.error
import urllib.request

import pytest

from simnet.base.errors import SimnetError
from simnet.cli.health import health


def ask(port: int | None, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_it_follows_the_run(path: str) -> None:
    with health("127.0.0.1:0") as probe:
        assert ask(probe.port, path) == (503, "inactive")
        with probe.active():
            assert ask(probe.port, path) == (200, "ok")
            assert ask(probe.port, "/")[0] == 404
        assert ask(probe.port, path) == (503, "inactive")


def test_without_an_address_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIMNET_HEALTH_ADDR", raising=False)
    with health() as probe, probe.active():
        assert probe.port is None


@pytest.mark.parametrize("address", ["8080", "host:", "127.0.0.1:99999", "127.0.0.1:x", ":80"])
def test_a_bad_address_is_one_message(address: str) -> None:
    with pytest.raises(SimnetError, match="expected host:port"), health(address):
        pass


def test_a_taken_port_is_one_message() -> None:
    with (
        health("127.0.0.1:0") as probe,
        pytest.raises(SimnetError, match="cannot listen there"),
        health(f"127.0.0.1:{probe.port}"),
    ):
        pass
