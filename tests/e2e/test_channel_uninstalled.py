"""``pip uninstall`` of a channel that is in use: everything else runs, its messages wait, and come when it is back."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import venv
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST, PACKAGE = "neomind-channel-telegram", "neomind_channel_telegram"
TOKEN = "123456:a-token-that-nobody-may-see"
ADMIN = {"username": "anna", "password": "kitchen-1"}
PATIENT_S = 30.0
NEEDS_SETUPTOOLS = 77

pytestmark = pytest.mark.skipif(
    int(version("setuptools").split(".")[0]) < NEEDS_SETUPTOOLS, reason="setuptools is too old"
)


class Bots:
    """A Bot API server; it answers with ``status``. ``texts`` are those of the messages it took."""

    def __init__(self):
        self.status = 200
        self.asked = 0
        self.texts = []
        bots = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                bots.asked += 1
                if bots.status == 200:
                    bots.texts.append(body["text"])
                answer = json.dumps({"ok": bots.status == 200}).encode()
                self.send_response(bots.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def took(self, title):
        return sum(title in text for text in self.texts)


@contextmanager
def bot_server():
    bots = Bots()
    thread = threading.Thread(target=bots.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bots
    finally:
        bots.server.shutdown()
        bots.server.server_close()
        thread.join()


class Environment:
    """A virtual environment with all that this one has, except the channel; pip may do with that what it wants."""

    def __init__(self, directory):
        venv.create(directory / "venv", symlinks=True)
        self.python = directory / "venv" / "bin" / "python"
        major, minor = sys.version_info[:2]
        self.site = directory / "venv" / "lib" / f"python{major}.{minor}" / "site-packages"
        for kind in ("purelib", "platlib"):
            for entry in Path(sysconfig.get_path(kind)).iterdir():
                if PACKAGE not in entry.name and not (self.site / entry.name).exists():
                    (self.site / entry.name).symlink_to(entry)
        junk = shutil.ignore_patterns("*.egg-info", "__pycache__", "build", "tests")
        source = shutil.copytree(ROOT / "extensions" / "channel_telegram", directory / "source", ignore=junk)
        run(sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation", "-w", directory, source)
        (self.wheel,) = directory.glob("*.whl")

    def pip(self, *args):
        run(self.python, "-m", "pip", *args)

    def install(self):
        self.pip("install", *OFFLINE, self.wheel)
        assert (self.site / PACKAGE).is_dir()

    def uninstall(self):
        self.pip("uninstall", "--yes", DIST)
        assert not (self.site / PACKAGE).exists()


OFFLINE = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")


def run(*command):
    env = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, timeout=100, env=env)
    assert done.returncode == 0, done.stdout + done.stderr


def until(look):
    """What ``look`` says, once it says something."""
    end = time.monotonic() + PATIENT_S
    while not (found := look()):
        assert time.monotonic() < end, "it does not become so"
        time.sleep(0.02)
    return found


class Person:
    """An administrator at one start of the platform."""

    def __init__(self, server, data):
        self.client, self.data = server.user(**ADMIN), data

    def get(self, path, **params):
        return self.data(self.client.get(path, params=params))

    def send(self, title):
        return self.data(self.client.post("/messages/send", json={"title": title, "message": "81.5 °C"}))["id"]

    def delivery(self, message_id):
        (row,) = self.get(f"/messages/{message_id}")["deliveries"]
        return row

    def once(self, message_id, **wanted):
        """The delivery of a message, once it is as wanted; of ``detail`` a part is enough."""

        def look():
            row = self.delivery(message_id)
            fits = {name: row[name] == value for name, value in wanted.items() if name != "detail"}
            return row if all(fits.values()) and wanted.get("detail", "") in (row["detail"] or "") else None

        return until(look)

    @property
    def types(self):
        return {row["id"] for row in self.get("/messages/channels/types")["types"]}


@contextmanager
def person(home, environment, data):
    command = (str(environment.python), "-m", "neomind_core.host.cli", "serve")
    server = home.serve(command=command, NEOMIND_OUTBOX__BACKOFF_S="0.05", NEOMIND_OUTBOX__POLL_S="0.1")
    try:
        server.client().post("/auth/register", json=ADMIN)
        yield Person(server, data)
    finally:
        code, _ = server.stop()
    assert code == 0, server.err.all()


def test_messages_wait_for_their_channel_to_come_back(make_home, tmp_path, data):
    environment, home = Environment(tmp_path), make_home("uninstalled")
    with bot_server() as bots:
        environment.install()
        with person(home, environment, data) as anna:
            before = anna.types
            assert "telegram" in before
            body = {"channel_type": "telegram", "token": TOKEN, "chat_id": "42", "base_url": bots.url}
            data(anna.client.post("/messages/channels", json={"name": "bot", **body}))
            first = anna.once(anna.send("While it is there"), state="delivered")
            assert (first["attempts"], bots.took("While it is there")) == (1, 1)
            bots.status = 503
            failing = anna.send("When the service is down")
            until(lambda: anna.delivery(failing)["attempts"])
        tried = bots.asked - 1
        bots.status = 200

        environment.uninstall()
        with person(home, environment, data) as anna:
            assert anna.types == before - {"telegram"}
            assert PACKAGE.removeprefix("neomind_") not in {row["id"] for row in anna.get("/extensions")}
            channel = anna.get("/messages/channels/bot")
            assert (channel["enabled"], channel["available"]) == (True, False)
            assert "'telegram' is not installed" in channel["reason"]
            assert TOKEN not in json.dumps(channel)
            waiting = anna.send("While it is not there")
            row = anna.once(waiting, state="pending", detail="is not installed")
            assert row["attempts"] == 0
            assert anna.once(failing, state="pending", detail="is not installed")["attempts"] == tried
        assert bots.asked == tried + 1

        environment.install()
        with person(home, environment, data) as anna:
            assert anna.get("/messages/channels/bot")["available"] is True
            assert anna.once(waiting, state="delivered")["attempts"] == 1
            assert anna.once(failing, state="delivered")["attempts"] == tried + 1
        assert bots.took("While it is not there") == bots.took("When the service is down") == 1
