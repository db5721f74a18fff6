"""What is kept: messages, channels, and what became of deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

ACTIVE, ACKNOWLEDGED, RESOLVED, ARCHIVED = "active", "acknowledged", "resolved", "archived"
STATUSES = (ACTIVE, ACKNOWLEDGED, RESOLVED, ARCHIVED)


@attrs.frozen(kw_only=True)
class Message:
    """A message.

    ``*_ms`` and ``*_by`` say when and by whom it came into a status, as far as it ever did. ``repeats`` is how often
    it was raised again within the window; each time is a message of its own that names this one in ``repeat_of``.
    """

    id: str
    title: str
    message: str
    severity: str
    category: str
    source: str
    source_type: str
    created_ms: int
    status: str = ACTIVE
    metadata: Any = None
    tags: tuple[str, ...] = ()
    repeat_key: str | None = None
    repeat_of: str | None = None
    repeats: int = 0
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None
    resolved_ms: int | None = None
    resolved_by: str | None = None
    archived_ms: int | None = None
    archived_by: str | None = None


@attrs.frozen(kw_only=True)
class Filter:
    """Which messages a channel gets: an empty list lets all pass, and all three must let it pass."""

    source_types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    min_severity: str | None = None


@attrs.frozen(kw_only=True)
class Switch:
    """Whether and which messages a channel gets; its name is its id."""

    name: str
    enabled: bool = True
    chosen: Filter = Filter()

    @property
    def lane(self) -> str:
        return lane_of(self.name)


@attrs.frozen(kw_only=True)
class Channel(Switch):
    """A channel.

    ``config``   what was given of its type's configuration, without the secrets
    ``sealed``   the secrets, encrypted, by field
    ``plugin``   which plugin provided the type when the channel was saved
    ``trouble``  why the platform disabled it
    """

    channel_type: str
    plugin: str = ""
    config: Mapping[str, Any] = attrs.field(factory=dict)
    sealed: Mapping[str, str] = attrs.field(factory=dict)
    trouble: str | None = None
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def address(self) -> tuple[Any, ...]:
        """What it sends to and with: another one after each change of the configuration."""
        return self.channel_type, self.config, self.sealed


@attrs.frozen(kw_only=True)
class DeliveryNote:
    """What became of a message in one channel, as far as we know."""

    delivery_id: str
    message_id: str
    channel: str
    state: str
    attempts: int = 0
    detail: str = ""


@attrs.frozen(kw_only=True)
class Wanted:
    """Which messages are listed; ``None`` lets all pass."""

    severity: str | None = None
    status: str | None = None
    category: str | None = None
    source_type: str | None = None
    search: str | None = None
    limit: int = 50
    offset: int = 0


def lane_of(name: str) -> str:
    """The lane of a channel in the outbox."""
    return f"channel:{name}"
