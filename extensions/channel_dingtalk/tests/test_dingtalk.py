"""The contract of channels, DingTalk's signature, and what it wants of its robots."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from hypothesis import given

from neomind_channel_dingtalk import hooks
from neomind_channel_dingtalk.hooks import DingtalkChannel, DingtalkConfig
from neomind_sdk import OutgoingMessage, SendTools
from neomind_sdk.testing import FakeEgress, VirtualClock, strategies
from neomind_sdk.testing.sink import Sink, real_egress
from neomind_sdk.testing.suites import ChannelContract

NOW_MS = 1_700_000_000_000
SECRET = "SEC-of-the-robot"
# printf '1700000000000\nSEC-of-the-robot' | openssl dgst -sha256 -hmac 'SEC-of-the-robot' -binary | base64
SIGN = "f7S6A8ridvBHgrEP7CijwQQi4sdi7tY0Iug8m6da6ks="
MESSAGE = OutgoingMessage(
    id="m", title="Boiler\ntoo hot", message="81.5 °C\nand rising", severity="critical", source="rule:1", ts_ms=NOW_MS
)
TEXT = (
    "### 🔴 Boiler too hot\n\n> Severity: **CRITICAL**\n\n> Source: rule:1\n\n> Time: 2023-11-14 22:13:20\n\n"
    "81.5 °C  \nand rising"
)


class TestDingtalk(ChannelContract):
    config = {"access_token": "t0ken-of-the-robot", "secret": SECRET}
    success = {"json": {"errcode": 0, "errmsg": "ok"}}

    def make(self):
        return DingtalkChannel()

    @pytest.mark.parametrize(
        ("code", "retry", "after"), [(310000, False, None), (130101, True, 60), (410100, True, 60), (-1, True, 5)]
    )
    async def test_a_refusal_with_status_200(self, subject, egress, code, retry, after):
        egress.answer(200, json={"errcode": code, "errmsg": f"sign not match {SECRET} t0ken-of-the-robot"})
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.retry_after) == (False, retry, after)
        assert delivery.detail == f"DingTalk refused it with errcode {code}: sign not match *** ***"


async def sent(egress, **config):
    tools = SendTools(egress=egress, clock=VirtualClock(NOW_MS), delivery_id="msg_1")
    return await DingtalkChannel().send(DingtalkConfig(access_token="t0ken", **config), MESSAGE, tools)


async def test_the_request_byte_for_byte():
    async with Sink() as sink, real_egress() as egress:
        assert (await sent(egress, secret=SECRET, base_url=sink.url)).ok
        arrived = sink.requests[0]
    query = "access_token=t0ken&timestamp=1700000000000&sign=f7S6A8ridvBHgrEP7CijwQQi4sdi7tY0Iug8m6da6ks%3D"
    assert (arrived.method, arrived.target) == ("POST", f"/robot/send?{query}")
    assert arrived.headers["content-type"] == "application/json"
    wanted = {"msgtype": "markdown", "markdown": {"title": "🔴 Boiler too hot", "text": TEXT}}
    assert arrived.body == json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


async def test_without_a_secret_nothing_is_signed():
    egress = FakeEgress()
    await sent(egress)
    assert egress.requests[0].url == "https://oapi.dingtalk.com/robot/send?access_token=t0ken"
    assert egress.requests[0].trust == "admin"


def test_the_signature():
    assert hooks.sign(SECRET, NOW_MS) == SIGN


@pytest.mark.parametrize("now_ms", range(NOW_MS, NOW_MS + 40))
async def test_signatures_with_plus_and_slash_survive_the_query(now_ms):
    egress = FakeEgress()
    tools = SendTools(egress=egress, clock=VirtualClock(now_ms), delivery_id="msg_1")
    await DingtalkChannel().send(DingtalkConfig(access_token="t", secret=SECRET), MESSAGE, tools)
    query = parse_qs(urlsplit(egress.requests[0].url).query)
    assert query == {"access_token": ["t"], "timestamp": [str(now_ms)], "sign": [hooks.sign(SECRET, now_ms)]}


@given(message=strategies.messages())
def test_the_limit_is_kept(message):
    body = hooks.body(message)
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= 20_000
    assert "\n" not in body["markdown"]["title"]
    assert body["markdown"]["text"].startswith(f"### {body['markdown']['title']}\n\n> Severity: **")


@pytest.mark.parametrize("text", ["x" * 30_000, "🔥" * 9000, "\n\x01" * 20_000, '"' * 15_000])
def test_long_texts_fill_the_room_there_is(text):
    body = hooks.body(attrs.evolve(MESSAGE, message=f"a{text}b", title=text, source=text))
    assert 19_970 <= len(json.dumps(body, ensure_ascii=False).encode()) <= 20_000
    assert body["markdown"]["text"].endswith("…")


@pytest.mark.parametrize("values", [{"access_token": ""}, {"base_url": "oapi.dingtalk.com"}])
def test_config_is_checked(values):
    with pytest.raises(ValueError):
        DingtalkConfig(**{"access_token": "t", **values})


def test_the_hook_returns_the_channel():
    assert [channel.name for channel in hooks.neomind_channels(None)] == ["dingtalk"]
