"""The channel: a message of blocks to an incoming webhook of Slack, or of a server that takes the same."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime
from html import escape
from typing import Any

import attrs

from neomind_sdk import (
    ADMIN_TARGET,
    ApiError,
    ChannelType,
    Delivery,
    HttpAnswer,
    Label,
    OutgoingMessage,
    PluginContext,
    SendTools,
    fields,
    hookimpl,
    strict_json,
)

ICONS = {"info": "ℹ️", "warning": "⚠️", "critical": "🔴", "emergency": "🚨"}
FOOTER = "NeoMind"
# Slack's limits, in characters, of a header, of a section's text, of each of its fields.
MAX_HEADER, MAX_SECTION, MAX_FIELD = 150, 3000, 2000
REASON = re.compile(rb"[a-z_]{2,60}")


@attrs.frozen(kw_only=True)
class SlackConfig:
    """An incoming webhook. Whoever knows its address may post, so it is a secret."""

    webhook_url: str = fields.secret(
        min=1, max=2048, pattern=r"https?://\S+", converter=str.strip, doc="The address of the incoming webhook"
    )


class SlackChannel:
    name = "slack"
    label = Label(
        name="Slack",
        description="Sends messages to a Slack incoming webhook",
        name_zh="Slack",
        description_zh="通过 Slack 传入 Webhook 发送消息",
        icon="Slack",
    )
    config = SlackConfig

    def targets(self, config: SlackConfig) -> list[str]:
        """Where it sends to, for the check when a channel is saved."""
        return [config.webhook_url]

    async def send(self, config: SlackConfig, message: OutgoingMessage, tools: SendTools) -> Delivery:
        answer = await tools.egress.request("POST", config.webhook_url, trust=ADMIN_TARGET, json=body(message))
        return judged(answer)


def body(message: OutgoingMessage) -> dict[str, Any]:
    """The message as blocks; ``text`` is what notifications show."""
    title = " ".join(message.title.split())
    header = _cut(f"{ICONS.get(message.severity, ICONS['info'])} {title}", MAX_HEADER)
    facts = {
        "Severity": message.severity.upper(),
        "Source": " ".join(message.source.split()) or "-",
        "Time": f"{datetime.fromtimestamp(message.ts_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}",
    }
    shown = [_mrkdwn(f"*{name}*\n" + escaped(fact, MAX_FIELD - 50)) for name, fact in facts.items()]
    text = escaped(message.message.strip(), MAX_SECTION)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": header}},
        {"type": "section", "fields": shown},
        *([{"type": "section", "text": _mrkdwn(text)}] if text else []),  # Slack refuses an empty text
        {"type": "context", "elements": [_mrkdwn(FOOTER)]},
    ]
    return {"text": escaped(f"[{message.severity.capitalize()}] {title}", MAX_SECTION), "blocks": blocks}


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def escaped(value: str, limit: int) -> str:
    """``&``, ``<`` and ``>`` escaped, so that nobody is called by a text; cut before that, so that no escape is."""
    if len(escape(value, quote=False)) <= limit:
        return escape(value, quote=False)
    value = value[:limit]
    fits = bisect_right(range(limit), limit - 1, key=lambda n: len(escape(value[:n], quote=False))) - 1
    return escape(value[:fits], quote=False) + "…"


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 1] + "…"


def judged(answer: HttpAnswer) -> Delivery:
    """What came of it. Slack says ``ok`` or one word why not; other servers may answer 200 with ``"ok": false``."""
    delivery = Delivery.of(answer)
    if REASON.fullmatch(answer.body.strip()) and not delivery.ok:
        return attrs.evolve(delivery, detail=f"{delivery.detail}: {answer.body.decode().strip()}")
    try:
        said: Any = strict_json.loads(answer.body)
    except ApiError:
        return delivery
    refused = isinstance(said, dict) and (said.get("ok") is False or said.get("success") is False)
    if delivery.ok and refused:
        return attrs.evolve(delivery, ok=False, detail="The server answered that it did not take the message")
    return delivery


@hookimpl
def neomind_channels(ctx: PluginContext) -> list[ChannelType]:
    return [SlackChannel()]
