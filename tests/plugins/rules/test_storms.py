"""Rules that feed themselves or each other, and rules that would fire without end."""

from __future__ import annotations

from typing import Any

from neomind_sdk import Firing, Ingest, MessageBoard, NewMessage, Plugin, Point, Service, hookimpl

from .conftest import Blink, House, data, house_with, leaf


def feeding(house: House, source: str = "device:boiler:t", value: float = 99) -> None:
    """The action writes a value, as a command or an extension would."""

    async def write(firing: Firing) -> None:
        point = Point(source, house.clock.now_ms(), value)
        cause = f"rule:{firing.rule_id}"
        await house.host.services[Ingest].write([point], source="test", cause=cause, hops=firing.hops + 1)

    house.blink.then = write


async def test_a_rule_that_feeds_itself_is_paused_and_says_so(house: House) -> None:
    rule_id = await house.add(cooldown=0)
    feeding(house)
    await house.store(90)
    assert house.blinks == 8
    assert [firing.hops for firing in house.blink.firings] == list(range(8))
    [pause] = house.pauses
    assert (pause["rule_id"], "feeds itself" in pause["reason"]) == (rule_id, True)
    rule = await house.show(rule_id)
    assert (rule["state"], rule["enabled"]) == ("paused", True)
    assert "feeds itself" in rule["paused"]["reason"]
    newest = (await house.trace(rule_id))[0]
    assert (newest["reason"], newest["outcome"]) == ("paused", "failed")
    await house.pass_s(100)
    await house.store(90)
    assert house.blinks == 8


async def test_a_paused_rule_goes_on_when_it_is_enabled_again(house: House) -> None:
    rule_id = await house.add(cooldown=0)
    feeding(house)
    await house.store(90)
    answer = data(await house.api.post(f"/api/rules/{rule_id}/trigger"))
    assert (answer["success"], "paused" in answer["error"]) == (False, True)
    house.blink.then = None
    data(await house.api.post(f"/api/rules/{rule_id}/enable", json={"enabled": True}))
    assert (await house.show(rule_id))["state"] == "active"
    await house.store(90)
    assert house.blinks == 9


async def test_other_changes_leave_a_rule_paused(house: House) -> None:
    rule_id = await house.add(cooldown=0)
    feeding(house)
    await house.store(90)
    data(await house.api.put(f"/api/rules/{rule_id}", json={"description": "loops"}))
    assert (await house.show(rule_id))["state"] == "paused"


async def test_two_rules_that_feed_each_other(house: House) -> None:
    await house.add(name="a", cooldown=0)
    await house.add(name="b", cooldown=0, condition=leaf("device:boiler:h"))

    async def write(firing: Firing) -> None:
        other = "device:boiler:h" if firing.rule_name == "a" else "device:boiler:t"
        point = Point(other, house.clock.now_ms(), 99)
        await house.host.services[Ingest].write([point], source="test", hops=firing.hops + 1)

    house.blink.then = write
    await house.store(90)
    assert house.blinks == 8
    assert [pause["rule_name"] for pause in house.pauses] == ["a"]


async def test_a_chain_of_rules_is_no_storm(house: House) -> None:
    """Negative control: each writes what only the next looks at."""
    for number in range(7):
        await house.add(name=f"r{number}", cooldown=0, condition=leaf(f"device:boiler:m{number}"))

    async def write(firing: Firing) -> None:
        series = f"device:boiler:m{int(firing.rule_name[1:]) + 1}"
        point = Point(series, house.clock.now_ms(), 99)
        await house.host.services[Ingest].write([point], source="test", hops=firing.hops + 1)

    house.blink.then = write
    await house.store(90, "device:boiler:m0")
    assert [firing.rule_name for firing in house.blink.firings] == [f"r{number}" for number in range(7)]
    assert house.pauses == []


async def test_the_api_stays_fast_while_a_rule_feeds_itself(house: House) -> None:
    import asyncio

    await house.add(cooldown=0)
    feeding(house)
    writing = asyncio.create_task(house.store(90))
    loop = asyncio.get_running_loop()
    longest = 0.0
    for _ in range(20):
        begun = loop.time()
        assert (await house.api.get("/api/rules")).status_code == 200
        longest = max(longest, loop.time() - begun)
    await writing
    assert len(house.pauses) == 1
    assert longest < 1.0


async def test_a_rule_fires_so_often_and_not_more() -> None:
    settings = {"rules": {"burst": 5, "firings_per_minute": 60}}
    async with house_with(Blink(), settings=settings) as house:
        await house.furnish()
        rule_id = await house.add(cooldown=0)
        for _ in range(20):
            await house.store(90)
        assert house.blinks == 5
        newest = (await house.trace(rule_id))[0]
        assert (newest["reason"], newest["outcome"], newest["count"]) == ("rate", "near_miss", 15)
        await house.pass_s(3)
        for _ in range(20):
            await house.store(90)
        assert house.blinks == 8
        assert house.pauses == []


class Board:
    def __init__(self) -> None:
        self.messages: list[NewMessage] = []

    async def raise_message(self, message: NewMessage) -> str:
        self.messages.append(message)
        return "m-1"


class _BoardHooks:
    def __init__(self, board: Board) -> None:
        self._board = board

    @hookimpl
    def neomind_services(self, ctx: Any) -> Any:
        return [Service(key=MessageBoard, build=lambda ctx: self._board)]


async def test_a_message_says_so() -> None:
    board = Board()
    messages = Plugin(name="messages", summary="Keeps messages.", hooks=_BoardHooks(board))
    async with house_with(Blink(), messages) as house:
        await house.furnish()
        rule_id = await house.add(cooldown=0)
        feeding(house)
        await house.store(90)
        [message] = board.messages
        assert (message.source, message.source_type, message.title) == (rule_id, "rule", "Rule paused: Hot")
        assert "feeds itself" in message.message


async def test_a_sender_that_says_it_has_hopped_too_far_pauses_no_rule(house: House) -> None:
    rule_id = await house.add(cooldown=0)
    point = Point("device:boiler:t", house.clock.now_ms(), 90)
    cause = "adapter:webhook:boiler"
    await house.host.services[Ingest].write([point], source=cause, cause=cause, hops=8)
    await house.host.settle()
    assert house.blinks == 0
    assert (await house.show(rule_id))["state"] == "active"
    newest = (await house.trace(rule_id))[0]
    assert (newest["reason"], newest["outcome"]) == ("hops", "near_miss")
    await house.store(90)
    assert house.blinks == 1
