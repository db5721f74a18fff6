"""What devices say about commands."""

from __future__ import annotations

from typing import Any

import attrs

IDS = ("command_id", "request_id")
FAILED = frozenset({"error", "fail", "failed", "failure", "rejected", "timeout"})


@attrs.frozen(kw_only=True)
class Ack:
    """``command_id`` is ``None`` when the device did not say which: the oldest that waits is meant."""

    command_id: str | None = None
    success: bool = True
    result: Any = None
    error: str | None = None


def read_ack(said: Any) -> Ack:
    """``{"command_id"|"request_id", "success"|"status", "result", "error"}``, all optional; anything else is a result.

    Without ``success`` and ``status``, an ``error`` says that it failed.
    """
    if not isinstance(said, dict):
        return Ack(result=said if said not in (b"", "") else None)
    found = next((said[key] for key in IDS if isinstance(said.get(key), str | int)), None)
    error = said.get("error")
    return Ack(
        command_id=None if found is None else str(found),
        success=succeeded(said),
        result=said.get("result"),
        error=None if error in (None, False, "") else str(error),
    )


def succeeded(said: dict[str, Any]) -> bool:
    if isinstance(said.get("success"), bool):
        return bool(said["success"])
    if isinstance(said.get("status"), str):
        return said["status"].lower() not in FAILED
    return said.get("error") in (None, False, "")
