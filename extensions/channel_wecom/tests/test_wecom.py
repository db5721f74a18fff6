"""The contract of channels, and what WeCom wants of its robots."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given

from neomind_channel_wecom import hooks
from neomind_channel_wecom.hooks import WecomChannel, WecomConfig
from neomind_sdk import OutgoingMessage, SendTools
from neomind_sdk.testing import FakeEgress, VirtualClock, strategies
from neomind_sdk.testing.sink import Sink, real_egress
from neomind_sdk.testing.suites import ChannelContract

KEY = "693a91f6-7aoc-4bc4-97a0-0ec2sifa5aaa"
MESSAGE = OutgoingMessage(
    id="m", title="Boiler\ntoo hot", message="81.5 °C", severity="critical", source="rule:1", ts_ms=1_700_000_000_000
)
CONTENT = (
    '### Boiler too hot\n> Severity: <font color="warning">CRITICAL</font>\n> Source: rule:1\n'
    "> Time: 2023-11-14 22:13:20\n\n81.5 °C"
)


class TestWecom(ChannelContract):
    config = {"key": KEY}
    success = {"json": {"errcode": 0, "errmsg": "ok"}}

    def make(self):
        return WecomChannel()

    @pytest.mark.parametrize(
        ("code", "retry", "after"), [(93000, False, None), (40058, False, None), (45009, True, 60), (-1, True, 5)]
    )
    async def test_a_refusal_with_status_200(self, subject, egress, code, retry, after):
        egress.answer(200, json={"errcode": code, "errmsg": f"invalid webhook url {KEY}"})
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.retry_after) == (False, retry, after)
        assert delivery.detail == f"WeCom refused it with errcode {code}: invalid webhook url ***"

    async def test_a_body_that_is_not_json_counts_as_taken(self, subject, egress):
        egress.answer(200, body="ok")
        assert (await self.attempt(subject, egress)).ok


async def test_the_request_byte_for_byte():
    async with Sink() as sink, real_egress() as egress:
        sink.answer(json={"errcode": 0})
        tools = SendTools(egress=egress, clock=VirtualClock(), delivery_id="msg_1")
        assert (await WecomChannel().send(WecomConfig(key=KEY, base_url=sink.url), MESSAGE, tools)).ok
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target) == ("POST", f"/cgi-bin/webhook/send?key={KEY}")
    assert arrived.headers["content-type"] == "application/json"
    wanted = {"msgtype": "markdown", "markdown": {"content": CONTENT}}
    assert arrived.body == json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


async def test_without_a_base_url_it_is_the_service():
    egress = FakeEgress()
    tools = SendTools(egress=egress, clock=VirtualClock(), delivery_id="msg_1")
    await WecomChannel().send(WecomConfig(key="a&b=c"), MESSAGE, tools)
    assert egress.requests[0].url == "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a%26b%3Dc"
    assert egress.requests[0].trust == "admin"


@pytest.mark.parametrize(("severity", "color"), [("info", "info"), ("warning", "warning"), ("emergency", "warning")])
def test_only_info_is_green(severity, color):
    assert f'<font color="{color}">{severity.upper()}</font>' in hooks.content(attrs.evolve(MESSAGE, severity=severity))


@given(message=strategies.messages())
def test_the_limit_is_kept_and_nothing_breaks(message):
    content = hooks.content(message)
    assert len(content.encode()) <= 4096
    assert content.count("<font color=") >= 1
    assert "</font>\n> Source: " in content
    assert "<@" not in content


@pytest.mark.parametrize("body", ["x" * 5000, "é" * 4096, "🔥" * 3000, "<@all>" * 2000, "中" * 4096])
@pytest.mark.parametrize("title", ["t", "🔥" * 5000])
def test_long_texts_fill_the_room_there_is(body, title):
    content = hooks.content(attrs.evolve(MESSAGE, title=title, source=title, message=body))
    assert 4090 <= len(content.encode()) <= 4096
    assert content.endswith("…")


@pytest.mark.parametrize("values", [{"key": ""}, {"base_url": "qyapi.weixin.qq.com"}])
def test_config_is_checked(values):
    with pytest.raises(ValueError):
        WecomConfig(**{"key": KEY, **values})


def test_the_hook_returns_the_channel():
    assert [channel.name for channel in hooks.neomind_channels(None)] == ["wecom"]
