"""Webhook ingest: the platform against a bare route and the floor server, in turns within one run."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from processes import Server, add_device, platform, running, set_up
from table import Row

HERE = Path(__file__).parent
CONNECTIONS = 32
ROUNDS = 9  # many short ones: what else the machine does falls on all of them
GOAL = 0.7
METRICS = ["temperature", "humidity", "number"]
Rounds = list[dict[str, Any]]


def measured(server: Server, device_id: str, seconds: float) -> dict[str, Any]:
    """One round of load."""
    path = f"/api/devices/{device_id}/webhook"
    command = [sys.executable, str(HERE / "load.py"), str(server.port), path, str(CONNECTIONS), str(seconds)]
    before = server.cpu_s()
    done = subprocess.run(command, capture_output=True, timeout=seconds + 60, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    if result["failed"]:
        raise RuntimeError(f"{path}: not all requests were answered with 200: {result['failed']}")
    result["cpu_us"] = (server.cpu_s() - before) / result["answered"] * 1e6
    return result


def beside(name: str, folder: Path, *arguments: str) -> Server:
    """One of the servers in this directory."""
    return Server([sys.executable, str(HERE / f"{name}.py"), *arguments], folder / name, health="/health")


def benchmark(folder: Path, seconds: float) -> list[Row]:
    """Requests per second and latencies; ratios are medians over rounds of what followed closely upon each other."""
    bare = Server([sys.executable, str(HERE / "bare.py"), "{port}"], folder / "bare", health="/health")
    floor = Server(
        [sys.executable, str(HERE / "floor.py"), "{port}", "{directory}.db"], folder / "floor", health="/health"
    )
    ours = platform(folder / "platform")
    with contextlib.ExitStack() as stack:
        for server in (bare, floor, ours):
            stack.enter_context(running(server))
        token = set_up(ours)
        add_device(ours, token, "values", METRICS, store_raw=False)
        add_device(ours, token, "whole", METRICS)
        contenders = {
            "bare route": (bare, "values"),
            "floor server": (floor, "values"),
            "platform": (ours, "values"),
            "platform, message kept too": (ours, "whole"),
        }
        rounds: dict[str, Rounds] = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, (server, device_id) in contenders.items():
                rounds[name].append(measured(server, device_id, seconds * 3 / ROUNDS))
    return rows(rounds)


def rows(rounds: dict[str, Rounds]) -> list[Row]:
    floor, bare = rounds["floor server"], rounds["bare route"]
    found = []
    for name, own in rounds.items():
        times = f"p50 {middle(own, 'p50_ms'):.2f} ms, p99 {middle(own, 'p99_ms'):.2f} ms"
        note = f"{times}, {middle(own, 'cpu_us'):.0f} µs of processor each"
        what, rate = f"webhook, {CONNECTIONS} connections: {name}", middle(own, "rate")
        if name != "bare route":
            note += f"; {ratio(own, bare):.2f} x bare route"
        against = ratio(own, floor) if name.startswith("platform") else None
        goal = GOAL if name == "platform" else None
        found.append(Row(what=what, value=rate, unit="req/s", note=note, ratio=against, against="floor server",
                         goal=goal, at_least=True))  # fmt: skip
    return found


def middle(rounds: Rounds, key: str) -> float:
    return statistics.median(each[key] for each in rounds)


def ratio(own: Rounds, other: Rounds) -> float:
    return statistics.median(mine["rate"] / its["rate"] for mine, its in zip(own, other, strict=True))
