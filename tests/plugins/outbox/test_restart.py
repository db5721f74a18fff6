"""What a restart, a crash and a second process leave of the promises."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.outbox.assembly import assembled
from neomind_plugins.outbox.models import OutboxSettings
from neomind_plugins.outbox.parts import Parts
from neomind_plugins.outbox.service import DurableOutbox
from neomind_sdk import Database, Delivery, DeliveryRecord, StorageFull
from neomind_sdk.node import Node

from .conftest import FAILED, KIND, OK, Receiver, World


async def test_what_waits_is_found_again_in_order(start: Any, receiver: Receiver) -> None:
    receiver.answers("a", FAILED)
    async with start(sqlite=True) as world:
        ids = await world.put(1, 2, 3)
        await world.put(4, lane="b", kind="unserved")
        await world.until(lambda: receiver.made)
    receiver.answers("a", OK)
    receiver.made.clear()
    async with start(sqlite=True) as world:
        await world.pass_time(2)
        await world.until(lambda: len(receiver.made) == 3)
        assert receiver.numbers() == [1, 2, 3]
        assert receiver.ids() == ids
        assert receiver.made[0][2].attempt == 2
        world.outbox.serve("unserved", receiver)
        await world.until(lambda: len(receiver.made) == 4)


async def test_a_lane_stays_held(start: Any, receiver: Receiver) -> None:
    receiver.answers("a", Delivery(ok=False, gone=True, detail="HTTP 410"), OK)
    async with start(sqlite=True) as world:
        (delivery_id,) = await world.put(1)
        await world.noted(delivery_id)
    async with start(sqlite=True) as world:
        await world.pass_time(600, 60)
        assert len(receiver.made) == 1
        assert "a" in await world.outbox.held()


async def test_an_attempt_that_was_cut_off_is_made_again_under_its_id(start: Any, receiver: Receiver) -> None:
    async def hang(order: Any, tools: Any) -> Delivery:
        await asyncio.Event().wait()
        return OK

    receiver.answers("a", hang, OK)
    async with start(sqlite=True) as world:
        (delivery_id,) = await world.put(1)
        await world.until(lambda: receiver.made)
    async with start(sqlite=True) as world:
        await world.until(lambda: len(receiver.ended) == 1)  # at once: its own lease is no obstacle
        assert receiver.ids() == [delivery_id, delivery_id]
        assert [tools.attempt for _, _, tools in receiver.made] == [1, 2]
        assert await world.state(delivery_id) == ("delivered", 2, "HTTP 200")


async def test_what_kills_the_platform_each_time_comes_to_an_end(start: Any, receiver: Receiver) -> None:
    async def hang(order: Any, tools: Any) -> Delivery:
        await asyncio.Event().wait()
        return OK

    receiver.answers("a", hang)
    for _ in range(3):
        async with start(sqlite=True, max_attempts=2) as world:
            (delivery_id,) = (await world.put(1)) if not receiver.made else (receiver.ids()[0],)
            made = len(receiver.made)
            await world.until(lambda made=made: len(receiver.made) > made or made == 3)
    async with start(sqlite=True, max_attempts=2) as world:
        await world.until(lambda: receiver.ended)
        assert await world.state(delivery_id) == ("dead", 3, "The platform stopped during each of its attempts")


async def test_an_end_is_told_until_its_server_has_taken_it(start: Any, receiver: Receiver) -> None:
    async def refuse(record: DeliveryRecord) -> None:
        raise StorageFull

    receiver.settling = refuse
    async with start(sqlite=True) as world:
        (delivery_id,) = await world.put(1)
        await world.noted(delivery_id)
    assert receiver.ended == []
    receiver.settling = None
    async with start(sqlite=True) as world:
        await world.pass_time(70, 10)
        await world.until(lambda: receiver.ended)
        assert [(record.delivery_id, record.state) for record in receiver.ended] == [(delivery_id, "delivered")]
        assert len(receiver.made) == 1


async def test_one_end_that_cannot_be_told_keeps_no_other_from_it(world: World, receiver: Receiver) -> None:
    async def choosy(record: DeliveryRecord) -> None:
        if record.order.payload["n"] % 2:
            raise ValueError

    receiver.settling = choosy
    await world.put(*range(300))
    await world.until(lambda: len(receiver.ended) == 150)
    assert [record.order.payload["n"] for record in receiver.ended] == list(range(0, 300, 2))
    receiver.settling = None
    await world.pass_time(140, 10)
    await world.until(lambda: len(receiver.ended) == 300)


async def test_an_outcome_is_written_even_when_the_storage_refuses_for_a_while(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, refused = world.durable.database, []
    write = database.write

    async def failing(work: Any) -> Any:
        if receiver.made and len(refused) < 3:
            refused.append(work)
            raise StorageFull
        return await write(work)

    monkeypatch.setattr(database, "write", failing)
    (delivery_id,) = await world.put(1)
    await world.settle()
    assert refused
    await world.pass_time(10, 0.5)
    assert (await world.state(delivery_id))[0] == "delivered"
    assert len(receiver.made) == 1


async def test_a_wall_clock_that_was_set_back_stops_nothing(world: World, receiver: Receiver) -> None:
    receiver.answers("a", FAILED, OK)
    await world.put(1)
    await world.settle()
    world.clock.jump_ms(-10 * 24 * 3600 * 1000)
    await world.pass_time(1.3)
    assert receiver.numbers() == [1, 1]


async def test_nor_does_it_after_a_restart(start: Any, receiver: Receiver) -> None:
    receiver.answers("a", FAILED, OK)
    async with start(sqlite=True) as world:
        (delivery_id,) = await world.put(1)
        await world.paused(delivery_id)
        earlier = world.clock.now_ms() - 10 * 24 * 3600 * 1000
    from neomind_sdk.testing import VirtualClock

    async with start(sqlite=True, host={"clock": VirtualClock(earlier)}) as world:
        await world.until(lambda: len(receiver.made) == 2)


# ---- two processes --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def second(world: World, directory: Path, receiver: Receiver) -> AsyncIterator[DurableOutbox]:
    """Another process on the same storage, as far as the outbox can tell."""
    tasks: list[asyncio.Task[Any]] = []
    parts = Parts(
        database=world.host.services[Database],
        bus=world.host.bus,
        clock=world.clock,
        egress=world.host.host.egress,
        log=world.durable.teller._parts.log,
        spawn=lambda work, name: tasks.append(asyncio.ensure_future(work)),
        settings=OutboxSettings(),
    )
    other = assembled(parts, Node(directory))
    await other.start(parts.spawn)
    other.serve(KIND, receiver)
    try:
        yield other
    finally:
        await other.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_two_processes_never_run_one_lane_at_a_time(world: World, receiver: Receiver, tmp_path: Path) -> None:
    gates: list[asyncio.Event] = []

    async def gated(order: Any, tools: Any) -> Delivery:
        gates.append(asyncio.Event())
        await gates[-1].wait()
        return OK

    other_receiver = Receiver()
    for one in (receiver, other_receiver):
        one.answers("a", gated)
    async with second(world, tmp_path / "other", other_receiver) as other:
        assert other.leases.owner != world.durable.leases.owner
        await world.put(1, 2, 3, wake=False)
        world.outbox.wake()
        other.lanes.start("a")
        for count in (1, 2, 3):
            await world.pass_time(6, 0.5)
            assert len(receiver.made) + len(other_receiver.made) == count
            gates[-1].set()
        await world.pass_time(6, 0.5)
        assert receiver.numbers() + other_receiver.numbers() in ([1, 2, 3], [3, 1, 2], [2, 3, 1], [1, 3, 2])
        assert len(receiver.ended) + len(other_receiver.ended) >= 3


async def test_the_lease_of_a_process_that_died_runs_out(world: World, receiver: Receiver, tmp_path: Path) -> None:
    async def hang(order: Any, tools: Any) -> Delivery:
        await asyncio.Event().wait()
        return OK

    dead_receiver = Receiver()
    dead_receiver.answers("a", hang)
    world.durable.servers.clear()
    async with second(world, tmp_path / "other", dead_receiver) as other:
        (delivery_id,) = await world.put(1, wake=False)
        other.lanes.start("a")
        await world.settle()
        assert len(dead_receiver.made) == 1
        other.lanes.pause()  # and it never comes back to its attempt
        world.outbox.serve(KIND, receiver)
        await world.pass_time(55, 5)
        assert receiver.made == []
        await world.pass_time(15, 5)
        assert receiver.ids() == [delivery_id]
        assert receiver.made[0][2].attempt == 2


# ---- kill -9 --------------------------------------------------------------------------------------------------------

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from neomind_plugins.outbox import plugin as outbox
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Database, Delivery, Order, Outbox
from neomind_sdk.testing import make_host

class Server:
    made = 0
    async def deliver(self, order, tools):
        os.write(1, f"{tools.delivery_id} {order.lane} {order.payload['n']}\\n".encode())
        Server.made += 1
        if Server.made == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return Delivery(ok=True)
    async def settled(self, record):
        pass

async def main():
    async with make_host(storage_sqlite, outbox, data_dir=Path(sys.argv[1])) as host:
        box = host.services[Outbox]
        box.serve("test", Server())
        orders = [Order(lane=f"l{n % 4}", kind="test", payload={"n": n}) for n in range(40)]
        await host.services[Database].write(lambda: box.put(orders))
        box.wake()
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("at", [1, 17])
async def test_kill_9_in_an_attempt(start: Any, receiver: Receiver, tmp_path: Path, at: int) -> None:
    (tmp_path / "data").mkdir()
    command = [sys.executable, "-c", KILLED, str(tmp_path / "data"), str(at)]
    killed = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr
    before = [line.split() for line in killed.stdout.splitlines()]
    assert len(before) >= at
    async with start(sqlite=True) as world:
        await world.until(lambda: len({*receiver.ids(), *(line[0] for line in before)}) == 40)
        await world.until(lambda: len(receiver.ended) >= len(receiver.made))
    twice = set(receiver.ids()) & {delivery_id for delivery_id, *_ in before}
    assert len(twice) <= 4  # one per lane
    assert len(receiver.ids()) == len(set(receiver.ids()))
    for lane in range(4):
        numbers = [int(n) for _, name, n in before if name == f"l{lane}"] + receiver.numbers(f"l{lane}")
        assert list(dict.fromkeys(numbers)) == list(range(lane, 40, 4))
