"""The channel: a markdown message to the robot of a WeCom group."""

from __future__ import annotations

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

SERVICE = "https://qyapi.weixin.qq.com"
MAX_BYTES = 4096  # of the markdown text, in UTF-8
MAX_LINE_BYTES = 512
BUSY = {-1: 5.0, 45009: 60.0, 45033: 5.0}  # codes that pass with time, and after how many seconds


@attrs.frozen(kw_only=True)
class WecomConfig:
    """The robot of a group."""

    key: str = fields.secret(min=1, max=200, converter=str.strip, doc="What follows key= in the webhook address")
    base_url: str = fields.text(
        max=2048, pattern=r"(https?://[^\s?#]+)?", default="", doc=f"A gateway of your own; else {SERVICE}"
    )


class WecomChannel:
    name = "wecom"
    label = Label(
        name="WeCom",
        description="Sends messages to a WeCom group robot",
        name_zh="企业微信",
        description_zh="通过企业微信群机器人发送消息",
        icon="MessagesSquare",
    )
    config = WecomConfig

    def targets(self, config: WecomConfig) -> list[str]:
        """Where it sends to, for the check when a channel is saved."""
        return [config.base_url or SERVICE]

    async def send(self, config: WecomConfig, message: OutgoingMessage, tools: SendTools) -> Delivery:
        base = (config.base_url or SERVICE).rstrip("/")
        answer = await tools.egress.request(
            "POST",
            f"{base}/cgi-bin/webhook/send?{urlencode({'key': config.key})}",
            trust=ADMIN_TARGET,
            json={"msgtype": "markdown", "markdown": {"content": content(message)}},
        )
        return judged(answer, config.key)


def content(message: OutgoingMessage) -> str:
    """The message in WeCom's markdown, at most ``MAX_BYTES`` long."""
    color = "info" if message.severity == "info" else "warning"
    head = [
        f"### {_line(message.title)}",
        f'> Severity: <font color="{color}">{message.severity.upper()}</font>',
        f"> Source: {_line(message.source)}",
        f"> Time: {datetime.fromtimestamp(message.ts_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}",
        "",
        "",
    ]
    frame = "\n".join(head)
    return frame + clipped(_plain(message.message), MAX_BYTES - len(frame.encode()))


def _line(value: str) -> str:
    return clipped(_plain(" ".join(value.split())), MAX_LINE_BYTES)


def _plain(value: str) -> str:
    """Text that names nobody: ``<@…>`` would call people, and a device could write it."""
    return value.replace("<@", "<\u200b@")


def clipped(value: str, limit: int) -> str:
    """The longest beginning within ``limit`` bytes of UTF-8, with an ellipsis where something is missing."""
    if len(value.encode()) <= limit:
        return value
    value = value[:limit]
    return value[: bisect_right(range(limit), limit - 3, key=lambda n: len(value[:n].encode())) - 1] + "…"


def judged(answer: HttpAnswer, key: str) -> Delivery:
    """What came of it: WeCom answers 200 to what it refuses, and says so in ``errcode``."""
    delivery = Delivery.of(answer)
    try:
        said: Any = strict_json.loads(answer.body)
    except ApiError:
        return delivery
    code = said.get("errcode") if isinstance(said, dict) else None
    if not delivery.ok or type(code) is not int or code == 0:
        return delivery
    words = str(said.get("errmsg", "")).replace(key, "***")[:200]
    detail = f"WeCom refused it with errcode {code}: {words}"
    return attrs.evolve(delivery, ok=False, detail=detail, retry=code in BUSY, retry_after=BUSY.get(code))


@hookimpl
def neomind_channels(ctx: PluginContext) -> list[ChannelType]:
    return [WecomChannel()]
