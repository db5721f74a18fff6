"""What the parts of the outbox share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from neomind_sdk import Clock, Database, Egress, EventBus, Logger, OrderServer

from .models import OutboxSettings

Spawn = Callable[[Coroutine[Any, Any, Any], str], None]


@attrs.frozen(kw_only=True)
class Parts:
    """What a plugin gets from the host, and ``servers``: who delivers which kind of orders."""

    database: Database
    bus: EventBus
    clock: Clock
    egress: Egress
    log: Logger
    spawn: Spawn
    settings: OutboxSettings
    servers: dict[str, OrderServer] = attrs.field(factory=dict)
