"""A real Mosquitto on a free port of the loopback interface, with a directory of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"
WAIT_S = 10.0
PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


def binary() -> str | None:
    """Where Mosquitto is; Debian's package puts it where users do not look."""
    return shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), *PLACES)))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


class Mosquitto:
    """Started, killed and started again on the same port; sessions are kept in its directory."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listener {self.port} {HOST}",
            "persistence true",
            f"persistence_location {self._folder}/",
            "max_queued_messages 0",
            "max_inflight_messages 200",
            "user root" if os.geteuid() == 0 else "",
            *(self._settings or ("allow_anonymous true",)),
        ]
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        found = binary()
        assert found is not None
        log = (self._folder / "mosquitto.log").open("ab")
        with log:
            self.process = subprocess.Popen([found, "-c", str(config)], stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + WAIT_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), 1):
                return
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"Mosquitto did not start: {(self._folder / 'mosquitto.log').read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """As an administrator would: it saves its sessions."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(WAIT_S)
            self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(WAIT_S)
            self.process = None


@contextlib.contextmanager
def running(folder: Path, *settings: str) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, *settings)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
