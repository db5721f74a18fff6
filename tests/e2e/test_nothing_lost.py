"""What rules raise is delivered: twenty at once, over a kill -9, and not without end where a rule feeds itself."""

import json
import signal
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from neomind_sdk.testing import needs

RULES = 20
HOPS_MAX = 8
PATIENT_S = 30.0
ADMIN = {"username": "anna", "password": "kitchen-1"}
QUICK = {"NEOMIND_OUTBOX__BACKOFF_S": "0.05", "NEOMIND_OUTBOX__BACKOFF_MAX_S": "0.2"}
pytestmark = needs("channel_webhook")

# A command whose result is a value of the extension: whoever runs it when that value changes, feeds himself.
EXTENSION = """
from neomind_sdk import ExtensionCommand, OutputMetric, Plugin, hookimpl

plugin = Plugin(name="echoing", summary="Says again what it was told.", version="1")

async def say(args, call):
    return {"level": args.get("level", 90)}

@hookimpl
def neomind_commands(ctx):
    return [ExtensionCommand(name="say", run=say, outputs=(OutputMetric(name="level"),))]
"""


class Sink:
    """Takes notifications, or answers ``status``. ``got`` are delivery ids and messages, ``asked`` counts all."""

    def __init__(self):
        self.status, self.asked, self.got = 200, 0, []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if sink.status == 200:
                    sink.got.append((self.headers["webhook-id"], body))
                sink.asked += 1
                self.send_response(sink.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def titled(self, word):
        """Delivery ids by title, of what came with such a title."""
        found = [(body["title"], ident) for ident, body in self.got if word in body["title"]]
        return {title: [ident for other, ident in found if other == title] for title, _ in found}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def until(look):
    """What ``look`` says, once it says something."""
    end = time.monotonic() + PATIENT_S
    while not (found := look()):
        assert time.monotonic() < end, "it does not become so"
        time.sleep(0.02)
    return found


class Person:
    """An administrator at a server."""

    def __init__(self, server, data):
        self.client, self.data = server.user(**ADMIN), data

    def get(self, path, **params):
        return self.data(self.client.get(path, params=params))

    def post(self, path, body=None):
        return self.data(self.client.post(path, json=body))

    def rule(self, name, source, *actions):
        leaf = {"condition_type": "comparison", "source": source, "operator": ">", "threshold": 80}
        trigger = {"trigger_type": "data_change"}
        rule = {"name": name, "trigger": trigger, "condition": leaf, "actions": actions, "cooldown": 0}
        return self.post("/rules", rule)["rule"]["id"]

    def furnish(self, sink):
        """A boiler with two metrics, twenty rules for each of them, and a channel."""
        metrics = [{"name": name, "data_type": "float"} for name in ("t", "p")]
        self.post("/devices/types", {"device_type": "kettle", "name": "Kettle", "metrics": metrics})
        boiler = {"device_id": "boiler", "name": "Boiler", "device_type": "kettle", "adapter_type": "webhook"}
        self.post("/devices", boiler | {"connection_config": {}})
        self.post("/messages/channels", {"name": "ops", "channel_type": "webhook", "url": sink.url})
        for metric, word in (("t", "Hot"), ("p", "Pressed")):
            for number in range(RULES):
                notify = {"type": "notify", "title": f"{word} {number}", "message": "{value}"}
                self.rule(f"{word} {number}", f"device:boiler:{metric}", notify)

    def measure(self, **values):
        self.post("/devices/boiler/webhook", values)

    def pending(self):
        return self.get("/outbox", state="pending", limit=1)["total"]


@pytest.fixture(scope="module")
def sink():
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture(scope="module")
def home(make_home):
    home = make_home("nothing-lost", **QUICK)
    (home.data / "extensions").mkdir(parents=True)
    (home.data / "extensions" / "echoing.py").write_text(EXTENSION)
    return home


@pytest.fixture(scope="module")
def server(home, sink, data):
    server = home.serve()
    server.client().post("/auth/register", json=ADMIN)
    Person(server, data).furnish(sink)
    yield server
    server.clients.close()


@pytest.fixture
def anna(server, data):
    return Person(server, data)


def test_twenty_rules_in_one_second(anna, sink):
    anna.measure(t=95.5)
    until(lambda: len(sink.titled("Hot")) == RULES and not anna.pending())
    got = sink.titled("Hot")
    assert set(got) == {f"Hot {number}" for number in range(RULES)}
    assert all(len(ids) == 1 for ids in got.values())
    assert sink.titled("Pressed") == {}
    assert anna.get("/messages", limit=100)["total"] == RULES


def test_a_rule_that_feeds_itself_is_paused_and_says_so(anna, sink):
    again = {"type": "execute", "target_type": "extension", "target": "echoing", "command": "say", "params": {}}
    rule_id = anna.rule("Echo", "extension:echoing:level", again)
    before = sink.asked
    anna.post("/extensions/echoing/commands/say", {"level": 99})
    paused = until(lambda: anna.get(f"/rules/{rule_id}")["rule"].get("paused"))
    assert "feeds itself" in paused["reason"]
    ids = until(lambda: sink.titled("Rule paused: Echo"))["Rule paused: Echo"]
    assert len(ids) == 1
    stored = anna.get("/telemetry", source="extension:echoing", metric="level", limit=1000)["count"]
    executions = until(lambda: settled(anna, rule_id, stored - 1))  # the first value came from us
    assert 1 <= len(executions) <= HOPS_MAX
    assert {tuple(one["actions_executed"]) for one in executions} == {("EXTENSION: echoing.say",)}
    assert sink.asked == before + 1
    anna.post("/extensions/echoing/commands/say", {"level": 99})
    assert settled(anna, rule_id, len(executions))


def settled(anna, rule_id, count):
    """The executions of a rule, when there are so many."""
    executions = anna.get(f"/rules/{rule_id}/history", limit=100)["executions"]
    return executions if len(executions) == count else None


def test_a_rule_that_feeds_another_source_goes_on(anna):
    """Negative control: to run a command of an extension is no storm."""
    say = {"type": "execute", "target_type": "extension", "target": "echoing", "command": "say", "params": {}}
    rule_id = anna.rule("Say", "device:boiler:t", say)
    for number in range(2 * HOPS_MAX):
        anna.measure(t=90 + number)
    until(lambda: settled(anna, rule_id, 2 * HOPS_MAX))
    assert anna.get(f"/rules/{rule_id}")["rule"]["state"] == "active"


def test_what_was_raised_before_a_kill_is_delivered_after_it(home, server, anna, sink, data):
    sink.status, before = 503, sink.asked
    anna.measure(p=95.5)
    until(lambda: anna.pending() >= RULES and sink.asked > before)
    assert server.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    assert sink.titled("Pressed") == {}
    sink.status = 200
    restarted = home.serve()
    with restarted.clients:
        check_all_delivered(Person(restarted, data), sink)
    assert restarted.stop()[0] == 0


def check_all_delivered(anna, sink):
    until(lambda: len(sink.titled("Pressed")) == RULES and not anna.pending())
    got = sink.titled("Pressed")
    assert set(got) == {f"Pressed {number}" for number in range(RULES)}
    assert all(len(ids) == 1 for ids in got.values())
    deliveries = anna.get("/outbox", limit=200)["deliveries"]
    states = Counter(row["state"] for row in deliveries)
    assert set(states) == {"delivered"}
    assert {ident for ids in got.values() for ident in ids} <= {row["delivery_id"] for row in deliveries}
