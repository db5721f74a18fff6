"""Settings, and what comes in and goes out of the routes."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import MIB, fields

MAX_NAME = 256
NAME_SCHEMA = {"minLength": 1, "maxLength": MAX_NAME}


@attrs.frozen(kw_only=True)
class RealtimeSettings:
    """Bounds of the streams.

    ``max_streams`` may be open at once, ``max_streams_per_caller`` of them by one user or API key. At most
    ``queue_events`` events of ``queue_bytes`` wait for a stream that reads slowly. The newest ``replay_events`` events
    of ``replay_bytes`` are kept for streams that come back.
    """

    max_streams: int = fields.number(ge=1, default=1024)
    max_streams_per_caller: int = fields.number(ge=1, default=256)
    queue_events: int = fields.number(ge=20, default=1000)
    queue_bytes: int = fields.number(ge=1024, default=MIB)
    replay_events: int = fields.number(ge=0, default=1000)
    replay_bytes: int = fields.number(ge=0, default=MIB)


@attrs.frozen(kw_only=True)
class StreamQuery:
    """``category`` and ``event_type`` may be repeated, and each may be a list with commas.

    ``last_event_id`` is the id of the last event that the client has; ``named`` gives SSE frames an ``event:`` line;
    ``token`` and ``api_key`` are for clients that cannot send headers.
    """

    category: list[str] = attrs.field(factory=list)
    event_type: list[str] = attrs.field(factory=list)
    last_event_id: str | None = None
    named: bool = False
    token: str | None = None
    api_key: str | None = None


@attrs.frozen(kw_only=True)
class PublishBody:
    """An event that a client publishes; its limits are looked after by ``publishing``, which answers 400."""

    event_type: str = fields.field(schema=NAME_SCHEMA)
    data: Any = None
    source: str = fields.field(schema=NAME_SCHEMA, default="api")


@attrs.frozen(kw_only=True)
class Published:
    success: bool = True
    event_type: str
    source: str
