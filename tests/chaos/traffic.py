"""Devices that post numbered readings until the server is gone, and remember what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Iterator

from ..bench.processes import HOST, Server

CLIENTS = 8
BATCH = 3
DEVICE = "meter"
METRIC = "number"
HEAD = f"POST /api/devices/{DEVICE}/webhook HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
AT_LEAST = 30
ENOUGH_S = 20.0


class Traffic:
    """Numbers that go out, each once. ``acknowledged`` are those whose request was answered with 200."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self._numbers: Iterator[int] = itertools.count()

    async def until_killed(self, server: Server, seconds: float) -> None:
        """Post from several connections, and ``kill -9`` the server so long after it has acknowledged some."""
        self._enough, self._goal = asyncio.Event(), len(self.acknowledged) + AT_LEAST
        clients = [asyncio.create_task(self._post(server.port)) for _ in range(CLIENTS)]
        await asyncio.wait_for(self._enough.wait(), ENOUGH_S)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*clients)

    async def _post(self, port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            while True:
                numbers = list(itertools.islice(self._numbers, random.randint(1, BATCH)))
                if await exchange(reader, writer, numbers):
                    self.acknowledged += numbers
                    if len(self.acknowledged) >= self._goal:
                        self._enough.set()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the server is gone
        finally:
            writer.close()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, numbers: list[int]) -> bool:
    """Post readings in one request; whether they were acknowledged: the answer is 200, and there as a whole."""
    readings = [{METRIC: number} for number in numbers]
    body = json.dumps(readings[0] if len(readings) == 1 else readings).encode()
    writer.write(b"%sContent-Length: %d\r\n\r\n%s" % (HEAD.encode(), len(body), body))
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0]))
    return head.split()[1] == "200"
