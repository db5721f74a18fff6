"""The contract of channels, and Slack's limits for blocks."""

from __future__ import annotations

import json
import re

import attrs
import pytest
from hypothesis import given

from neomind_channel_slack import hooks
from neomind_channel_slack.hooks import SlackChannel, SlackConfig
from neomind_sdk import OutgoingMessage, SendTools
from neomind_sdk.testing import VirtualClock, strategies
from neomind_sdk.testing.sink import Sink, real_egress
from neomind_sdk.testing.suites import ChannelContract

MESSAGE = OutgoingMessage(
    id="m", title="R&D <!channel>", message="5 < 6 & so", severity="warning", source="rule:1", ts_ms=1_700_000_000_000
)
BODY = {
    "text": "[Warning] R&amp;D &lt;!channel&gt;",
    "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": "⚠️ R&D <!channel>"}},
        {
            "type": "section",
            "fields": [
                {"type": "mrkdwn", "text": "*Severity*\nWARNING"},
                {"type": "mrkdwn", "text": "*Source*\nrule:1"},
                {"type": "mrkdwn", "text": "*Time*\n2023-11-14 22:13:20"},
            ],
        },
        {"type": "section", "text": {"type": "mrkdwn", "text": "5 &lt; 6 &amp; so"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "NeoMind"}]},
    ],
}


class TestSlack(ChannelContract):
    config = {"webhook_url": "https://hooks.slack.example/services/T0/B0/x9"}
    success = {"body": "ok"}

    def make(self):
        return SlackChannel()

    async def test_the_reason_is_said(self, subject, egress):
        egress.answer(404, body="no_service")
        delivery = await self.attempt(subject, egress)
        assert (delivery.ok, delivery.retry, delivery.detail) == (False, False, "HTTP 404: no_service")

    @pytest.mark.parametrize("body", ['{"ok": false}', '{"success": false, "error": "x"}'])
    async def test_a_refusal_with_status_200(self, subject, egress, body):
        egress.answer(200, body=body)
        assert not (await self.attempt(subject, egress)).ok

    async def test_the_target_is_the_administrators(self, subject, egress):
        await self.attempt(subject, egress)
        assert egress.requests[0].trust == "admin"


async def test_the_request_byte_for_byte():
    async with Sink() as sink, real_egress() as egress:
        sink.answer(body="ok")
        tools = SendTools(egress=egress, clock=VirtualClock(), delivery_id="msg_1")
        config = SlackConfig(webhook_url=f" {sink.url}/services/T0/B0/x9\n")
        assert (await SlackChannel().send(config, MESSAGE, tools)).ok
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target) == ("POST", "/services/T0/B0/x9")
    assert arrived.headers["content-type"] == "application/json"
    assert arrived.body == json.dumps(BODY, ensure_ascii=False, separators=(",", ":")).encode()


def check_limits(body):
    header, facts, *text, context = body["blocks"]
    assert 0 < len(header["text"]["text"]) <= 150
    for field in facts["fields"]:
        assert 0 < len(field["text"]) <= 2000
    for section in text:
        assert 0 < len(section["text"]["text"]) <= 3000
    marked = [body["text"], *(field["text"] for field in facts["fields"]), *(one["text"]["text"] for one in text)]
    for one in marked:
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", one), one
    assert context["type"] == "context"


@given(message=strategies.messages())
def test_the_limits_are_kept_and_no_escape_is_cut(message):
    check_limits(hooks.body(message))


@pytest.mark.parametrize("text", ["&" * 9000, "<!channel>" * 900, "🔥" * 5000, "x" * 3001])
def test_long_texts_fill_the_room_there_is(text):
    body = hooks.body(attrs.evolve(MESSAGE, title=text, source=text, message=text))
    check_limits(body)
    assert body["blocks"][0]["text"]["text"].endswith("…")
    assert len(body["blocks"][2]["text"]["text"]) > 2990


def test_a_message_without_a_body_has_no_empty_section():
    kinds = [block["type"] for block in hooks.body(attrs.evolve(MESSAGE, message=" \n"))["blocks"]]
    assert kinds == ["header", "section", "context"]


@pytest.mark.parametrize("url", ["", "hooks.slack.com/x", "https://a b"])
def test_config_is_checked(url):
    with pytest.raises(ValueError):
        SlackConfig(webhook_url=url)


def test_the_hook_returns_the_channel():
    assert [channel.name for channel in hooks.neomind_channels(None)] == ["slack"]
