"""A real ``neomind`` as somebody runs it: processes in a directory of their own, and clients of them."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import attrs
import httpx2
import pytest

NEOMIND = (sys.executable, "-m", "neomind_core.host.cli")
READY = re.compile(r"serves at (http://\S+)")
TIMEOUT_S = 60.0


class Lines:
    """The lines of a stream, read as they come, so that the process never waits for us."""

    def __init__(self, stream):
        self._seen = []
        self._fresh = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                self._fresh.put(line.rstrip("\n"))
        self._fresh.put(None)

    def until(self, pattern, timeout=TIMEOUT_S):
        """The match in the next line that has one; fails when the stream ends before."""
        deadline = time.monotonic() + timeout
        while (line := self._fresh.get(timeout=max(0.01, deadline - time.monotonic()))) is not None:
            self._seen.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"no line with {pattern!r}, but {self._seen}")

    def all(self):
        """The whole text, once the process ended."""
        self._thread.join(TIMEOUT_S)
        while not self._fresh.empty():
            self._seen.append(self._fresh.get() or "")
        return "\n".join(self._seen)


@attrs.frozen
class Server:
    """A ``neomind serve`` that runs; ``clients`` are closed when it is stopped."""

    popen: subprocess.Popen
    out: Lines
    err: Lines
    address: str
    clients: ExitStack

    def client(self, **headers):
        """Asks ``/api/...`` of this server: ``server.client(x_api_key="nmk_...").get("/devices")``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client = httpx2.Client(base_url=f"{self.address}/api", headers=named, trust_env=False, timeout=TIMEOUT_S)
        return self.clients.enter_context(client)

    def user(self, username, password):
        """A client that is logged in."""
        answer = self.client().post("/auth/login", json={"username": username, "password": password})
        return self.client(authorization=f"Bearer {data(answer)['token']}")

    def stop(self, number=signal.SIGTERM):
        """The exit code, and the seconds that it took."""
        self.clients.close()
        began = time.monotonic()
        self.popen.send_signal(number)
        return self.popen.wait(TIMEOUT_S), time.monotonic() - began


@attrs.frozen
class Home:
    """A directory with the platform's data in ``data/``, and whatever else the test puts there."""

    directory: Path
    env: dict[str, str]
    started: list[subprocess.Popen] = attrs.field(factory=list)

    @property
    def data(self):
        return self.directory / "data"

    def serve(self, *args, command=(*NEOMIND, "serve"), **env):
        """A server that is ready, on a free port."""
        popen = subprocess.Popen(
            [*command, *args],
            cwd=self.directory,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(popen)
        out, err = Lines(popen.stdout), Lines(popen.stderr)
        try:
            return Server(popen, out, err, out.until(READY)[1], ExitStack())
        except (AssertionError, queue.Empty) as error:
            popen.kill()
            raise AssertionError(f"it does not serve: {error}\n{err.all()}") from error

    def run(self, *args, **env):
        """A command of ``neomind`` that ends by itself."""
        return subprocess.run(
            [*NEOMIND, *args],
            check=False,
            cwd=self.directory,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    def close(self):
        for popen in self.started:
            popen.kill()
            popen.wait()


def data(answer, status=(200, 201)):
    """What a successful answer carries."""
    assert answer.status_code in status, (answer.status_code, answer.text)
    body = answer.json()
    assert body["success"] is True
    assert {"timestamp", "request_id"} <= set(body["meta"])
    return body["data"]


def refusal(answer):
    """Status and code of an answer that says no, in the envelope."""
    body = answer.json()
    assert body["success"] is False, body
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"]


@pytest.fixture(scope="session", name="data")
def _data():
    return data


@pytest.fixture(scope="session", name="refusal")
def _refusal():
    return refusal


@pytest.fixture(scope="module")
def make_home(tmp_path_factory):
    """``make_home("name", PYTHONPATH=...)``; every process that was started there is ended with the module."""
    with ExitStack() as homes:

        def make(name="home", **env):
            bare = {key: value for key, value in os.environ.items() if not key.startswith(("NEOMIND_", "PYTHONPATH"))}
            bare |= {"NEOMIND_MQTT_BROKER__LISTEN": "127.0.0.1", "NEOMIND_MQTT_BROKER__PORT": "0"}
            bare |= {"PORT": "0", "NEOMIND_HOST": "127.0.0.1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
            home = Home(tmp_path_factory.mktemp(name), bare | env)
            homes.callback(home.close)
            return home

        yield make
