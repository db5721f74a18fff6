"""Servers as processes: started on free ports of the loopback interface, asked over HTTP, ended by their process id."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
START_S = 30.0
STOP_S = 15.0
POLL_S = 0.005
OUTPUT_CHARS = 2000
# A proxy that the environment names is none for this machine's own servers.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerError(Exception):
    """A server did not start or did not answer as it should; with what it printed."""


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


class Unavailable(ServerError):
    """The answer was 503."""


class Server:
    """A process that serves HTTP, on a port of its own at each start.

    In ``command``, ``{port}`` and ``{directory}`` are put in; its output goes to a file beside the directory.
    """

    def __init__(self, command: list[str], directory: Path, *, health: str, **environment: str) -> None:
        self.port = 0
        self._health = health
        self._directory = directory
        self._log = directory.with_suffix(".log")
        self._command = command
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("NEOMIND", "COVERAGE", "PORT"))}
        self._environment = clean | environment
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> float:
        """Start and wait for the first healthy answer; returns after how many seconds it came."""
        self.port = free_port()
        command = [part.format(port=self.port, directory=self._directory) for part in self._command]
        began = time.perf_counter()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment
            )
        while not self._healthy():
            if self.process.poll() is not None or time.perf_counter() - began > START_S:
                self.kill()
                raise ServerError(f"{command} did not come up:\n{self.output()}")
            time.sleep(POLL_S)
        return time.perf_counter() - began

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """``kill -9``, and wait until it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_S)

    def output(self) -> str:
        """The end of what it printed."""
        return self._log.read_text(errors="replace")[-OUTPUT_CHARS:]

    def rss_mb(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu_s(self) -> float:
        """Processor time that it has used, of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """One request; the JSON of the answer, raises ``ServerError`` for any but a success.

        What answers 503 is asked again for a while: it may still be starting.
        """
        until = time.perf_counter() + START_S
        while True:
            try:
                return self._call(method, path, body, token)
            except Unavailable:
                if time.perf_counter() > until:
                    raise
                time.sleep(POLL_S)

    def _call(self, method: str, path: str, body: Any, token: str | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{HOST}:{self.port}{path}", data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with _OPENER.open(request, timeout=STOP_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            kind = Unavailable if error.code == 503 else ServerError
            raise kind(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from error

    def _healthy(self) -> bool:
        try:
            self._call("GET", self._health, None, None)
        except (ServerError, OSError, ValueError):
            return False
        return True


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    """Started, and stopped in the end."""
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.kill()


# ---- the platform ---------------------------------------------------------------------------------------------------

PASSWORD = "correct horse 1"


def platform(data_dir: Path, **environment: str) -> Server:
    """``neomind serve`` on a data directory, not started yet."""
    code = "import sys; from neomind_core.host.cli import main; sys.exit(main())"
    arguments = ["serve", "--data-dir", "{directory}", "--host", HOST, "--port", "{port}"]
    broker = {"NEOMIND_MQTT_BROKER__LISTEN": HOST, "NEOMIND_MQTT_BROKER__PORT": "0"}
    environment = {"NEOMIND_LOG_LEVEL": "warning"} | broker | environment
    return Server([sys.executable, "-c", code, *arguments], data_dir, health="/api/health", **environment)


def set_up(server: Server) -> str:
    """Make the first administrator; returns a token."""
    body = {"username": "admin", "password": PASSWORD}
    return _token(server.call("POST", "/api/setup/initialize", body))


def log_in(server: Server) -> str:
    return _token(server.call("POST", "/api/auth/login", {"username": "admin", "password": PASSWORD}))


def _token(answer: Any) -> str:
    return str(answer.get("token") or answer["data"]["token"])


def add_device(server: Server, token: str, device_id: str, metrics: list[str], *, store_raw: bool = True) -> None:
    """A device, with a type of its own."""
    fields = [{"name": name, "data_type": "float"} for name in metrics]
    kind = {"device_type": f"type_{device_id}", "name": device_id, "metrics": fields, "store_raw": store_raw}
    server.call("POST", "/api/devices/types", kind, token)
    device = {"name": device_id, "device_id": device_id, "device_type": kind["device_type"], "adapter_type": "webhook"}
    server.call("POST", "/api/devices", device | {"connection_config": {}}, token)
