"""The channel: one call of the Bot API's ``sendMessage`` with HTML markup."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

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

SERVICE = "https://api.telegram.org"
ICONS = {"info": "ℹ️", "warning": "⚠️", "critical": "🔴", "emergency": "🚨"}
FOOTER = "NeoMind"
MAX_UNITS = 4096  # of the text that remains when the markup is taken out
MAX_LINE = 256


@attrs.frozen(kw_only=True)
class TelegramConfig:
    """A bot, and the chat it writes to."""

    token: str = fields.secret(min=1, max=200, converter=str.strip, doc="The token that @BotFather gave you")
    chat_id: str = fields.text(min=1, max=100, converter=str.strip, doc="A number, or @name of a public channel")
    base_url: str = fields.text(
        max=2048, pattern=r"(https?://[^\s?#]+)?", default="", doc=f"A Bot API server of your own; else {SERVICE}"
    )


class TelegramChannel:
    name = "telegram"
    label = Label(
        name="Telegram",
        description="Sends messages through a Telegram bot",
        name_zh="Telegram",
        description_zh="通过 Telegram 机器人发送消息",
        icon="Send",
    )
    config = TelegramConfig

    def targets(self, config: TelegramConfig) -> list[str]:
        """Where it sends to, for the check when a channel is saved."""
        return [config.base_url or SERVICE]

    async def send(self, config: TelegramConfig, message: OutgoingMessage, tools: SendTools) -> Delivery:
        base = (config.base_url or SERVICE).rstrip("/")
        answer = await tools.egress.request(
            "POST",
            f"{base}/bot{quote(config.token, safe=':')}/sendMessage",
            trust=ADMIN_TARGET,
            json={"chat_id": config.chat_id, "text": text(message), "parse_mode": "HTML"},
        )
        return judged(answer, config.token)


def text(message: OutgoingMessage) -> str:
    """The message in Telegram's HTML. The body is cut before it is escaped, so that no markup is."""
    icon, title = ICONS.get(message.severity, ICONS["info"]), clipped(" ".join(message.title.split()), MAX_LINE)
    facts = {
        "Severity": message.severity.upper(),
        "Source": clipped(" ".join(message.source.split()), MAX_LINE),
        "Time": datetime.fromtimestamp(message.ts_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
    }
    plain = [f"{icon} {title}", "", *(f"{name}: {fact}" for name, fact in facts.items()), "", "", "", FOOTER]
    body = clipped(message.message.strip(), MAX_UNITS - units("\n".join(plain)))
    marked = [f"{icon} <b>{_escaped(title)}</b>", ""]
    marked += [f"<b>{name}:</b> {_escaped(fact)}" for name, fact in facts.items()]
    return "\n".join([*marked, "", *([_escaped(body), ""] if body else []), f"<i>{FOOTER}</i>"])


def _escaped(value: str) -> str:
    return escape(value, quote=False)


def units(value: str) -> int:
    """The length as Telegram counts it: UTF-16 code units."""
    return len(value.encode("utf-16-le")) // 2


def clipped(value: str, limit: int) -> str:
    """The longest beginning that fits, with an ellipsis where something is missing."""
    if units(value) <= limit:
        return value
    value = value[:limit]
    return value[: max(0, bisect_right(range(limit), limit - 1, key=lambda n: units(value[:n])) - 1)] + "…"


def judged(answer: HttpAnswer, token: str) -> Delivery:
    """What came of it, in the words of the Bot API where it says some."""
    delivery = Delivery.of(answer)
    try:
        said: Any = strict_json.loads(answer.body)
    except ApiError:
        return delivery
    if not isinstance(said, dict) or (delivery.ok and said.get("ok") is not False):
        return delivery
    wait = (said.get("parameters") or {}).get("retry_after") if isinstance(said.get("parameters"), dict) else None
    after = float(wait) if type(wait) is int and 0 <= wait < 10**9 else delivery.retry_after
    words = str(said.get("description", "")).replace(token, "***")[:200]
    return attrs.evolve(delivery, ok=False, detail=f"{delivery.detail}: {words}", retry_after=after)


@hookimpl
def neomind_channels(ctx: PluginContext) -> list[ChannelType]:
    return [TelegramChannel()]
