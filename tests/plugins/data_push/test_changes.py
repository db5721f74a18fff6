"""Targets that are changed while something else happens to them: a receiver goes, the storage is full."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.data_push import tables
from neomind_plugins.data_push.engine import Engine
from neomind_plugins.data_push.service import Targets
from neomind_sdk import Delivery, MetricsStored, Outbox, Point, PushPayload, SendTools, StorageBusy, StorageFull
from neomind_sdk.testing.sink import Sink

from .conftest import API, TEMPERATURE, Parcel, Push, becomes, code, data, post_office, pushing

GONE = Delivery(ok=False, gone=True, retry=False, detail="HTTP 410")
MAIN = {"target_type": "parcel", "config": {"street": "Main"}}
SOON = {"max_retries": 9, "backoff_secs": 1, "max_backoff_secs": 1}


@attrs.define(eq=False)
class Slow(Parcel):
    """The first attempt is made when it is told to; whoever lives in the main street is gone."""

    begun: asyncio.Event = attrs.field(factory=asyncio.Event)
    go: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def deliver(self, config: Any, payload: PushPayload, tools: SendTools) -> Delivery:
        await super().deliver(config, payload, tools)
        self.begun.set()
        await self.go.wait()
        return GONE if config.street == "Main" else Delivery(ok=True)

    @property
    def streets(self) -> list[str]:
        return [config.street for config, _, _ in self.sent]


@attrs.define(eq=False)
class Hesitant:
    """A database whose first write, or first read once it is done, stands still until it is told to go on."""

    database: Any
    stands: str
    reached: asyncio.Event = attrs.field(factory=asyncio.Event)
    go: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def read(self, work: Any) -> Any:
        result = await self.database.read(work)
        await self._stand("read")
        return result

    async def write(self, work: Any) -> Any:
        await self._stand("write")
        return await self.database.write(work)

    async def _stand(self, kind: str) -> None:
        if kind == self.stands and not self.reached.is_set():
            self.reached.set()
            await self.go.wait()


def hesitant(push: Push, stands: str) -> Hesitant:
    targets = push.host.services[Targets]
    targets._database = hesitant = Hesitant(targets._database, stands)
    return hesitant


async def happens(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), 10)


async def stopped(push: Push, ident: str) -> None:
    async def look() -> bool:
        return not (await push.show(ident))["enabled"]

    await becomes(look)


# ---- a receiver that is gone ----


async def test_what_the_former_address_says_is_nothing_to_the_new_one(tmp_path: Path) -> None:
    slow = Slow()
    async with pushing(tmp_path, post_office(slow)) as push:
        ident = await push.create(**MAIN, retry_config=SOON)
        await push.store(1)
        await happens(slow.begun)
        await push.put(ident, config={"street": "Other"})
        slow.go.set()
        [row] = await push.ended(ident)
        assert (row["status"], slow.streets) == ("success", ["Main", "Other"])
        shown = await push.show(ident)
        assert (shown["enabled"], shown["reason"]) == (True, None)
        assert await push.host.services[Outbox].held() == {}
        await push.store(2)
        await push.ended(ident, 2)


async def test_it_is_gone_all_the_same_when_something_else_of_the_target_changed(tmp_path: Path) -> None:
    slow = Slow()
    async with pushing(tmp_path, post_office(slow)) as push:
        ident = await push.create(**MAIN)
        await push.store(1)
        await happens(slow.begun)
        await push.put(ident, name="Renamed")
        slow.go.set()
        await stopped(push, ident)
        shown = await push.show(ident)
        assert (shown["name"], "410" in shown["reason"], slow.streets) == ("Renamed", True, ["Main"])


async def test_a_change_that_is_made_while_a_target_is_stopped_stays(tmp_path: Path) -> None:
    parcel = Parcel(answer=GONE)
    async with pushing(tmp_path, post_office(parcel)) as push:
        ident = await push.create(**MAIN)
        database = hesitant(push, "write")
        await push.store(1)
        await happens(database.reached)
        change = asyncio.create_task(push.put(ident, name="Renamed"))
        await asyncio.wait({change}, timeout=0.2)  # it may have to wait, and must not be undone if it does not
        database.go.set()
        await change
        await stopped(push, ident)
        shown = await push.show(ident)
        assert (shown["name"], shown["enabled"], "410" in shown["reason"]) == ("Renamed", False, True)
    async with pushing(tmp_path, post_office(parcel)) as push:
        shown = await push.show(ident)
        assert (shown["name"], shown["enabled"]) == ("Renamed", False)


async def test_a_target_that_is_deleted_while_it_is_stopped_does_not_come_back(tmp_path: Path) -> None:
    async with pushing(tmp_path, post_office(Parcel(answer=GONE))) as push:
        ident = await push.create(**MAIN)
        database = hesitant(push, "write")
        await push.store(1)
        await happens(database.reached)
        deletion = asyncio.create_task(push.api.delete(f"{API}/{ident}"))
        await asyncio.wait({deletion}, timeout=0.2)
        database.go.set()
        assert data(await deletion)
        await push.quiet()
        assert code(await push.api.get(f"{API}/{ident}")) == (404, "PUSH_TARGET_NOT_FOUND")
        assert data(await push.api.get(API))["total"] == 0


async def test_a_target_that_is_stopped_while_it_is_changed_stays_stopped(tmp_path: Path) -> None:
    parcel = Parcel(answer=GONE)
    async with pushing(tmp_path, post_office(parcel)) as push:
        ident = await push.create(**MAIN)
        database = hesitant(push, "read")
        change = asyncio.create_task(push.put(ident, name="Renamed"))
        await happens(database.reached)
        await push.store(1)
        await stopped(push, ident)
        database.go.set()
        await change
        shown = await push.show(ident)
        assert (shown["name"], shown["enabled"], "410" in shown["reason"]) == ("Renamed", False, True)
        await push.store(2)
        await push.quiet()
        assert ((await push.logs(ident))["total"], len(parcel.sent)) == (1, 1)
        parcel.answer = Delivery(ok=True)
        await push.call(ident, "start")
        await push.store(3)
        await push.ended(ident, 2)


# ---- a storage that is full ----


async def test_a_target_that_could_not_be_deleted_works_on(push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: str) -> None:
        raise StorageFull

    ident = await push.create()
    with monkeypatch.context() as patched:
        patched.setattr(tables, "delete", full)
        assert (await push.api.delete(f"{API}/{ident}")).status_code == 507
    shown = await push.show(ident)
    assert (shown["enabled"], shown["reason"]) == (True, None)
    await push.store(21.5)
    assert [body["value"] for body in await push.arrived(1)] == [21.5]
    assert data(await push.api.delete(f"{API}/{ident}"))


async def test_a_target_that_could_not_be_made_to_its_end_can_be_deleted(
    push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise StorageFull

    with monkeypatch.context() as patched:
        patched.setattr(type(push.host.services[Outbox]), "hold", full)
        assert (await push.api.post(API, json=push.body(enabled=False))).status_code == 507
    [target] = data(await push.api.get(API))["targets"]
    assert data(await push.api.delete(f"{API}/{target['id']}"))
    assert data(await push.api.get(API))["total"] == 0


async def test_a_queue_that_cannot_be_looked_at_loses_nothing(
    tmp_path: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: Any, **__: Any) -> None:
        raise StorageBusy("later")

    sink.answer(500).answer(200)
    async with pushing(tmp_path, sink=sink, settings={"data_push": {"queue_max": 1}}) as push:
        ident = await push.create(retry_config=SOON)
        await push.store(1)
        with monkeypatch.context() as patched:
            patched.setattr(type(push.host.services[Outbox]), "of_lane", busy)
            push.host.bus.publish(MetricsStored(points=[Point(TEMPERATURE, push.clock.now_ms(), 2)], source="api"))
            await push.host.settle()
        assert push.host.services[Engine].missed == 0
        await push.ended(ident, 2)
        assert [request.json()["value"] for request in sink.requests] == [1, 1, 2]
