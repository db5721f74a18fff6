"""Messages with the platform's own outbox, on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from neomind_plugins.messages import plugin as messages
from neomind_plugins.outbox import plugin as outbox
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Delivery, Outbox, OutgoingMessage, SendTools
from neomind_sdk.testing import make_host, needs

from .conftest import URL, Kind, Post, data, kinds_plugin

pytestmark = needs("outbox")
CHANNELS = "/api/messages/channels"


@asynccontextmanager
async def office(tmp_path: Path, *kinds: Kind) -> AsyncIterator[Post]:
    plugins = (storage_sqlite, outbox, messages, *[kinds_plugin(kind, name=f"channel_{kind.name}") for kind in kinds])
    async with make_host(*plugins, data_dir=tmp_path) as host:
        yield Post(host, None, kinds[0] if kinds else None, None)  # type: ignore[arg-type]


async def becomes(look: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so: storage and outbox work in threads and tasks of their own."""
    for _ in range(2000):
        if await look():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it does not become so")


async def until(post: Post, ident: str, state: str) -> Any:
    """The only delivery of a message, once it is in a state."""

    async def look() -> bool:
        await post.clock.advance(1)
        return bool((await post.show(ident))["deliveries"][0]["state"] == state)

    await becomes(look)
    return (await post.show(ident))["deliveries"][0]


async def sent(post: Post, count: int) -> bool:
    await post.clock.advance(1)
    return len(post.pager.sent) >= count


async def total(post: Post, count: int) -> bool:
    return bool((await post.list())["total"] >= count)


async def unavailable(post: Post) -> bool:
    [record], _ = await post.host.services[Outbox].of_lane("channel:bot")
    return "not installed" in record.detail and not record.attempts


async def test_a_message_arrives(tmp_path: Path) -> None:
    async with office(tmp_path, Kind()) as post:
        await post.channel()
        ident = await post.alert()
        row = await until(post, ident, "delivered")
        assert (row["attempts"], row["detail"]) == (1, "HTTP 200")
        [(_, message, tools)] = post.pager.sent
        assert (message.id, tools.delivery_id) == (ident, row["delivery_id"])

        async def counted() -> bool:
            counts = (await post.list())["messages"][0]["delivery_counts"]
            return bool(counts == {"pending": 0, "delivered": 1, "dead": 0})

        await becomes(counted)


async def test_the_outbox_tries_again(tmp_path: Path) -> None:
    async with office(tmp_path, Kind()) as post:
        await post.channel()
        post.pager.answer = Delivery(ok=False, detail="HTTP 500")
        ident = await post.alert()
        await becomes(lambda: sent(post, 2))
        post.pager.answer = Delivery(ok=True, detail="HTTP 200")
        row = await until(post, ident, "delivered")
        assert row["attempts"] == len(post.pager.sent) >= 3
        assert len({tools.delivery_id for _, _, tools in post.pager.sent}) == 1


async def test_twenty_rules_three_channels(tmp_path: Path) -> None:
    async with office(tmp_path, Kind()) as post:
        for name in "abc":
            await post.channel(name)
        ids = await asyncio.gather(*(post.alert(f"r-{number}") for number in range(20)))
        await becomes(lambda: sent(post, 60))
        await post.host.settle()
        assert sorted(message.id for _, message, _ in post.pager.sent) == sorted(ids * 3)


async def test_a_receiver_that_is_gone(tmp_path: Path) -> None:
    async with office(tmp_path, Kind()) as post:
        await post.channel()
        post.pager.answer = Delivery(ok=False, gone=True, detail="HTTP 410")
        await post.alert()
        await becomes(lambda: total(post, 2))
        assert (await post.get("/channels/ops"))["enabled"] is False
        assert (await post.list())["messages"][0]["title"] == "Channel 'ops' was disabled"
        post.pager.answer = Delivery(ok=True)
        assert data(await post.api.put(f"{CHANNELS}/ops/enabled", json={"enabled": True}))["channel"]["enabled"]
        await until(post, await post.alert("r-2"), "delivered")


