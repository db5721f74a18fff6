"""The shapes of JSON bodies: full form, flat, a batch of either, or any other value."""

from __future__ import annotations

from typing import Any

from neomind_sdk import BadRequest, Uplink, units

from .bodies import read_body
from .models import Call, Message


def read_messages(call: Call) -> list[Message]:
    """The messages of a call's body; none when it is empty, which is a heartbeat."""
    if not call.body:
        return []
    value, shaped = read_body(call.content_type, call.body)
    if not shaped:
        return [Message(value)]
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return [in_batch(item, f"[{index}].") for index, item in enumerate(value)]
    return [full(value, "") if isinstance(value, dict) and "data" in value else Message(value)]


def full(item: dict[str, Any], path: str) -> Message:
    """``{"data": …, "timestamp"?, "quality"?, "device_id"?}``; an object in ``data`` is taken out by ``Ingest``."""
    data, device_id = item["data"], item.get("device_id")
    if device_id is not None and not isinstance(device_id, str):
        raise BadRequest(f"{path}device_id must be a string")
    payload = {"data": data} if isinstance(data, dict) else data
    return Message(payload, item.get("timestamp"), item.get("quality"), device_id, path)


def in_batch(item: dict[str, Any], path: str) -> Message:
    """One sample of many: in flat form, too, its ``timestamp`` is its time, and stays one of its values."""
    return full(item, path) if "data" in item else Message(item, item.get("timestamp"), path=path)


def uplink(message: Message, device_id: str, call: Call, now_ms: int) -> Uplink:
    """What ``Ingest`` takes; raises ``BadRequest`` naming the field that cannot be."""
    return Uplink(
        device_id=device_id,
        payload=message.payload,
        received_ms=now_ms,
        ts_ms=None if message.timestamp is None else device_time(message, now_ms),
        quality=None if message.quality is None else quality(message),
        transport="webhook",
        client=call.client,
        hops=call.hops,
    )


def device_time(message: Message, now_ms: int) -> int:
    try:
        return units.device_time(message.timestamp, now_ms)
    except ValueError as error:
        raise BadRequest(f"{message.path}timestamp {error}") from error


def quality(message: Message) -> float:
    if isinstance(message.quality, bool) or not isinstance(message.quality, int | float):
        raise BadRequest(f"{message.path}quality must be a number")
    return float(message.quality)
