"""A message in the payload of an order, and out of it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import OutgoingMessage

from .records import Message


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
