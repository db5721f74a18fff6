"""MQTT: publish until queryable, against the same load into subscribers that only count; Mosquitto in between.

``mqtt.py count <client> <port> <qos> <number>`` and ``mqtt.py load <port> <qos> <number> [<first>]`` are the processes
that it starts; both print the moment at which they were done, by the clock that all processes share.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mosquitto import Mosquitto
from mosquitto import running as broker_running
from processes import Server, platform, running, set_up
from table import Row

HOST = "127.0.0.1"
DEVICE = "meter"
KIND = "bench"
TOPIC = f"device/{KIND}/{DEVICE}/uplink"
NUMBER = 60_000
ROUNDS = 3
GOAL = 0.7
WINDOW = 2000
CHUNK = 200
WAIT_S = 60.0
POLL_S = 0.02
# gmqtt is measured where it is installed. Its wheel brings a package "tests", so it is in none of our environments.
COUNTERS = ("paho", *(["gmqtt"] if importlib.util.find_spec("gmqtt") else []), "whole buffers")

# ---- the load -------------------------------------------------------------------------------------------------------


def text(value: str) -> bytes:
    return len(value).to_bytes(2, "big") + value.encode()


def packet(first: int, body: bytes) -> bytes:
    """Bodies of up to 16 KB."""
    size = len(body)
    length = bytes((size,)) if size < 128 else bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((first,)) + length + body


def publish(number: int, qos: int) -> bytes:
    packet_id = (number % 0xFFFF + 1).to_bytes(2, "big") if qos else b""
    return packet(0x30 | qos << 1, text(TOPIC) + packet_id + b'{"number": %d}' % number)


def load(port: int, qos: int, number: int, first: int = 0) -> dict[str, float]:
    """Publish as fast as the broker takes it; when the first left, and when the broker had the last."""
    packets = [publish(one, qos) for one in range(first, first + number)]
    chunks = [b"".join(packets[start : start + CHUNK]) for start in range(0, number, CHUNK)]
    room = threading.Semaphore(WINDOW // CHUNK)
    with socket.create_connection((HOST, port)) as sock:
        sock.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x3c" + text(f"load-{time.monotonic_ns()}")))
        sock.recv(4)
        reader = threading.Thread(target=acknowledged, args=(sock, number * qos, room), daemon=True)
        began = time.monotonic()
        reader.start()
        for chunk in chunks:
            if qos:
                room.acquire()
            sock.sendall(chunk)
        reader.join(WAIT_S)
        sock.sendall(b"\xe0\x00")
    return {"began": began, "ended": time.monotonic()}


def acknowledged(sock: socket.socket, number: int, room: threading.Semaphore) -> None:
    """Read so many acknowledgements, of four bytes each."""
    size = released = 0
    while size < number * 4:
        size += len(sock.recv(65_536))
        while size // 4 // CHUNK > released:
            released += 1
            room.release()


# ---- who counts -----------------------------------------------------------------------------------------------------


def ready() -> None:
    print("ready", flush=True)


def count_paho(port: int, qos: int, number: int) -> None:
    """The callback does nothing but count."""
    import paho.mqtt.client as paho

    left = number

    def on_message(client: Any, _data: Any, _message: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            client.disconnect()

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="counter")
    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe(TOPIC, qos)
    client.on_subscribe = lambda *_: ready()
    client.connect(HOST, port)
    client.loop_forever()


async def count_gmqtt(port: int, qos: int, number: int) -> None:
    import gmqtt

    left, done = number, asyncio.Event()

    async def on_message(*_: Any) -> int:
        nonlocal left
        left -= 1
        if not left:
            done.set()
        return 0

    client = gmqtt.Client("counter")
    client.on_message = on_message
    client.on_subscribe = lambda *_: ready()
    await client.connect(HOST, port, version=gmqtt.constants.MQTTv311)
    client.subscribe(TOPIC, qos)
    await done.wait()
    await client.disconnect()


async def count_ours(port: int, qos: int, number: int) -> None:
    """The transport's own receive side, acknowledging at once."""
    from neomind_plugins.transport_mqtt.packets import Login, Message
    from neomind_plugins.transport_mqtt.seam import Target
    from neomind_plugins.transport_mqtt.wire import connect

    left, done = number, asyncio.Event()

    def received(messages: list[Message]) -> None:
        nonlocal left
        left -= len(messages)
        if qos:
            wire.ack([message.packet_id for message in messages])
        if left <= 0:
            done.set()

    wire = await connect(Target(host=HOST, port=port, login=Login(client_id="counter", clean=True)), received)
    await wire.subscribe([(TOPIC, qos)])
    ready()
    await done.wait()
    await wire.close()


def count(client: str, port: int, qos: int, number: int) -> dict[str, float]:
    import uvloop

    if client == "paho":
        count_paho(port, qos, number)
    else:
        uvloop.run((count_gmqtt if client == "gmqtt" else count_ours)(port, qos, number))
    return {"ended": time.monotonic()}


