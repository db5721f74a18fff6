"""Keys as they are shown."""

from __future__ import annotations

from typing import Any

from .models import Key, KeyInfo, KeyItem


def info(key: Key, now_ms: int) -> KeyInfo:
    return KeyInfo(**_shown(key, now_ms))


def item(key: Key, now_ms: int) -> KeyItem:
    return KeyItem(**_shown(key, now_ms), preview=key.preview)


def _shown(key: Key, now_ms: int) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "created_at": key.created_ms // 1000,
        "permissions": list(key.permissions),
        "active": not key.expired(now_ms),
        "expires_at": _seconds(key.expires_ms),
        "last_used_at": _seconds(key.last_used_ms),
    }


def _seconds(ts_ms: int | None) -> int | None:
    return None if ts_ms is None else ts_ms // 1000
