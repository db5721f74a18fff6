"""Orders for the outbox, and a receiver of what comes of them, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ALL_S = 60.0
POLL_S = 0.005

SINK = """
import asyncio, os, sys

async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            lines = dict(line.split(": ", 1) for line in head.decode().split("\\r\\n")[1:-2])
            lines = {name.lower(): value for name, value in lines.items()}
            body = await reader.readexactly(int(lines["content-length"]))
            os.write(1, f"{lines['webhook-id']} {body.decode()}\\n".encode())
            await asyncio.sleep(float(sys.argv[1]))
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n")
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    os.write(2, f"{server.sockets[0].getsockname()[1]}\\n".encode())
    await server.serve_forever()

asyncio.run(main())
"""

EXTENSION = """
import os
from neomind_sdk import ADMIN, ADMIN_TARGET, Database, Delivery, Order, Outbox, Plugin, Route, Step, hookimpl

plugin = Plugin(name="orderer", summary="Puts orders in, and posts them to a sink.", requires=("outbox",), version="1")

class Poster:
    async def deliver(self, order, tools):
        body = f"{order.lane} {order.payload['n']}".encode()
        sink = os.environ["SINK_URL"]
        answer = await tools.egress.request("POST", sink, headers=tools.headers, content=body, trust=ADMIN_TARGET)
        return Delivery.of(answer)

    async def settled(self, record):
        pass

@hookimpl
def neomind_routes(ctx):
    async def put(request):
        count, lanes = request.body["count"], request.body["lanes"]
        orders = [Order(lane=f"sink:{n % lanes}", kind="orderer", payload={"n": n}) for n in range(count)]
        outbox = request.services[Outbox]
        ids = await request.services[Database].write(lambda: outbox.put(orders))
        outbox.wake()
        return {"ids": list(ids)}

    return [Route(method="POST", path="/orderer", handler=put, scope=ADMIN, summary="Put orders in")]

@hookimpl
def neomind_start(ctx):
    async def serve():
        ctx.services[Outbox].serve("orderer", Poster())

    return [Step(name="serve", run=serve)]
"""


class Sink:
    """The receiver. ``got`` are the lines that it wrote: delivery id, lane, number."""

    def __init__(self, log: Path, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        self.url = f"http://127.0.0.1:{int(process.stderr.readline())}/"
        self._log = log

    def got(self) -> list[list[str]]:
        return [line.split() for line in self._log.read_text().splitlines()]

    def until(self, count: int) -> list[list[str]]:
        """Wait until so many different deliveries were got."""
        end = time.perf_counter() + ALL_S
        while len({row[0] for row in self.got()}) < count:
            assert time.perf_counter() < end, f"{len(self.got())} of {count} came"
            time.sleep(POLL_S)
        return self.got()


@contextmanager
def sink(log: Path, delay_s: float) -> Iterator[Sink]:
    with log.open("wb") as output:
        command = [sys.executable, "-c", SINK, str(delay_s)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        yield Sink(log, process)
    finally:
        process.kill()
        process.communicate()


def add_orderer(data_dir: Path) -> None:
    """Put the extension into a data directory that is new."""
    (data_dir / "extensions").mkdir(parents=True)
    (data_dir / "extensions" / "orderer.py").write_text(EXTENSION)