# ---- the rounds -----------------------------------------------------------------------------------------------------


def process(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result(started: subprocess.Popen[str]) -> dict[str, float]:
    said, _ = started.communicate(timeout=WAIT_S)
    if started.returncode:
        raise RuntimeError(f"{started.args} ended with {started.returncode}")
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


def counted(client: str, port: int, qos: int, number: int) -> float:
    """Messages per second until the last was counted."""
    counter = process("count", client, port, qos, number)
    try:
        assert counter.stdout is not None
        counter.stdout.readline()
        began = result(process("load", port, qos, number))["began"]
        return number / (result(counter)["ended"] - began)
    finally:
        counter.kill()


def queryable(server: Server, token: str, port: int, qos: int, number: int) -> float:
    """Messages per second until the last can be asked for; they come in order. Then all must be there."""
    before = stored(server, token)
    loading = process("load", port, qos, number, before)
    try:
        until = time.monotonic() + WAIT_S
        while newest(server, token) != before + number - 1:
            if time.monotonic() > until:
                raise RuntimeError(f"{stored(server, token) - before} of {number} messages were stored")
            time.sleep(POLL_S)
        ended = time.monotonic()
        began = result(loading)["began"]
    finally:
        loading.kill()
    if stored(server, token) != before + number:
        raise RuntimeError(f"{stored(server, token) - before} of {number} messages were stored")
    return number / (ended - began)


def newest(server: Server, token: str) -> Any:
    """The value that the device has now; cheap to ask for, unlike the number of all."""
    metrics = server.call("GET", f"/api/devices/{DEVICE}/current", token=token)["data"]["metrics"]
    return metrics["number"]["value"]


def stored(server: Server, token: str) -> int:
    path = f"/api/devices/{DEVICE}/history?metric=number&limit=1"
    return int(server.call("GET", path, token=token)["data"]["pagination"]["total"])


def add_meter(server: Server, token: str, port: int) -> None:
    """A device, and the broker that it is at."""
    kind = {"device_type": KIND, "name": KIND, "metrics": [{"name": "number", "data_type": "float"}]}
    server.call("POST", "/api/devices/types", kind | {"store_raw": False}, token)
    device = {"name": DEVICE, "device_id": DEVICE, "device_type": KIND, "connection_config": {}}
    server.call("POST", "/api/devices", device, token)
    broker = {"id": "bench", "name": "bench", "broker": HOST, "port": port, "subscribe_topics": ["device/#"]}
    server.call("POST", "/api/brokers", broker, token)
    until = time.monotonic() + WAIT_S
    while not (found := server.call("GET", "/api/brokers/bench", token=token)["data"]["broker"])["connected"]:
        if time.monotonic() > until:
            raise RuntimeError(f"the platform did not connect to the broker: {found['last_error']}")
        time.sleep(0.02)


def benchmark(folder: Path) -> list[Row]:
    """Messages per second; ratios are medians over rounds of what followed closely upon each other."""
    ours = platform(folder / "mqtt", NEOMIND_MQTT_BROKER__ENABLED="false")
    with ExitStack() as stack:
        bare = stack.enter_context(broker_running(folder / "counted"))
        broker = stack.enter_context(broker_running(folder / "stored"))
        stack.enter_context(running(ours))
        token = set_up(ours)
        add_meter(ours, token, broker.port)
        return [row for qos in (1, 0) for row in compared(qos, bare, broker, ours, token)]


def compared(qos: int, bare: Mosquitto, broker: Mosquitto, ours: Server, token: str) -> list[Row]:
    rates: dict[str, list[float]] = {name: [] for name in (*COUNTERS, "platform")}
    cpu = []
    for _ in range(ROUNDS):
        for client in COUNTERS:
            rates[client].append(counted(client, bare.port, qos, NUMBER))
        used = ours.cpu_s()
        rates["platform"].append(queryable(ours, token, broker.port, qos, NUMBER))
        cpu.append((ours.cpu_s() - used) / NUMBER * 1e6)
    return rows(qos, rates, statistics.median(cpu))


def rows(qos: int, rates: dict[str, list[float]], cpu_us: float) -> list[Row]:
    found = []
    for name, own in rates.items():
        mine = name == "platform"
        pairs = zip(own, rates["paho"], strict=True)
        found.append(
            Row(
                what=f"MQTT QoS {qos}: " + ("publish until queryable" if mine else f"bare subscriber, {name}"),
                value=statistics.median(own),
                unit="msg/s",
                ratio=statistics.median(rate / other for rate, other in pairs) if name != "paho" else None,
                against="bare paho",
                goal=GOAL if mine else None,
                at_least=True,
                note=f"{cpu_us:.0f} µs of processor each" if mine else "",
            )
        )
    return found


COMMANDS: dict[str, Callable[..., dict[str, float]]] = {"count": count, "load": load}


def main(command: str, *arguments: str) -> None:
    numbers = [int(one) if one.isdigit() else one for one in arguments]
    print(json.dumps(COMMANDS[command](*numbers)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
