"""The real process: started, asked, killed and stopped."""

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import attrs
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

HEAD = "import asyncio, time\nfrom neomind_sdk import *\n"
ADDRESS = r"serves at (http://\S+)"
NOTHING = ","


def body(hook: str, step: str) -> str:
    """A plugin whose start or stop step is ``step``."""
    run = f"    async def run():\n        {step}\n"
    return f"@hookimpl\ndef neomind_{hook}(ctx):\n{run}    return [Step(name='s', run=run)]"


class Lines:
    """The lines of a stream as they come."""

    def __init__(self, stream):
        self.seen = []
        self._queue = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def until(self, pattern, timeout=30.0):
        """The match in the first line that has one; fails when the stream ends before."""
        deadline = time.monotonic() + timeout
        while (line := self._queue.get(timeout=max(0.01, deadline - time.monotonic()))) is not None:
            self.seen.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"no line with {pattern!r}, but {self.seen}")

    def rest(self):
        """Everything until the stream ends."""
        while (line := self._queue.get(timeout=30)) is not None:
            self.seen.append(line)
        return "\n".join(self.seen)


@attrs.frozen
class Process:
    popen: subprocess.Popen
    out: Lines
    err: Lines

    def address(self):
        return self.out.until(ADDRESS)[1]

    def stop(self, number=signal.SIGTERM, within=10.0):
        """The exit code, and how long it took."""
        began = time.monotonic()
        self.popen.send_signal(number)
        code = self.popen.wait(within)
        return code, time.monotonic() - began


@attrs.frozen
class Place:
    data: Path
    env: dict[str, str]
    started: list[Process]

    def plugin(self, name, text, **manifest):
        given = ", ".join(f"{key}={value!r}" for key, value in {"name": name, "summary": "x", **manifest}.items())
        directory = self.data / "extensions"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.py").write_text(f"{HEAD}plugin = Plugin({given})\n{textwrap.dedent(text)}\n")

    def command(self, *args):
        flags = ["-W", "error::DeprecationWarning", "-m", "neomind_core.host.cli"]
        return [sys.executable, *flags, "--data-dir", str(self.data), *args]

    def serve(self, *args, **env):
        popen = subprocess.Popen(
            self.command("serve", *args),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.env, **env},
        )
        process = Process(popen, Lines(popen.stdout), Lines(popen.stderr))
        self.started.append(process)
        return process

    def refused(self, *args, **env):
        """The exit code and stderr of a ``serve`` that ends by itself."""
        process = self.serve(*args, **env)
        code = process.popen.wait(30)
        return code, process.err.rest()

    def plugins(self):
        found = subprocess.run(
            self.command("plugins", "--json"), capture_output=True, check=True, env=self.env, timeout=60
        )
        return json.loads(found.stdout)

    def status(self, name):
        return next((row["status"], row["reason"]) for row in self.plugins()["plugins"] if row["name"] == name)


@pytest.fixture
def place(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("NEOMIND_") and name != "PORT"}
    env |= {"NEOMIND_HOST": "127.0.0.1", "NEOMIND_PORT": "0"}
    env |= {"NEOMIND_MQTT_BROKER__LISTEN": "127.0.0.1", "NEOMIND_MQTT_BROKER__PORT": "0"}
    found = Place(tmp_path / "data", env, [])
    yield found
    for process in found.started:
        process.popen.kill()
        process.popen.wait()


def get(address, path):
    """Status, headers and JSON of a GET."""
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.load(error)


def test_it_serves_what_is_installed_and_stops_when_asked(place):
    began = time.monotonic()
    process = place.serve()
    address = process.address()
    assert get(address, "/api/openapi.json")[0] == 200
    took = time.monotonic() - began
    process.out.until("^Plugins running: ")
    assert place.plugins()["running"] == str(process.popen.pid)
    code, seconds = process.stop()
    assert code == 0
    assert seconds < 10
    assert "Traceback" not in process.err.rest()
    assert place.plugins()["running"] is None
    assert took < 15  # the budget of 1.5 s is for a quiet machine; tests run on any


