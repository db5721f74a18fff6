"""The log of deliveries and the lanes over REST."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from neomind_sdk import Delivery, Order, Platform, ValidationFailed

from .conftest import FAILED, KIND, OK, Receiver, World


@pytest.fixture
async def api(world: World) -> Any:
    client = world.host.client()

    async def call(method: str, path: str = "", **more: Any) -> Any:
        answer = await client.request(method, f"/api/outbox{path}", **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    return call


async def test_the_log(world: World, receiver: Receiver, api: Any) -> None:
    receiver.answers("b", FAILED)
    ids = await world.put(1, 2, 3, subject="Hot!", cause="rule:7", hops=2)
    await world.put(4, lane="b")
    await world.settle()
    found = await api("GET")
    assert [row["lane"] for row in found["deliveries"]] == ["b", "a", "a", "a"]
    assert (found["count"], found["total"]) == (4, 4)
    page = await api("GET", "?lane=a&limit=2&offset=1&state=delivered&kind=test")
    assert [row["delivery_id"] for row in page["deliveries"]] == [ids[1], ids[0]]
    assert (page["count"], page["total"]) == (2, 3)
    row = page["deliveries"][0]
    now_s = world.clock.now_ms() / 1000
    assert row | {"finished_at": None} == {
        "delivery_id": ids[1],
        "lane": "a",
        "kind": KIND,
        "subject": "Hot!",
        "state": "delivered",
        "attempts": 1,
        "detail": "HTTP 200",
        "cause": "rule:7",
        "hops": 2,
        "created_at": now_s,
        "expires_at": None,
        "next_at": None,
        "finished_at": None,
    }
    assert (await api("GET", "?state=dead"))["deliveries"] == []


async def test_one_delivery_and_its_attempts(world: World, receiver: Receiver, api: Any) -> None:
    receiver.answers("a", FAILED, OK)
    (delivery_id,) = await world.put(1)
    await world.pass_time(1.3)
    found = await api("GET", f"/{delivery_id}")
    assert found["payload"] == {"n": 1}
    log = [(one["attempt"], one["ok"], one["detail"]) for one in found["attempt_log"]]
    assert log == [(2, True, "HTTP 200"), (1, False, "HTTP 500")]
    assert found["attempt_log"][0]["at"] > found["attempt_log"][1]["at"]


async def test_lanes_and_release(world: World, receiver: Receiver, api: Any) -> None:
    receiver.answers("push:1", Delivery(ok=False, gone=True, detail="HTTP 410"), OK)
    receiver.answers("channel:2", FAILED)
    await world.put(1, 2, lane="push:1")
    await world.put(3, lane="channel:2")
    await world.outbox.hold("channel:3", "switched off")
    await world.settle()
    lanes = {lane["lane"]: lane for lane in (await api("GET", "/lanes"))["lanes"]}
    assert list(lanes) == ["channel:2", "channel:3", "push:1"]
    assert lanes["push:1"]["held"] == "The target is gone: HTTP 410"
    assert (lanes["push:1"]["waiting"], lanes["channel:2"]["waiting"], lanes["channel:3"]["waiting"]) == (2, 1, 0)
    assert lanes["channel:2"]["next_at"] > world.clock.now_ms() / 1000
    assert (lanes["channel:2"]["held"], lanes["channel:2"]["detail"]) == (None, "HTTP 500")
    await api("POST", "/lanes/push:1/release")
    await world.settle()
    assert receiver.numbers("push:1") == [1, 1, 2]
    assert "push:1" not in {lane["lane"] for lane in (await api("GET", "/lanes"))["lanes"]}


async def test_resend(world: World, receiver: Receiver, api: Any) -> None:
    receiver.answers("a", Delivery(ok=False, retry=False, detail="HTTP 400"), OK)
    (delivery_id,) = await world.put(1, expires_ms=world.clock.now_ms() + 1000)
    await world.pass_time(100)
    assert (await api("POST", f"/{delivery_id}/resend"))["state"] == "pending"
    await world.settle()
    assert (await api("GET", f"/{delivery_id}"))["state"] == "delivered"
    client = world.host.client()
    answer = await client.post(f"/api/outbox/{delivery_id}/resend")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/msg_nothing", 404, "DELIVERY_NOT_FOUND"),
        ("POST", "/msg_nothing/resend", 404, "DELIVERY_NOT_FOUND"),
        ("POST", "/lanes/nothing/release", 404, "LANE_NOT_FOUND"),
        ("GET", "?state=lost", 422, "VALIDATION_ERROR"),
        ("GET", "?limit=0", 422, "VALIDATION_ERROR"),
        ("GET", "?limit=201", 422, "VALIDATION_ERROR"),
        ("GET", "?offset=-1", 422, "VALIDATION_ERROR"),
        ("GET", "?offset=99999999999999999999", 422, "VALIDATION_ERROR"),
        ("GET", "?lane=%00", 422, "VALIDATION_ERROR"),
    ],
)
async def test_errors(world: World, method: str, path: str, status: int, code: str) -> None:
    answer = await world.host.client().request(method, f"/api/outbox{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_who_may_what(world: World, receiver: Receiver) -> None:
    receiver.answers("a", Delivery(ok=False, retry=False))
    (delivery_id,) = await world.put(1)
    await world.settle()
    for role, reads, writes in ((None, 401, 401), ("viewer", 200, 403), ("user", 200, 403), ("admin", 200, 200)):
        client = world.host.client(role)
        for path in ("", f"/{delivery_id}", "/lanes"):
            assert (await client.get(f"/api/outbox{path}")).status_code == reads
        assert (await client.post(f"/api/outbox/{delivery_id}/resend")).status_code == writes
    await world.outbox.hold("a", "x")
    assert (await world.host.client("user").post("/api/outbox/lanes/a/release")).status_code == 403


async def test_health_says_what_waits(world: World, receiver: Receiver) -> None:
    checks = [check for owner, check in world.host.services[Platform].contributions("health") if owner == "outbox"]
    assert (await checks[0].check()).detail == "0 deliveries wait"
    receiver.answers("a", FAILED)
    await world.put(1, 2)
    await world.outbox.hold("b", "x")
    await world.pass_time(90, 10)
    health = await checks[0].check()
    assert health.ok
    assert health.detail == "2 deliveries wait, the oldest for 90 s; lanes that are held: 1"


async def test_the_log_is_kept_for_a_while(start: Any, receiver: Receiver) -> None:
    async with start(retention_s=3600, poll_s=600) as world:
        receiver.answers("b", FAILED)
        old = await world.put(*range(900), lane="c")
        (waiting,) = await world.put(1, lane="b")
        await world.until(lambda: len(receiver.ended) == 900)
        await world.pass_time(3000)
        (young,) = await world.put(2)
        await world.settle()
        await world.pass_time(700)
        assert await world.durable.clean_up() == 900
        assert list(await world.outbox.get([*old, waiting, young])) == [waiting, young]
        assert (await world.durable.detail(young))[1]
        assert await world.durable.clean_up() == 0


async def test_what_is_sent_again_while_the_log_is_cleaned_up_stays(start: Any, receiver: Receiver) -> None:
    async with start(retention_s=3600) as world:
        receiver.answers("a", Delivery(ok=False, detail="no", retry=False))
        (ident,) = await world.put(1)
        await world.until(lambda: len(receiver.ended) == 1)
        await world.outbox.hold("a", "x")
        await world.pass_time(3700, 100)
        database, begun, go = world.durable.database, asyncio.Event(), asyncio.Event()

        async def late(work: Any) -> Any:
            begun.set()
            await go.wait()
            return await database.write(work)

        world.durable.database = SimpleNamespace(read=database.read, write=late)
        cleaning = asyncio.create_task(world.durable.clean_up())
        await begun.wait()
        world.durable.database = database
        assert (await world.outbox.resend(ident)).state == "pending"
        world.durable.database = SimpleNamespace(read=database.read, write=late)
        go.set()
        assert await cleaning == 0
        assert list(await world.outbox.get([ident])) == [ident]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lane", ""),
        ("lane", "x" * 301),
        ("lane", "a\0b"),
        ("kind", ""),
        ("payload", {"x": "y" * 262_144}),
        ("payload", {"x": object()}),
        ("payload", {"x": 2**70}),
        ("payload", ["no object"]),
        ("expires_ms", -1),
        ("expires_ms", 2**63),
    ],
)
async def test_orders_that_are_refused(world: World, field: str, value: Any) -> None:
    from neomind_sdk import Database

    good = {"lane": "a", "kind": KIND, "payload": {"n": 1}}
    orders = [Order(**good), Order(**good | {field: value})]
    with pytest.raises(ValidationFailed) as caught:
        await world.host.services[Database].write(lambda: world.outbox.put(orders))
    assert caught.value.details[0]["field"] == f"orders[1].{field}"
    assert (await world.outbox.of_lane("a"))[1] == 0


async def test_the_largest_payload(world: World, receiver: Receiver) -> None:
    text = "y" * (256 * 1024 - 30)
    (delivery_id,) = await world.put(text)
    await world.settle()
    assert receiver.numbers() == [text]
    assert (await world.outbox.get([delivery_id, "msg_unknown"])).keys() == {delivery_id}
