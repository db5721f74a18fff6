"""The contract of channels, and the Bot API's side of ``sendMessage``."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import attrs
import pytest
from hypothesis import given

from neomind_channel_telegram import hooks
from neomind_channel_telegram.hooks import TelegramChannel, TelegramConfig
from neomind_sdk import OutgoingMessage, SendTools
from neomind_sdk.testing import VirtualClock, strategies
from neomind_sdk.testing.sink import Sink, real_egress
from neomind_sdk.testing.suites import ChannelContract

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
MESSAGE = OutgoingMessage(
    id="m", title="R&D <1>", message="5 < 6 & so", severity="critical", source="rule:1", ts_ms=1_700_000_000_000
)
TEXT = (
    "🔴 <b>R&amp;D &lt;1&gt;</b>\n\n"
    "<b>Severity:</b> CRITICAL\n<b>Source:</b> rule:1\n<b>Time:</b> 2023-11-14 22:13:20\n\n"
    "5 &lt; 6 &amp; so\n\n<i>NeoMind</i>"
)


class Reader(HTMLParser):
    """What is left when the markup is taken out; complains about markup that is not Telegram's or not closed."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        assert tag in ("b", "i")
        assert not attrs
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parsed(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader.text


class TestTelegram(ChannelContract):
    config = {"token": TOKEN, "chat_id": "@ops"}
    success = {"json": {"ok": True, "result": {"message_id": 1}}}

    def make(self):
        return TelegramChannel()

    async def test_the_wait_is_in_the_body(self, subject, egress):
        answer = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 35}}
        egress.answer(429, json=answer)
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.retry_after) == (False, True, 35)

    @pytest.mark.parametrize("wait", [True, "5", -1, 1e300, None, [], 10**30])
    async def test_a_senseless_wait(self, subject, egress, wait):
        egress.answer(429, json={"ok": False, "parameters": {"retry_after": wait}})
        assert (await self.attempt(subject, egress)).retry_after is None

    async def test_a_refusal_in_words(self, subject, egress):
        egress.answer(400, json={"ok": False, "error_code": 400, "description": f"Bad Request: {TOKEN} chat not found"})
        delivery = await self.attempt(subject, egress)
        assert not delivery.retry
        assert delivery.detail == "HTTP 400: Bad Request: *** chat not found"

    async def test_ok_false_is_no_success(self, subject, egress):
        egress.answer(200, json={"ok": False, "description": "no"})
        assert not (await self.attempt(subject, egress)).ok


async def test_the_request_byte_for_byte():
    async with Sink() as sink, real_egress() as egress:
        sink.answer(json={"ok": True})
        config = TelegramConfig(token=f" {TOKEN}\n", chat_id="-1001", base_url=f"{sink.url}/")
        tools = SendTools(egress=egress, clock=VirtualClock(), delivery_id="msg_1")
        assert (await TelegramChannel().send(config, MESSAGE, tools)).ok
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target) == ("POST", f"/bot{TOKEN}/sendMessage")
    assert arrived.headers["content-type"] == "application/json"
    wanted = {"chat_id": "-1001", "text": TEXT, "parse_mode": "HTML"}
    assert arrived.body == json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


async def test_without_a_base_url_it_is_the_service(monkeypatch):
    from neomind_sdk.testing import FakeEgress

    egress = FakeEgress()
    tools = SendTools(egress=egress, clock=VirtualClock(), delivery_id="msg_1")
    await TelegramChannel().send(TelegramConfig(token="1:a/../b?", chat_id="1"), MESSAGE, tools)
    assert egress.requests[0].url == "https://api.telegram.org/bot1:a%2F..%2Fb%3F/sendMessage"
    assert egress.requests[0].trust == "admin"


@given(message=strategies.messages())
def test_markup_survives_every_message_and_the_limit_is_kept(message):
    text = parsed(hooks.text(message))
    assert hooks.units(text) <= 4096
    assert text.endswith("NeoMind")


@pytest.mark.parametrize("body", ["&" * 9000, "<b>" * 3000, "🔥" * 5000, "x" * 4095, "é" * 4096])
@pytest.mark.parametrize("title", ["t", "<" * 9000, "🔥" * 300])
def test_long_texts_fill_the_room_there_is(body, title):
    text = parsed(hooks.text(attrs.evolve(MESSAGE, title=title, source=title, message=body)))
    assert 4094 <= hooks.units(text) <= 4096
    assert "…\n\nNeoMind" in text


def test_a_message_without_a_body():
    assert hooks.text(attrs.evolve(MESSAGE, message=" \n ")) == TEXT.replace("5 &lt; 6 &amp; so\n\n", "")


@pytest.mark.parametrize(
    "values", [{"token": " "}, {"chat_id": ""}, {"base_url": "api.telegram.org"}, {"base_url": "http://x/?a"}]
)
def test_config_is_checked(values):
    with pytest.raises(ValueError):
        TelegramConfig(**{"token": TOKEN, "chat_id": "1", **values})


def test_the_hook_returns_the_channel():
    assert [channel.name for channel in hooks.neomind_channels(None)] == ["telegram"]