def test_how_the_first_administrator_is_made_is_said_while_there_is_none(place):
    place.plugin(
        "people",
        """
        async def status(request):
            return {"setup_required": not (ctx_dir[0] / "there").exists()}
        ctx_dir = []
        @hookimpl
        def neomind_routes(ctx):
            ctx_dir.append(ctx.data_dir)
            return [Route(method="GET", path="/setup/status", handler=status, scope=PUBLIC, summary="x")]
        """,
    )
    first = place.serve(NEOMIND_ONLY="people")
    first.out.until("There is no administrator yet")
    assert first.stop()[0] == 0
    assert "neomind user add" in first.out.rest()
    (place.data / "there").touch()
    second = place.serve(NEOMIND_ONLY="people")
    second.address()
    assert second.stop()[0] == 0
    assert "administrator" not in second.out.rest()


def test_with_nothing_to_load_it_still_serves(place):
    process = place.serve(NEOMIND_ONLY=NOTHING)
    address = process.address()
    status, _, document = get(address, "/api/openapi.json")
    assert (status, document["paths"]) == (200, {})
    status, _, answer = get(address, "/api/devices")
    assert (status, answer["error"]["code"]) == (404, "NOT_FOUND")
    process.out.until("^Plugins running: 0")
    process.err.until("WARNING: no storage is open")
    assert process.stop(signal.SIGINT)[0] == 0


def test_a_blocked_plugin_is_named_and_not_imported(place):
    place.plugin("bomb", "raise SystemExit(9)")
    process = place.serve("--block", "bomb", "--only", "bomb")
    process.out.until("^  blocked: bomb: named in the block list")
    assert process.stop()[0] == 0
    assert place.status("bomb") == ("blocked", "named in the block list")


