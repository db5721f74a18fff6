"""From what a device sent to what is kept of it."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import attrs
import orjson

from neomind_sdk import ApiError, Point, UnknownSample, units, values

from .limits import SAMPLE_MAX

INLINE_MAX = 16 * 1024
"""More than so many characters are worked on in a thread."""
RESERVED_IDS = frozenset({"types", "drafts", "webhook", "current-batch", "generate-mdl", "ble-provision", ".", ".."})
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")


@attrs.frozen
class Packed:
    """A payload as text: JSON, or base64 when ``binary``."""

    text: str
    binary: bool


def registrable(device_id: str) -> bool:
    """Whether a device of this id can ever be registered."""
    return _ID.fullmatch(device_id) is not None and device_id not in RESERVED_IDS


def timely(sample: UnknownSample) -> bool:
    """Whether the device's time can be, so that the sample can become history."""
    try:
        return sample.ts_ms is None or bool(units.check_device_time(sample.ts_ms, sample.received_ms) + 1)
    except ValueError:
        return False


def pack(payload: Any) -> Packed | None:
    """``None`` for what is too large, is no JSON, or is ``null``: a sign of life without a value."""
    if isinstance(payload, bytes):
        return Packed(base64.b64encode(payload).decode(), True) if len(payload) <= SAMPLE_MAX else None
    try:
        raw = orjson.dumps(payload)
    except (TypeError, RecursionError):  # orjson's errors are TypeErrors
        return None
    return Packed(raw.decode(), False) if payload is not None and len(raw) <= SAMPLE_MAX else None


async def storable(payload: Any, packed: Packed) -> bool:
    """Whether a telemetry store can keep everything in the payload."""
    if packed.binary:
        return True
    if len(packed.text) <= INLINE_MAX:
        return _storable(payload)
    return await asyncio.to_thread(_storable, payload)


def _storable(payload: Any) -> bool:
    try:
        values.check_points([Point("device:x:y", 0, payload)])
    except ApiError:
        return False
    return True
