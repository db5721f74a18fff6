"""The channel: the whole message as JSON, posted to a URL. The HTTP status alone says whether it was taken."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from neomind_sdk import (
    ADMIN_TARGET,
    ChannelType,
    Delivery,
    Label,
    OutgoingMessage,
    PluginContext,
    SendTools,
    fields,
    hookimpl,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_HEADERS = 32
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
VALUE = re.compile(r"([!-~]([ -~\t]{0,8000}[!-~])?)?")
# The connection's own, those of the body, and those that carry the delivery's id and signature.
RESERVED = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host"}
    | {"keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)


def _headers(headers: dict[str, str]) -> str | None:
    if len(headers) > MAX_HEADERS:
        return f"must have at most {MAX_HEADERS} entries"
    for name, value in headers.items():
        if not NAME.fullmatch(name):
            return f"{name[:40]!r} is not the name of a header"
        if name.lower() in RESERVED or name.lower().startswith("webhook-"):
            return f"the header {name} is set by the platform"
        if not VALUE.fullmatch(value):
            return f"the header {name} must be printable ASCII without blanks around it"
    return None


def _secret(value: str) -> str | None:
    from neomind_sdk.signing import check_secret

    return check_secret(value) if value else None


@attrs.frozen(kw_only=True)
class WebhookConfig:
    """Where messages go."""

    url: str = fields.text(min=1, max=2048, pattern=r"https?://\S+", doc="Where messages are posted")
    headers: dict[str, str] = fields.field(_headers, factory=dict, repr=False, doc="Headers to send along")
    timeout_secs: float = fields.number(ge=1, le=120, default=30, doc="How long one attempt may take, in seconds")
    secret: str = fields.field(
        _secret,
        secret=True,
        default="",
        repr=lambda value: repr(value and "***"),
        doc="whsec_ and base64: sign what is sent, as Standard Webhooks describes it",
    )


class WebhookChannel:
    name = "webhook"
    label = Label(
        name="Webhook",
        description="Posts messages as JSON to a URL",
        name_zh="Webhook",
        description_zh="以 JSON 格式将消息发送到指定 URL",
        icon="Webhook",
    )
    config = WebhookConfig

    def targets(self, config: WebhookConfig) -> list[str]:
        """Where it sends to, for the check when a channel is saved."""
        return [config.url]

    async def send(self, config: WebhookConfig, message: OutgoingMessage, tools: SendTools) -> Delivery:
        content = json.dumps(body(message), ensure_ascii=False, separators=(",", ":")).encode()
        answer = await tools.egress.request(
            "POST",
            config.url,
            trust=ADMIN_TARGET,
            headers={**config.headers, "content-type": "application/json", **headers(config, tools, content)},
            content=content,
            timeout_s=config.timeout_secs,
        )
        return Delivery.of(answer, tools.clock.now_ms())


def headers(config: WebhookConfig, tools: SendTools, content: bytes) -> Mapping[str, str]:
    """What tells the receiver which delivery this is and, with a secret, that it is ours."""
    now_s = str(tools.clock.now_ms() // 1000)
    tools = attrs.evolve(tools, headers={"webhook-id": tools.delivery_id, "webhook-timestamp": now_s, **tools.headers})
    if not config.secret:
        return tools.headers
    from neomind_sdk.signing import signed

    return signed(tools, config.secret, content)


def body(message: OutgoingMessage) -> dict[str, Any]:
    """The message as ``GET /api/messages/:id`` shows it."""
    names = ("id", "category", "severity", "title", "message", "source", "source_type", "status")
    shown: dict[str, Any] = {name: getattr(message, name) for name in names}
    shown["timestamp"] = (EPOCH + timedelta(milliseconds=message.ts_ms)).isoformat(timespec="milliseconds")
    shown["tags"] = list(message.tags)
    return shown if message.metadata is None else {**shown, "metadata": message.metadata}


@hookimpl
def neomind_channels(ctx: PluginContext) -> list[ChannelType]:
    return [WebhookChannel()]
