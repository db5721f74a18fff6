"""Rules: what thousands of them cost the ingest of samples, and how long it takes from a sample to a webhook."""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from ingest import METRICS, Rounds, measured, middle, ratio
from processes import HOST, Server, add_device, platform, running, set_up
from table import Row

FEW, MANY = 10, 10_000
IMPORT = 1_000
ROUNDS = 3
GOAL = 0.8
SAMPLES = 200
WARM_UP = 20
ARRIVES_WITHIN_S = 20.0
PACE_S = 0.005
# Every sample shall be told at once, however fast they come.
NO_STORM = {
    "NEOMIND_RULES__BURST": "100000",
    "NEOMIND_RULES__FIRINGS_PER_MINUTE": "100000",
    "NEOMIND_MESSAGES__REPEAT_WINDOW_S": "0",
    "NEOMIND_OUTBOX__LANE_RATE": "100000",
}


def benchmark(folder: Path, seconds: float) -> list[Row]:
    """Ingest with few and with many rules, in turns; then latencies with one and with a thousand."""
    found = throughput(folder, seconds)
    for others in (0, 999):
        found.append(latency(folder / f"latency{others}", others))
    return found


def rule(number: int, device_id: str, above: float, **more: Any) -> dict[str, Any]:
    """A rule about one metric of a device."""
    condition = {
        "condition_type": "comparison",
        "source": f"device:{device_id}:temperature",
        "operator": ">",
        "threshold": above,
    }
    notify = {"type": "notify", "message": "{value}", "severity": "warning"}
    return {
        "name": f"Rule {number}",
        "trigger": {"trigger_type": "data_change"},
        "condition": condition,
        "actions": [notify],
        **more,
    }


def add_rules(server: Server, token: str, rules: list[dict[str, Any]]) -> None:
    for start in range(0, len(rules), IMPORT):
        answer = server.call("POST", "/api/rules/import", {"rules": rules[start : start + IMPORT]}, token)
        if answer["data"]["errors"]:
            raise RuntimeError(f"rules were refused: {answer['data']['errors'][:3]}")


def ruled(data_dir: Path, count: int) -> Server:
    """A platform, not started yet, that will have so many rules."""
    return platform(data_dir / f"rules{count}", **NO_STORM)


def throughput(folder: Path, seconds: float) -> list[Row]:
    few, many = ruled(folder, FEW), ruled(folder, MANY)
    rounds: dict[int, Rounds] = {FEW: [], MANY: []}
    with contextlib.ExitStack() as stack:
        for count, server in ((FEW, few), (MANY, many)):
            stack.enter_context(running(server))
            token = set_up(server)
            add_device(server, token, "values", METRICS, store_raw=False)
            matching = [rule(number, "values", 0.0) for number in range(FEW)]
            others = [rule(number, f"other-{number % 1000}", 0.0) for number in range(FEW, count)]
            add_rules(server, token, matching + others)
        for _ in range(ROUNDS):
            for count, server in ((FEW, few), (MANY, many)):
                rounds[count].append(measured(server, "values", seconds))
    note = f"{middle(rounds[FEW], 'rate'):,.0f} req/s with {FEW} rules"
    return [
        Row(
            what=f"webhook ingest with {MANY:,} rules, {FEW} match",
            value=middle(rounds[MANY], "rate"),
            unit="req/s",
            ratio=ratio(rounds[MANY], rounds[FEW]),
            against=f"{FEW} rules",
            goal=GOAL,
            at_least=True,
            note=note,
        )
    ]


class Arrivals(threading.Thread):
    """A receiver on loopback: when which body came."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server((HOST, 0))
        self.url = f"http://{HOST}:{self._listening.getsockname()[1]}/"
        self.came: dict[str, float] = {}
        self.changed = threading.Condition()
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while head := list(iter(stream.readline, b"\r\n")):
                if not head[-1]:
                    return
                lengths = [line for line in head if line.lower().startswith(b"content-length:")]
                body = stream.read(int(lengths[0].split(b":")[1]))
                now = time.perf_counter()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                with self.changed:
                    self.came[json.loads(body)["message"]] = now
                    self.changed.notify_all()

    def wait(self, message: str) -> float:
        with self.changed:
            if not self.changed.wait_for(lambda: message in self.came, ARRIVES_WITHIN_S):
                raise RuntimeError(f"{message} did not come; {len(self.came)} others did")
            return self.came[message]


def latency(data_dir: Path, others: int) -> Row:
    """From the request with a sample until a webhook has the message of the rule that it fires."""
    server, receiver = platform(data_dir, **NO_STORM), Arrivals()
    with running(server), contextlib.closing(receiver):
        token = set_up(server)
        add_device(server, token, "values", METRICS, store_raw=False)
        channel = {"name": "sink", "channel_type": "webhook", "config": {"url": receiver.url}}
        server.call("POST", "/api/messages/channels", channel, token)
        rules = [rule(number, "values", 1e9, cooldown=0) for number in range(1, others + 1)]
        add_rules(server, token, [rule(0, "values", 0.0, cooldown=0), *rules])
        times = [one_sample(server, receiver, number) for number in range(1, SAMPLES + WARM_UP + 1)][WARM_UP:]
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    what = f"sample to webhook with {others + 1:,} rules on its series, p50"
    return Row(what=what, value=p50 * 1000, unit="ms", note=f"p99 {p99 * 1000:.1f} ms, {SAMPLES} samples")


def one_sample(server: Server, receiver: Arrivals, number: int) -> float:
    time.sleep(PACE_S)
    began = time.perf_counter()
    server.call("POST", "/api/devices/values/webhook", {"temperature": number})
    return receiver.wait(str(number)) - began
