"""Events that clients publish."""

from __future__ import annotations

import unicodedata

from neomind_sdk import MIB, BadRequest, CustomPublished, EventBus

from .models import MAX_NAME, PublishBody, Published

MAX_PAYLOAD = MIB


def publish(bus: EventBus, body: PublishBody, size: int) -> Published:
    """Publish as ``CustomPublished``; ``size`` is that of the request in bytes. Raises ``BadRequest``."""
    for name, value in (("event_type", body.event_type), ("source", body.source)):
        problem = _problem(value)
        if problem:
            raise BadRequest(f"{name} {problem}")
    if size > MAX_PAYLOAD:
        raise BadRequest(f"An event may have at most {MAX_PAYLOAD} bytes, this one has {size}")
    bus.publish(CustomPublished(custom_type=body.event_type, data=body.data, source=body.source))
    return Published(event_type=body.event_type, source=body.source)


def _problem(text: str) -> str | None:
    if not 1 <= len(text) <= MAX_NAME:
        return f"must have 1 to {MAX_NAME} characters"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        return "must not hold control characters"
    return None
