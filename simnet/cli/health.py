"""`SIMNET_HEALTH_ADDR`: says over HTTP whether a run is active."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from simnet.base.errors import SimnetError, reason

VARIABLE = "SIMNET_HEALTH_ADDR"
PATHS = ("/health/live", "/health/ready")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    active = False


class _Handler(BaseHTTPRequestHandler):
    timeout = 5  # of a client that says nothing

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server), "made by `health` alone"
        if self.path not in PATHS:
            self._answer(404, "not found")
        elif self.server.active:
            self._answer(200, "ok")
        else:
            self._answer(503, "inactive")

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes every few seconds are no news."""


class Health:
    """The switch of the server, if there is one."""

    def __init__(self, server: _Server | None) -> None:
        self._server = server

    @property
    def port(self) -> int | None:
        return None if self._server is None else int(self._server.server_address[1])

    @contextmanager
    def active(self) -> Iterator[None]:
        """A run is active inside this context."""
        self._set(True)
        try:
            yield
        finally:
            self._set(False)

    def _set(self, active: bool) -> None:
        if self._server is not None:
            self._server.active = active


@contextmanager
def health(address: str | None = None) -> Iterator[Health]:
    """Serves on `address` (`host:port`), by default that of the environment; nothing without one. Raises SimnetError."""
    address = os.environ.get(VARIABLE) if address is None else address
    if not address:
        yield Health(None)
        return
    server = _open(address)
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="health")
    thread.start()
    try:
        yield Health(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _open(address: str) -> _Server:
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise SimnetError(f"{VARIABLE}={address!r}: expected host:port, say 127.0.0.1:8080")
    try:
        return _Server((host.strip("[]"), int(port)), _Handler)
    except OSError as error:
        raise SimnetError(f"{VARIABLE}={address!r}: cannot listen there: {reason(error)}") from error
