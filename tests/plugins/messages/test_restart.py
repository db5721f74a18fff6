"""Restarts: every channel of every type is there again, and what is not installed says so."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.messages import plugin as messages
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Plugin
from neomind_sdk.testing import VirtualClock, make_host
from neomind_sdk.vault import FILE_NAME

from .conftest import SEVEN, TOKEN, URL, FakeOutbox, Kind, Post, code, data, kinds_plugin, outbox_plugin, post_with

CHANNELS = "/api/messages/channels"


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def start(tmp_path: Path, outbox: FakeOutbox) -> Any:
    """A platform on the same disk."""
    clock = VirtualClock()

    def started(*more: Plugin) -> AbstractAsyncContextManager[Post]:
        return post_with(storage_sqlite, *more, outbox=outbox, data_dir=tmp_path, clock=clock)

    return started


def seven(**changes: Kind) -> list[Plugin]:
    kinds = {name: changes.get(name, Kind(name)) for name in SEVEN}
    return [kinds_plugin(kind, name=f"channel_{name}") for name, kind in kinds.items()]


async def test_all_seven_types_come_back(start: Any) -> None:
    async with start(*seven()) as post:
        for name in SEVEN:
            chosen = {"source_types": [name], "categories": [], "min_severity": "warning"}
            await post.channel(f"my-{name}", channel_type=name, filter=chosen, volume=3)
        await post.api.put(f"{CHANNELS}/my-slack/enabled", json={"enabled": False})
        before = await post.get("/channels")
    slack = Kind("slack")
    async with start(*seven(slack=slack)) as post:
        after = await post.get("/channels")
        assert after == before
        assert after["count"] == 7
        assert data(await post.api.post(f"{CHANNELS}/my-slack/test"))["success"] is True
        assert slack.sent[0][0].token == TOKEN


async def test_repetitions_are_known_after_a_restart(start: Any, outbox: FakeOutbox) -> None:
    async with start() as post:
        await post.channel()
        first = await post.alert()
    async with start() as post:
        second = await post.alert()
        assert (await post.show(second))["repeat_of"] == first
        assert len(outbox.orders) == 1
        await outbox.run()
        assert post.pager.titles == ["Hot"]
        assert (await post.show(first))["deliveries"][0]["state"] == "delivered"


async def test_a_type_that_is_not_installed_any_more(start: Any, outbox: FakeOutbox, tmp_path: Path) -> None:
    telegram = Kind("telegram")
    async with start(kinds_plugin(telegram, name="channel_telegram")) as post:
        await post.channel("bot", channel_type="telegram")
        ident = await post.alert("r-1")
    async with start() as post:
        assert "telegram" not in [one["id"] for one in (await post.get("/channels/types"))["types"]]
        channel = await post.get("/channels/bot")
        assert (channel["available"], channel["enabled"]) == (False, True)
        assert (
            channel["reason"]
            == "the channel type 'telegram' is not installed; the plugin 'channel_telegram' provided it"
        )
        assert channel["config"] == {"url": URL, "token": "***"}
        answer = await post.api.post(f"{CHANNELS}/bot/test")
        assert code(answer) == (409, "CONFLICT")
        assert channel["reason"] in answer.json()["error"]["message"]
        assert code(await post.api.put(f"{CHANNELS}/bot", json={"volume": 2})) == (409, "CONFLICT")
        await post.alert("r-2")
        await outbox.run()
        row = (await post.show(ident))["deliveries"][0]
        assert (row["state"], row["attempts"], row["detail"]) == ("pending", 0, f"waits: {channel['reason']}")
    async with start(kinds_plugin(telegram, name="channel_telegram")) as post:
        await outbox.run()
        assert telegram.titles == ["Hot", "Hot"]


async def test_a_plugin_that_failed_is_named_with_its_reason(outbox: FakeOutbox, tmp_path: Path) -> None:
    async with post_with(storage_sqlite, outbox=outbox, data_dir=tmp_path) as post:
        await post.channel()
    broken = kinds_plugin(Kind(), name="channel_pager")
    broken = Plugin(name="channel_pager", summary="s", requires=("a_thing",), hooks=broken.hooks)
    plugins = (messages, outbox_plugin(outbox), storage_sqlite, broken)
    async with make_host(*plugins, data_dir=tmp_path, strict=False) as host:
        channel = data(await host.client().get(f"{CHANNELS}/ops"))
        assert channel["available"] is False
        assert "missing_requirement" in channel["reason"]
        assert "a_thing" in channel["reason"]


async def test_holds_agree_with_what_is_disabled(start: Any, outbox: FakeOutbox) -> None:
    """As after a crash between the two."""
    async with start() as post:
        await post.channel("off", enabled=False)
        await post.channel("on")
        await post.channel("gone")
    outbox.holds = {"channel:on": "the channel is disabled", "channel:gone": "HTTP 410"}
    async with start() as post:
        assert outbox.holds == {"channel:off": "the channel is disabled", "channel:gone": "HTTP 410"}
        assert (await post.get("/channels/gone"))["reason"] == "HTTP 410"


# ---- secrets at rest ----


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def test_secrets_are_encrypted_on_disk(start: Any, tmp_path: Path) -> None:
    async with start() as post:
        await post.channel(headers={"X": "hush-hush"})
        await post.alert()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    kept = b"".join(path.read_bytes() for path in files(tmp_path))
    assert URL.encode() in kept
    assert TOKEN.encode() not in kept
    assert b"hush-hush" not in kept


async def test_nothing_is_logged_of_them(start: Any, capsys: Any) -> None:
    async with start() as post:
        await post.channel()
        await post.alert()
        post.pager.answer = RuntimeError(TOKEN)
        await post.outbox.run()
        await post.api.post(f"{CHANNELS}/ops/test")
        await post.api.put(f"{CHANNELS}/ops", json={"url": 5, "token": TOKEN})
    shown = capsys.readouterr()
    assert "channel_created" in shown.out + shown.err
    assert TOKEN not in shown.out + shown.err


async def test_a_lost_key_is_said_and_secrets_may_be_given_again(start: Any, tmp_path: Path) -> None:
    async with start() as post:
        await post.channel()
    (tmp_path / FILE_NAME).unlink()
    async with start() as post:
        channel = await post.get("/channels/ops")
        assert (channel["available"], "decrypted" in channel["reason"]) == (False, True)
        assert channel["config"]["token"] == "***"
        assert code(await post.api.put(f"{CHANNELS}/ops", json={"volume": 2}))[0] == 422
        data(await post.api.put(f"{CHANNELS}/ops", json={"token": "new-token"}))
        data(await post.api.post(f"{CHANNELS}/ops/test"))
        assert post.pager.sent[0][0].token == "new-token"


async def test_a_row_cannot_be_passed_off_as_another(start: Any, tmp_path: Path) -> None:
    async with start() as post:
        await post.channel("a")
        await post.channel("b", token="other-token")
    [path] = [path for path in files(tmp_path) if path.suffix == ".db"]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE messages_channels SET sealed = (SELECT sealed FROM messages_channels WHERE name='b')")
    async with start() as post:
        assert [one["available"] for one in (await post.get("/channels"))["channels"]] == [False, True]
