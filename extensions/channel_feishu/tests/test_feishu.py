"""The contract of channels, Feishu's signature, and what it wants of its bots."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given

from neomind_channel_feishu import hooks
from neomind_channel_feishu.hooks import FeishuChannel, FeishuConfig
from neomind_sdk import OutgoingMessage, SendTools
from neomind_sdk.testing import FakeEgress, VirtualClock, strategies
from neomind_sdk.testing.sink import Sink, real_egress
from neomind_sdk.testing.suites import ChannelContract

NOW_MS = 1_700_000_000_999
SECRET = "s3cret"
# openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf '1700000000\ns3cret' | xxd -p) -binary < /dev/null | base64
SIGN = "IX3eHI0/v/Td7jqJ0ynSEK3Dq5JY3HUZeoeMgVZeZGo="
MESSAGE = OutgoingMessage(
    id="m", title="Boiler\ntoo hot", message="81.5 °C", severity="emergency", source="rule:1", ts_ms=1_700_000_000_000
)
TEXT = "🚨 Boiler too hot\nSeverity: EMERGENCY\nSource: rule:1\nTime: 2023-11-14 22:13:20\n81.5 °C"


class TestFeishu(ChannelContract):
    config = {"hook_id": "0c6c6b2a-hook", "secret": SECRET}
    success = {"json": {"code": 0, "msg": "success", "data": {}}}

    def make(self):
        return FeishuChannel()

    @pytest.mark.parametrize("status", [200, 400])
    @pytest.mark.parametrize(("code", "retry", "after"), [(19021, False, None), (11232, True, 60)])
    async def test_a_refusal(self, subject, egress, status, code, retry, after):
        egress.answer(status, json={"code": code, "msg": f"sign match fail {SECRET} 0c6c6b2a-hook", "data": {}})
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.retry_after) == (False, retry, after)
        assert delivery.detail == f"Feishu refused it with code {code}: sign match fail *** ***"


async def sent(egress, **config):
    tools = SendTools(egress=egress, clock=VirtualClock(NOW_MS), delivery_id="msg_1")
    return await FeishuChannel().send(FeishuConfig(hook_id="0c6c/../6b", **config), MESSAGE, tools)


async def test_the_request_byte_for_byte():
    async with Sink() as sink, real_egress() as egress:
        assert (await sent(egress, secret=SECRET, base_url=sink.url)).ok
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target) == ("POST", "/open-apis/bot/v2/hook/0c6c%2F..%2F6b")
    assert arrived.headers["content-type"] == "application/json"
    wanted = {"timestamp": "1700000000", "sign": SIGN, "msg_type": "text", "content": {"text": TEXT}}
    assert arrived.body == json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


async def test_without_a_secret_nothing_is_signed():
    egress = FakeEgress()
    await sent(egress)
    assert egress.requests[0].url.startswith("https://open.feishu.cn/open-apis/bot/v2/hook/")
    assert egress.requests[0].trust == "admin"
    assert egress.requests[0].json() == {"msg_type": "text", "content": {"text": TEXT}}


def test_the_signature():
    assert hooks.sign(SECRET, 1_700_000_000) == SIGN


@given(message=strategies.messages())
def test_the_limit_is_kept_and_nobody_is_called(message):
    tag = attrs.evolve(message, title=f'<at user_id="all">{message.title}', message=f"</AT><at >{message.message}")
    for one in (message, tag):
        body = {"timestamp": "1700000000", "sign": SIGN, **hooks.body(one)}
        assert len(json.dumps(body, ensure_ascii=False).encode()) <= 20_000
    text = hooks.body(tag)["content"]["text"].lower()
    assert "<at" not in text
    assert "</at" not in text


@pytest.mark.parametrize("text", ["x" * 30_000, "🔥" * 9000, "\n\x01" * 20_000, '"' * 15_000, "<at>" * 9000])
def test_long_texts_fill_the_room_there_is(text):
    body = hooks.body(attrs.evolve(MESSAGE, message=f"a{text}b", title=text, source=text))
    assert 19_770 <= len(json.dumps(body, ensure_ascii=False).encode()) <= 19_800
    assert body["content"]["text"].endswith("…")


@pytest.mark.parametrize("values", [{"hook_id": ""}, {"base_url": "open.feishu.cn"}])
def test_config_is_checked(values):
    with pytest.raises(ValueError):
        FeishuConfig(**{"hook_id": "h", **values})


def test_the_hook_returns_the_channel():
    assert [channel.name for channel in hooks.neomind_channels(None)] == ["feishu"]