def test_a_port_in_use_is_one_sentence(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = place.refused("--port", port)
    assert (code, len(said.splitlines())) == (1, 1)
    assert f"port {port} on 127.0.0.1 is in use" in said


def test_a_data_directory_in_use_is_one_sentence(place):
    first = place.serve(NEOMIND_ONLY=NOTHING)
    first.address()
    code, said = place.refused(NEOMIND_ONLY=NOTHING)
    assert (code, len(said.splitlines())) == (1, 1)
    assert f"is in use by the process {first.popen.pid}" in said
    assert first.stop()[0] == 0


def test_a_bad_configuration_is_one_sentence_and_code_2(place):
    place.data.mkdir()
    (place.data / "neomind.toml").write_text("[server]\nport = 'x'")
    code, said = place.refused(NEOMIND_PORT="")
    assert (code, len(said.splitlines())) == (2, 1)
    assert "server.port" in said


def test_three_crashes_soon_after_the_start_lead_to_safe_mode(place):
    place.plugin("stranger", "")
    for crashes in range(3):
        process = place.serve(NEOMIND_ONLY="stranger")
        process.out.until("^Plugins running: 1")
        assert place.status("stranger")[0] == "enabled", crashes
        process.popen.kill()
        process.popen.wait(10)
    process = place.serve(NEOMIND_ONLY="stranger")
    process.err.until(r"WARNING: safe mode \(3 starts in a row crashed")
    assert get(process.address(), "/api/openapi.json")[0] == 200
    assert place.status("stranger")[0] == "blocked"
    assert process.stop()[0] == 0
    after = place.serve(NEOMIND_ONLY="stranger")
    after.out.until("^Plugins running: 1")
    assert after.stop()[0] == 0


def test_stopping_soon_after_the_start_is_no_crash(place):
    for _ in range(4):
        process = place.serve(NEOMIND_ONLY=NOTHING)
        process.address()
        assert process.stop()[0] == 0
    assert "safe mode" not in process.err.rest()


def test_while_plugins_start_requests_get_an_honest_answer(place):
    place.plugin("slow", body("start", "await asyncio.sleep(600)"))
    process = place.serve(NEOMIND_ONLY="slow")
    address = process.out.until(r"Listening on (http://\S+); plugins are still starting")[1]
    status, headers, answer = get(address, "/api/anything")
    assert (status, answer["success"], headers["Retry-After"]) == (503, False, "1")
    code, seconds = process.stop()
    assert (code, seconds < 5) == (0, True)


def test_a_start_that_blocks_the_loop_is_interrupted_and_named(place):
    place.plugin("blocker", body("start", "time.sleep(600)"))
    place.plugin("good", "")
    process = place.serve(NEOMIND_ONLY="blocker good", NEOMIND_PLUGINS__START_CAP_S="0.5")
    process.out.until("^Plugins running: 1")
    process.out.until("failed_at_run: blocker: blocked the event loop for over 0.5 s")
    assert place.status("blocker")[0] == "failed_at_run"
    assert process.stop()[0] == 0


def test_a_stop_that_blocks_the_loop_is_interrupted_and_the_others_stop(place):
    place.plugin("good", body("stop", "(ctx.data_dir / 'stopped').touch()"))
    place.plugin("blocker", body("stop", "time.sleep(600)"), requires=("good",))
    process = place.serve(NEOMIND_ONLY="blocker good")
    process.out.until("^Plugins running: 2")
    code, seconds = process.stop()
    assert (code, seconds < 10) == (0, True)
    assert (place.data / "stopped").exists()


def test_a_second_signal_ends_at_once(place):
    place.plugin("slow", body("stop", "await asyncio.sleep(600)"))
    process = place.serve(NEOMIND_ONLY="slow")
    process.address()
    process.popen.send_signal(signal.SIGTERM)
    process.err.until("Stopping")
    code, seconds = process.stop()
    assert (code, seconds < 1.5) == (128 + signal.SIGTERM, True)


def test_a_request_under_way_does_not_hold_up_the_end(place):
    place.plugin(
        "sleeper",
        """
        async def sleep(request):
            request.services[Marks].touch()
            await asyncio.sleep(600)

        class Marks: ...

        @hookimpl
        def neomind_services(ctx):
            return [Service(key=Marks, build=lambda ctx: ctx.data_dir / "asked")]

        @hookimpl
        def neomind_routes(ctx):
            return [Route(method="GET", path="/sleep", handler=sleep, scope=PUBLIC, summary="x")]
        """,
    )
    process = place.serve(NEOMIND_ONLY="sleeper")
    host, port = process.address().removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(b"GET /api/sleep HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 10
        while not (place.data / "asked").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        code, seconds = process.stop()
    assert (code, seconds < 10) == (0, True)


def test_web_sockets_work_and_are_closed_at_the_end(place):
    place.plugin(
        "echo",
        """
        async def echo(socket, request):
            await socket.accept()
            while True:
                await socket.send_text(await socket.receive_text())

        @hookimpl
        def neomind_routes(ctx):
            return [SocketRoute(path="/echo", handler=echo, scope=PUBLIC, summary="x")]
        """,
    )
    process = place.serve(NEOMIND_ONLY="echo")
    with connect(process.address().replace("http", "ws") + "/api/echo", proxy=None) as client:
        client.send("hello")
        assert client.recv(timeout=10) == "hello"
        code, seconds = process.stop()
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
    assert (code, seconds < 5) == (0, True)
    assert "Deprecat" not in process.err.rest()


@pytest.mark.slow
def test_a_process_that_cannot_end_is_ended_in_time(place):
    """The plugin's thread, which is no daemon, outlives everything that could be stopped."""
    place.plugin("undying", body("start", "import threading; threading.Thread(target=time.sleep, args=(600,)).start()"))
    process = place.serve(NEOMIND_ONLY="undying")
    process.address()
    code, seconds = process.stop(within=15)
    assert (code, seconds < 10.5) == (1, True)
    assert "Timeout" in process.err.rest()
