"""A restart, orderly or not, loses nothing that a target has taken in."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import textwrap
from contextlib import closing
from pathlib import Path

from neomind_sdk import Ingest, Point
from neomind_sdk.testing.sink import Sink

from .conftest import TEMPERATURE, Push, becomes, pushing

ROOT = Path(__file__).resolve().parents[3]
FIVE = {"batch_size": 5, "batch_interval_ms": 2000, "format": "flat"}
CHILD = """
import asyncio, sys
from pathlib import Path

from neomind_sdk.testing.sink import Sink
from tests.plugins.data_push.conftest import pushing

async def main():
    async with Sink() as sink:
        sink.answer(500)
        async with pushing(Path(sys.argv[1]), sink=sink) as push:
            await push.create(name="one", config={"url": sys.argv[2]})
            await push.create(name="batch", config={"url": sys.argv[2]}, batch_config={"batch_size": 5})
            await push.store(1, 2)
            print("stored", flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_what_waits_in_the_queue_is_delivered_after_a_restart(tmp_path: Path, sink: Sink) -> None:
    sink.answer(500)
    async with pushing(tmp_path, sink=sink) as push:
        ident = await push.create(retry_config={"max_retries": 90, "backoff_secs": 1, "max_backoff_secs": 1})
        await push.store(1, 2, 3)
        await push.arrived(1)
    sink.answer(200)
    async with pushing(tmp_path, sink=sink) as push:
        rows = await push.ended(ident, 3)
        assert [row["status"] for row in rows] == ["success"] * 3
        got = [request.json()["value"] for request in sink.requests]
        assert list(dict.fromkeys(got)) == [1, 2, 3]
        await push.counted(3, 3, 0)


async def test_what_waits_for_its_batch_is_there_after_a_restart(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink) as push:
        await push.create(batch_config=FIVE)
        await push.store(1, 2)
    assert sink.requests == []
    async with pushing(tmp_path, sink=sink) as push:
        await push.store(3)
        [body] = await push.arrived(1)
        assert [item["value"] for item in body["items"]] == [1, 2, 3]


async def test_what_is_stored_while_the_platform_stops_is_taken_along(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink) as push:
        await push.create()
        now = push.clock.now_ms()
        for number in range(50):
            await push.host.services[Ingest].write([Point(TEMPERATURE, now, number)], source="api")
    async with pushing(tmp_path, sink=sink) as push:
        await push.arrived(50)
        got = [request.json()["value"] for request in sink.requests]
        assert list(dict.fromkeys(got)) == list(range(50))


async def test_a_stopped_target_stays_stopped(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink) as push:
        ident = await push.create()
        await push.call(ident, "stop")
    async with pushing(tmp_path, sink=sink) as push:
        await push.store(1)
        await push.quiet()
        assert sink.requests == []
        await push.call(ident, "start")
        await push.store(2)
        assert [body["value"] for body in await push.arrived(1)] == [2]


async def test_a_template_that_cannot_be_used_any_more_is_said(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink) as push:
        ident = await push.create(template="{{ value }}")
    break_template(tmp_path)
    async with pushing(tmp_path, sink=sink) as push:
        shown = await push.show(ident)
        assert (shown["available"], "there is no 'nope'" in shown["reason"]) == (False, True)
        await push.store(1)
        await push.quiet()
        assert sink.requests == []
        await push.put(ident, template="{{ value }}")
        assert (await push.show(ident))["reason"] is None
        await push.store(2)
        assert await push.arrived(1) == [2]


def break_template(folder: Path) -> None:
    [path] = folder.rglob("*.db")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE data_push_targets SET template = '{{ nope }}'")


async def test_kill_9_loses_neither_queue_nor_buffer(tmp_path: Path, sink: Sink) -> None:
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(CHILD))
    closed = "http://127.0.0.1:1/in"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), str(tmp_path / "data"), closed),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    while (line := await asyncio.wait_for(child.stdout.readline(), 60)) != b"stored\n":
        assert line, "the child ended"
    child.send_signal(signal.SIGKILL)
    await child.wait()
    async with pushing(tmp_path / "data", sink=sink) as push:
        await sent_elsewhere(push, sink.url)
        await everything_came(push)


async def sent_elsewhere(push: Push, url: str) -> None:
    for target in (await push.api.get("/api/data-push")).json()["data"]["targets"]:
        await push.put(target["id"], config={"url": f"{url}/{target['name']}"})


async def everything_came(push: Push) -> None:
    assert push.sink is not None
    sink = push.sink

    async def there() -> bool:
        await push.clock.advance(0.5)
        return len(sink.requests) >= 3

    await becomes(there)
    ones = [request.json()["value"] for request in sink.requests if request.target == "/one"]
    batches = [request.json()["items"] for request in sink.requests if request.target == "/batch"]
    assert list(dict.fromkeys(ones)) == [1, 2]
    assert [item["value"] for item in batches[0]] == [1, 2]
