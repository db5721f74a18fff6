"""The channel: a text message to the custom bot of a Feishu group, signed where the bot asks for it."""

from __future__ import annotations

import base64
import hmac
import json
import re
from bisect import bisect_right
from datetime import UTC, datetime
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

SERVICE = "https://open.feishu.cn"
ICONS = {"info": "ℹ️", "warning": "⚠️", "critical": "🔴", "emergency": "🚨"}
MAX_BYTES = 20_000  # of the request's body
MAX_LINE = 200
SIGNATURE_BYTES = 200  # what time and signature add to the body
BUSY = {11232: 60.0, 11233: 60.0, 99991400: 60.0}  # codes that pass with time, and after how many seconds
MENTION = re.compile(r"<(?=/?at\b)", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class FeishuConfig:
    """The bot of a group."""

    hook_id: str = fields.secret(
        min=1, max=200, converter=str.strip, doc="What follows /hook/ in the bot's webhook address"
    )
    secret: str = fields.secret(max=200, converter=str.strip, default="", doc="The signing secret, where one is set")
    base_url: str = fields.text(
        max=2048,
        pattern=r"(https?://[^\s?#]+)?",
        default="",
        doc=f"https://open.larksuite.com for Lark, or a gateway of your own; else {SERVICE}",
    )


class FeishuChannel:
    name = "feishu"
    label = Label(
        name="Feishu",
        description="Sends messages to a Feishu or Lark group bot",
        name_zh="飞书",
        description_zh="通过飞书群机器人发送消息",
        icon="MessageSquare",
    )
    config = FeishuConfig

    def targets(self, config: FeishuConfig) -> list[str]:
        """Where it sends to, for the check when a channel is saved."""
        return [config.base_url or SERVICE]

    async def send(self, config: FeishuConfig, message: OutgoingMessage, tools: SendTools) -> Delivery:
        signed: dict[str, Any] = {}
        if config.secret:
            now_s = tools.clock.now_ms() // 1000
            signed = {"timestamp": str(now_s), "sign": sign(config.secret, now_s)}
        base = (config.base_url or SERVICE).rstrip("/")
        url = f"{base}/open-apis/bot/v2/hook/{quote(config.hook_id, safe='')}"
        answer = await tools.egress.request("POST", url, trust=ADMIN_TARGET, json={**signed, **body(message)})
        return judged(answer, [config.hook_id, config.secret])


def sign(secret: str, now_s: int) -> str:
    """HMAC-SHA256 in base64; time and secret are the key, and the text is empty."""
    return base64.b64encode(hmac.digest(f"{now_s}\n{secret}".encode(), b"", "sha256")).decode()


def body(message: OutgoingMessage) -> dict[str, Any]:
    """The message as plain text, cut until the whole fits."""
    icon = ICONS.get(message.severity, ICONS["info"])
    head = [
        f"{icon} {_line(message.title)}",
        f"Severity: {message.severity.upper()}",
        f"Source: {_line(message.source)}",
        f"Time: {datetime.fromtimestamp(message.ts_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}",
        "",
    ]
    frame, limit = "\n".join(head), MAX_BYTES - SIGNATURE_BYTES

    def whole(text: str) -> dict[str, Any]:
        return {"msg_type": "text", "content": {"text": frame + text}}

    text = _plain(message.message.strip()[:limit])
    if _size(whole(text)) > limit:
        fits = bisect_right(range(len(text)), limit, key=lambda n: _size(whole(text[:n] + "…"))) - 1
        text = text[:fits] + "…"
    return whole(text)


def _size(value: dict[str, Any]) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _line(value: str) -> str:
    value = _plain(" ".join(value.split()))
    return value if len(value) <= MAX_LINE else value[: MAX_LINE - 1] + "…"


def _plain(value: str) -> str:
    """Text that names nobody: ``<at user_id="all">`` would call a whole group, and a device could write it."""
    return MENTION.sub("<\u200b", value)


def judged(answer: HttpAnswer, secrets: list[str]) -> Delivery:
    """What came of it: Feishu may answer 200 to what it refuses, and says so in ``code``."""
    delivery = Delivery.of(answer)
    try:
        said: Any = strict_json.loads(answer.body)
    except ApiError:
        return delivery
    code = said.get("code") if isinstance(said, dict) else None
    if type(code) is not int or code == 0:
        return delivery
    words = str(said.get("msg", ""))
    for secret in filter(None, secrets):
        words = words.replace(secret, "***")
    retry, after = (delivery.retry and not delivery.ok) or code in BUSY, delivery.retry_after or BUSY.get(code)
    detail = f"Feishu refused it with code {code}: {words[:200]}"
    return attrs.evolve(delivery, ok=False, detail=detail, retry=retry, retry_after=after)


@hookimpl
def neomind_channels(ctx: PluginContext) -> list[ChannelType]:
    return [FeishuChannel()]