class Slow(Kind):
    """The first attempt is made when it is told to; the old address is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def send(self, config: Any, message: OutgoingMessage, tools: SendTools) -> Delivery:
        self.sent.append((config, message, tools))
        self.begun.set()
        await self.go.wait()
        gone = config.url == URL
        return Delivery(ok=not gone, gone=gone, retry=False, detail="HTTP 410" if gone else "HTTP 200")

    @property
    def urls(self) -> list[str]:
        return [config.url for config, _, _ in self.sent]


async def tried(post: Post, slow: Slow) -> str:
    """A message whose attempt has begun."""
    await post.channel()
    ident = await post.alert()
    await asyncio.wait_for(slow.begun.wait(), 10)
    return ident


async def test_what_the_former_address_says_is_nothing_to_the_new_one(tmp_path: Path) -> None:
    slow, new = Slow(), "https://pager.example/new"
    async with office(tmp_path, slow) as post:
        ident = await tried(post, slow)
        data(await post.api.put(f"{CHANNELS}/ops", json={"config": {"url": new}}))
        slow.go.set()
        row = await until(post, ident, "delivered")
        assert (row["attempts"], slow.urls) == (2, [URL, new])
        channel = await post.get("/channels/ops")
        assert (channel["enabled"], channel["reason"]) == (True, None)
        assert await post.host.services[Outbox].held() == {}
        await until(post, await post.alert("r-2"), "delivered")
        assert (await post.list())["total"] == 2


async def test_it_is_gone_all_the_same_when_something_else_of_the_channel_changed(tmp_path: Path) -> None:
    slow, chosen = Slow(), {"source_types": ["rule"], "categories": []}
    async with office(tmp_path, slow) as post:
        await tried(post, slow)
        data(await post.api.put(f"{CHANNELS}/ops/filter", json=chosen))
        slow.go.set()
        await becomes(lambda: total(post, 2))
        channel = await post.get("/channels/ops")
        assert (channel["enabled"], "410" in channel["reason"], channel["filter"]["source_types"]) == (
            False,
            True,
            ["rule"],
        )


async def test_a_channel_that_was_made_anew_is_not_gone(tmp_path: Path) -> None:
    slow = Slow()
    async with office(tmp_path, slow) as post:
        await tried(post, slow)
        data(await post.api.delete(f"{CHANNELS}/ops"))
        await post.channel(url="https://pager.example/new")
        slow.go.set()
        await until(post, await post.alert("r-2"), "delivered")
        assert (await post.get("/channels/ops"))["enabled"] is True


async def test_an_uninstalled_type_waits_and_comes_back(tmp_path: Path) -> None:
    telegram = Kind("telegram")
    async with office(tmp_path, telegram) as post:
        await post.channel("bot", channel_type="telegram", enabled=False)
    async with office(tmp_path, Kind()) as post:
        data(await post.api.put(f"{CHANNELS}/bot/enabled", json={"enabled": True}))
        ident = await post.alert()
        await becomes(lambda: unavailable(post))
        [row] = (await post.show(ident))["deliveries"]
        assert (row["state"], row["attempts"], "not installed" in row["detail"]) == ("pending", 0, True)
    async with office(tmp_path, telegram) as post:
        await until(post, ident, "delivered")
        assert telegram.titles == ["Hot"]


async def test_a_channel_that_is_deleted_while_it_fails(tmp_path: Path) -> None:
    async with office(tmp_path, Kind()) as post:
        await post.channel()
        post.pager.answer = Delivery(ok=False, detail="HTTP 500")
        ident = await post.alert()
        await becomes(lambda: sent(post, 1))
        data(await post.api.delete(f"{CHANNELS}/ops"))
        row = await until(post, ident, "dead")
        assert row["detail"]
        await post.channel()
        before = len(post.pager.sent)
        await post.clock.advance(3600)
        await post.host.settle()
        assert len(post.pager.sent) == before
