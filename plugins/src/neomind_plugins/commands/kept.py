"""Commands as they are kept, and the states they go through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import CommandRecord

QUEUED, SENT, DELIVERED = "queued", "sent", "delivered"
SUCCEEDED, FAILED, EXPIRED = "succeeded", "failed", "expired"
LIVE = (QUEUED, SENT, DELIVERED)
ENDS = (SUCCEEDED, FAILED, EXPIRED)
FROM: Mapping[str, tuple[str, ...]] = {
    QUEUED: (SENT,),  # the transport gave it back
    SENT: (QUEUED,),
    DELIVERED: (SENT,),
    SUCCEEDED: LIVE,
    FAILED: LIVE,
    EXPIRED: LIVE,
}
"""From which states a command may come into each state."""

KEPT = 100
"""How many commands of a device are kept."""


@attrs.frozen(kw_only=True)
class Order:
    """A command that was checked and may be kept. ``payload`` is what the device gets."""

    device_id: str
    command: str
    params: Mapping[str, Any]
    payload: bytes
    request_id: str
    requires_ack: bool
    source: str = ""
    cause: str | None = None
    hops: int = 0
    key: str | None = None
    fingerprint: str | None = None


@attrs.frozen(kw_only=True)
class Command(Order):
    """A command that is kept.

    ``expires_ms`` is until when it may wait to be sent, ``due_ms`` when its present state ends by itself. ``payload``
    is empty once it has ended.
    """

    number: int
    state: str = QUEUED
    created_ms: int = 0
    sent_ms: int | None = None
    finished_ms: int | None = None
    expires_ms: int = 0
    due_ms: int = 0
    result: Any = None
    error: str | None = None

    @property
    def command_id(self) -> str:
        return f"cmd_{self.number}"

    def record(self) -> CommandRecord:
        return CommandRecord(
            command_id=self.command_id,
            device_id=self.device_id,
            command=self.command,
            params=self.params,
            state=self.state,
            created_ms=self.created_ms,
            finished_ms=self.finished_ms,
            result=self.result,
            error=self.error,
        )


def number_of(command_id: str) -> int | None:
    """The number in ``cmd_<n>``; ``None`` for any other text."""
    digits = command_id.removeprefix("cmd_")
    known = digits != command_id and digits.isascii() and digits.isdigit() and len(digits) <= 18
    return int(digits) if known else None
