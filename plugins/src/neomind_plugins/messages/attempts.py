"""One attempt to send a message through a channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import ChannelType, Delivery, EgressBlocked, EgressFailed, OutgoingMessage, SendTools
from neomind_sdk.foreign import ForeignError, call
from neomind_sdk.kinds import Ready
from neomind_sdk.masks import scrubbed
from neomind_sdk.public import public

from .records import Message

DETAIL_MAX = 500


async def attempt(ready: Ready[ChannelType], message: OutgoingMessage, tools: SendTools, limit_s: float) -> Delivery:
    """What came of it. Never raises for what the type does, and its detail shows no secret of the configuration."""
    try:
        delivery = await call(lambda: ready.kind.send(ready.config, message, tools), limit_s)
    except ForeignError as failed:
        delivery = Delivery(ok=False, detail=sentence(failed))
    if not isinstance(delivery, Delivery):
        delivery = Delivery(ok=False, detail=f"'{ready.kind.name}' returned a {type(delivery).__name__}, no Delivery")
    detail = " ".join(scrubbed(delivery.detail, ready.secrets).split())
    return attrs.evolve(delivery, detail=detail[:DETAIL_MAX])


def sentence(failed: ForeignError) -> str:
    """Egress speaks in sentences; what else is raised is named, without the paths of this machine."""
    spoken = isinstance(failed.error, EgressBlocked | EgressFailed)
    return str(failed.error) if spoken else public(str(failed))


def payload_of(channel: str, message: Message) -> dict[str, Any]:
    """The payload of an order: the message as it is now, for it may be changed or deleted before it is sent."""
    outgoing = OutgoingMessage(
        id=message.id,
        title=message.title,
        message=message.message,
        severity=message.severity,
        category=message.category,
        source=message.source,
        source_type=message.source_type,
        ts_ms=message.created_ms,
        status=message.status,
        metadata=message.metadata,
        tags=message.tags,
    )
    return {"channel": channel, "message": {**attrs.asdict(outgoing, recurse=False), "tags": list(message.tags)}}


def outgoing_of(payload: Mapping[str, Any]) -> OutgoingMessage:
    """The inverse of ``payload_of``."""
    values = payload["message"]
    return OutgoingMessage(**{**values, "tags": tuple(values["tags"])})
