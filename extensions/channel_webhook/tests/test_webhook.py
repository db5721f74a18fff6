"""The contract of channels, and what a receiver gets to see."""

from __future__ import annotations

import base64
import hashlib
import hmac

import attrs
import pytest
from hypothesis import given

from neomind_channel_webhook import hooks
from neomind_channel_webhook.hooks import WebhookChannel, WebhookConfig
from neomind_sdk import EgressFailed, OutgoingMessage, SendTools
from neomind_sdk.testing import VirtualClock, strategies
from neomind_sdk.testing.sink import Sink, real_egress
from neomind_sdk.testing.suites import ChannelContract

SECRET = "whsec_" + "c2VjcmV0" * 4
MESSAGE = OutgoingMessage(
    id="6d1f",
    title="Boiler ≥ 80 °C",
    message='line\n"quoted" 🔥',
    severity="warning",
    source="rule:1",
    ts_ms=1_700_000_000_123,
)


@pytest.fixture
async def send():
    async with Sink() as sink, real_egress() as egress:

        async def attempt(message=MESSAGE, **config):
            tools = SendTools(egress=egress, clock=VirtualClock(), delivery_id="msg_1", headers={"webhook-id": "msg_1"})
            return await WebhookChannel().send(WebhookConfig(url=f"{sink.url}/in?a=%2F", **config), message, tools)

        attempt.sink = sink
        yield attempt


class TestWebhook(ChannelContract):
    config = {"url": "https://ops.example/hook", "headers": {"X-Team": "ops"}, "timeout_secs": 5, "secret": SECRET}

    def make(self):
        return WebhookChannel()

    async def test_what_is_asked_of_egress(self, subject, egress):
        await self.attempt(subject, egress)
        sent = egress.requests[0]
        assert (sent.method, sent.url, sent.trust, sent.timeout_s) == ("POST", self.config["url"], "admin", 5)

    @pytest.mark.parametrize("body", ['{"code": 200}', '{"errcode": 1}', '{"success": false}', '{"ok": false}'])
    async def test_the_body_of_the_answer_does_not_matter(self, subject, egress, body):
        egress.answer(200, body=body)
        assert (await self.attempt(subject, egress)).ok


async def test_the_request_byte_for_byte(send):
    delivery = await send(headers={"Authorization": "Bearer t0ken"})
    arrived = send.sink.requests[0]
    assert delivery.ok
    assert (arrived.method, arrived.target) == ("POST", "/in?a=%2F")
    assert arrived.headers["content-type"] == "application/json"
    assert (arrived.headers["authorization"], arrived.headers["webhook-id"]) == ("Bearer t0ken", "msg_1")
    wanted = (
        '{"id":"6d1f","category":"alert","severity":"warning","title":"Boiler ≥ 80 °C",'
        '"message":"line\\n\\"quoted\\" 🔥","source":"rule:1","source_type":"system","status":"active",'
        '"timestamp":"2023-11-14T22:13:20.123+00:00","tags":[]}'
    )
    assert arrived.body == wanted.encode()


async def test_a_signature_that_the_receiver_can_check(send):
    await send(secret=SECRET)
    arrived = send.sink.requests[0]
    assert (arrived.headers["webhook-id"], arrived.headers["webhook-timestamp"]) == ("msg_1", "1700000000")
    content = b"msg_1.1700000000." + arrived.body
    digest = hmac.new(b"secret" * 4, content, hashlib.sha256).digest()
    assert arrived.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


async def test_without_a_secret_there_is_no_signature(send):
    await send()
    assert "webhook-signature" not in send.sink.requests[0].headers


async def test_metadata_and_tags_are_sent_where_there_are_some(send):
    await send(attrs.evolve(MESSAGE, metadata={"value": 81.5}, tags=("a", "b")))
    assert send.sink.requests[0].json()["metadata"] == {"value": 81.5}
    assert send.sink.requests[0].json()["tags"] == ["a", "b"]


async def test_a_receiver_that_hangs(send):
    send.sink.hang()
    with pytest.raises(EgressFailed, match="in time"):
        await send(timeout_secs=1)


@given(message=strategies.messages())
def test_every_message_has_a_body_that_says_it(message):
    shown = hooks.body(message)
    assert (shown["title"], shown["message"], shown["tags"]) == (message.title, message.message, list(message.tags))
    assert ("metadata" in shown) == (message.metadata is not None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "x"},
        {"content-LENGTH": "1"},
        {"Transfer-Encoding": "chunked"},
        {"webhook-id": "x"},
        {"Webhook-Signature": "x"},
        {"bad name": "x"},
        {"": "x"},
        {"x": "a\r\nb: c"},
        {"x": " blank"},
        {"x": "é"},
        {f"x-{n}": "1" for n in range(33)},
    ],
)
def test_headers_are_checked(headers):
    with pytest.raises(ValueError):
        WebhookConfig(url="https://a.example/", headers=headers)


@pytest.mark.parametrize(
    "values",
    [
        {"url": ""},
        {"url": "ftp://x/"},
        {"url": "https://x y/"},
        {"timeout_secs": 0},
        {"timeout_secs": 121},
        {"secret": "short"},
        {"secret": "whsec_c2hvcnQ="},
    ],
)
def test_config_is_checked(values):
    with pytest.raises(ValueError):
        WebhookConfig(**{"url": "https://a.example/", **values})


def test_headers_are_not_shown():
    assert "t0ken" not in repr(WebhookConfig(url="https://a.example/", headers={"Authorization": "t0ken"}))


def test_the_hook_returns_the_channel():
    assert [channel.name for channel in hooks.neomind_channels(None)] == ["webhook"]
