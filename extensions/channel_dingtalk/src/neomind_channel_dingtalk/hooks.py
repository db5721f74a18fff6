"""The channel: a markdown message to the custom robot of a DingTalk group, signed where the robot asks for it."""

from __future__ import annotations

import base64
import hmac
import json
from bisect import bisect_right
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

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

SERVICE = "https://oapi.dingtalk.com"
ICONS = {"info": "ℹ️", "warning": "⚠️", "critical": "🔴", "emergency": "🚨"}
MAX_BYTES = 20_000  # of the request's body
MAX_LINE = 200
BUSY = {-1: 5.0, 130101: 60.0, 410100: 60.0}  # codes that pass with time, and after how many seconds


@attrs.frozen(kw_only=True)
class DingtalkConfig:
    """The robot of a group."""

    access_token: str = fields.secret(
        min=1, max=200, converter=str.strip, doc="What follows access_token= in the robot's webhook address"
    )
    secret: str = fields.secret(max=200, converter=str.strip, default="", doc="The signing secret, where one is set")
    base_url: str = fields.text(
        max=2048, pattern=r"(https?://[^\s?#]+)?", default="", doc=f"A gateway of your own; else {SERVICE}"
    )


class DingtalkChannel:
    name = "dingtalk"
    label = Label(
        name="DingTalk",
        description="Sends messages to a DingTalk group robot",
        name_zh="钉钉",
        description_zh="通过钉钉群机器人发送消息",
        icon="BellRing",
    )
    config = DingtalkConfig

    def targets(self, config: DingtalkConfig) -> list[str]:
        """Where it sends to, for the check when a channel is saved."""
        return [config.base_url or SERVICE]

    async def send(self, config: DingtalkConfig, message: OutgoingMessage, tools: SendTools) -> Delivery:
        query = {"access_token": config.access_token}
        if config.secret:
            now_ms = tools.clock.now_ms()
            query |= {"timestamp": str(now_ms), "sign": sign(config.secret, now_ms)}
        base = (config.base_url or SERVICE).rstrip("/")
        url = f"{base}/robot/send?{urlencode(query)}"
        answer = await tools.egress.request("POST", url, trust=ADMIN_TARGET, json=body(message))
        return judged(answer, [config.access_token, config.secret])


def sign(secret: str, now_ms: int) -> str:
    """HMAC-SHA256 in base64; the secret is the key and, below the time, also the text."""
    digest = hmac.digest(secret.encode(), f"{now_ms}\n{secret}".encode(), "sha256")
    return base64.b64encode(digest).decode()


def body(message: OutgoingMessage) -> dict[str, Any]:
    """The message in DingTalk's markdown; its text is cut until the whole fits."""
    title = f"{ICONS.get(message.severity, ICONS['info'])} {_line(message.title)}"
    facts = [
        f"> Severity: **{message.severity.upper()}**",
        f"> Source: {_line(message.source)}",
        f"> Time: {datetime.fromtimestamp(message.ts_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}",
    ]
    frame = "\n\n".join([f"### {title}", *facts, ""])

    def whole(text: str) -> dict[str, Any]:
        # A line break of markdown takes two blanks before it.
        return {"msgtype": "markdown", "markdown": {"title": title, "text": frame + text.replace("\n", "  \n")}}

    text = message.message.strip()[:MAX_BYTES]
    if _size(whole(text)) > MAX_BYTES:
        fits = bisect_right(range(len(text)), MAX_BYTES, key=lambda n: _size(whole(text[:n] + "…"))) - 1
        text = text[:fits] + "…"
    return whole(text)


def _size(value: dict[str, Any]) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _line(value: str) -> str:
    value = " ".join(value.split())
    return value if len(value) <= MAX_LINE else value[: MAX_LINE - 1] + "…"


def judged(answer: HttpAnswer, secrets: list[str]) -> Delivery:
    """What came of it: DingTalk answers 200 to what it refuses, and says so in ``errcode``."""
    delivery = Delivery.of(answer)
    try:
        said: Any = strict_json.loads(answer.body)
    except ApiError:
        return delivery
    code = said.get("errcode") if isinstance(said, dict) else None
    if not delivery.ok or type(code) is not int or code == 0:
        return delivery
    words = str(said.get("errmsg", ""))
    for secret in filter(None, secrets):
        words = words.replace(secret, "***")
    detail = f"DingTalk refused it with errcode {code}: {words[:200]}"
    return attrs.evolve(delivery, ok=False, detail=detail, retry=code in BUSY, retry_after=BUSY.get(code))


@hookimpl
def neomind_channels(ctx: PluginContext) -> list[ChannelType]:
    return [DingtalkChannel()]
