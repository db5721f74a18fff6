"""Settings, and what comes in and goes out."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

SECTION = "messages"
TITLE_MAX = 500
TEXT_MAX = 20_000
WORD_MAX = 200
TAGS_MAX = 50
BODY_MAX = 128 * 1024
PAGE_MAX = 200
BULK_MAX = 10_000
DAYS_MAX = 36_500
CHANNELS_MAX = 100
NAME = r"[^/\\\x00-\x1f\x7f]+"
"""Names of channels stand in addresses."""


@attrs.frozen(kw_only=True)
class MessageSettings:
    """``retention_days`` 0 keeps messages for ever; ``repeat_window_s`` 0 takes none for a repetition."""

    retention_days: int = fields.number(ge=0, le=DAYS_MAX, default=90, doc="Days that messages are kept; 0 = for ever")
    repeat_window_s: int = fields.number(
        ge=0, le=86_400, default=60, doc="Seconds in which the same alert of a rule and device is not sent again"
    )
    test_timeout_s: int = fields.number(ge=1, le=100, default=30, doc="Seconds that the test of a channel may take")


# ---- messages: requests ----


def problem_of_tags(tags: list[str]) -> str | None:
    if len(tags) > TAGS_MAX:
        return f"must have at most {TAGS_MAX} elements"
    sound = all(len(tag) <= WORD_MAX and fields.clean(tag) for tag in tags)
    return None if sound else f"must be texts of at most {WORD_MAX} characters without NUL or unpaired surrogates"


@attrs.frozen(kw_only=True)
class SendBody:
    """``severity`` is 400 when there is no such one. ``channels`` names those that get it, whatever their filters."""

    title: str = fields.text(min=1, max=TITLE_MAX)
    message: str = fields.text(min=1, max=TEXT_MAX)
    category: str = fields.text(min=1, max=WORD_MAX, default="alert")
    severity: str = "info"
    source: str = fields.text(max=WORD_MAX, default="api")
    source_type: str = fields.text(min=1, max=WORD_MAX, default="system")
    metadata: Any = None
    tags: list[str] = fields.field(problem_of_tags, factory=list, schema={"maxItems": TAGS_MAX})
    channels: list[str] | None = None


@attrs.frozen(kw_only=True)
class ListQuery:
    """A value that no message has gives an empty list. More than 200 at once are not given."""

    limit: int = fields.number(ge=1, default=50)
    offset: int = fields.number(ge=0, default=0)
    severity: str | None = None
    status: str | None = None
    category: str | None = None
    source_type: str | None = None
    search: str | None = fields.text(max=WORD_MAX, default=None, doc="Part of a title, text or source")


@attrs.frozen(kw_only=True)
class BulkBody:
    message_ids: list[str] = fields.field(
        lambda ids: f"must have at most {BULK_MAX} elements" if len(ids) > BULK_MAX else None,
        schema={"maxItems": BULK_MAX},
    )


@attrs.frozen(kw_only=True)
class CleanupBody:
    older_than_days: int = fields.number(ge=0, le=DAYS_MAX)


# ---- messages: answers ----


@attrs.frozen(kw_only=True)
class DeliveryCounts:
    pending: int = 0
    delivered: int = 0
    dead: int = 0


@attrs.frozen(kw_only=True)
class DeliveryView:
    """What became of a message in one channel: ``pending``, ``delivered``, or ``dead`` when it was given up."""

    delivery_id: str
    channel: str
    state: str
    attempts: int
    detail: str


@attrs.frozen(kw_only=True)
class MessageView:
    """Times are RFC 3339. A repetition names the message it repeats in ``repeat_of``, and was sent to nobody."""

    id: str
    category: str
    severity: str
    title: str
    message: str
    source: str
    source_type: str
    timestamp: str
    status: str
    metadata: Any
    tags: list[str]
    repeat_of: str | None
    repeats: int
    acknowledged_at: str | None
    acknowledged_by: str | None
    resolved_at: str | None
    resolved_by: str | None
    archived_at: str | None
    archived_by: str | None
    delivery_counts: DeliveryCounts


@attrs.frozen(kw_only=True)
class MessageDetail(MessageView):
    deliveries: list[DeliveryView]


@attrs.frozen(kw_only=True)
class MessagePage:
    """``total`` and ``count`` are how many messages there are in all."""

    messages: list[MessageView]
    total: int
    count: int
    limit: int
    offset: int


@attrs.frozen(kw_only=True)
class Said:
    message: str
    message_zh: str


@attrs.frozen(kw_only=True)
class Sent(Said):
    """``repeat_of`` is the message that this one repeats."""

    id: str
    repeat_of: str | None = None


@attrs.frozen(kw_only=True)
class Cleaned(Said):
    cleaned: int


@attrs.frozen(kw_only=True)
class MessageStats:
    total: int
    active: int
    by_category: dict[str, int]
    by_severity: dict[str, int]
    by_status: dict[str, int]


# ---- channels: requests ----


@attrs.frozen(kw_only=True)
class FilterBody:
    """An empty list lets all pass. ``min_severity`` is one of info, warning, critical, emergency."""

    source_types: list[str]
    categories: list[str]
    min_severity: str | None = None


@attrs.frozen(kw_only=True)
class ChannelBody:
    """The configuration is in ``config``, or its keys stand beside ``name``."""

    name: str = fields.text(min=1, max=100, pattern=NAME)
    channel_type: str
    enabled: bool | None = None
    config: dict[str, Any] | None = None
    filter: FilterBody | None = None


@attrs.frozen(kw_only=True)
class ChannelChange:
    """``config`` is the whole configuration; keys beside it change what they name. What is absent stays."""

    name: str | None = None
    channel_type: str | None = None
    enabled: bool | None = None
    config: dict[str, Any] | None = None
    filter: FilterBody | None = None


@attrs.frozen(kw_only=True)
class EnabledBody:
    enabled: bool


@attrs.frozen(kw_only=True)
class RecipientBody:
    email: str


# ---- channels: answers ----


@attrs.frozen(kw_only=True)
class FilterView:
    source_types: list[str]
    categories: list[str]
    min_severity: str | None


@attrs.frozen(kw_only=True)
class ChannelView:
    """``id`` is the name. ``reason`` says why the channel is not available, was disabled, or is held."""

    id: str
    name: str
    channel_type: str
    enabled: bool
    available: bool
    reason: str | None
    config: dict[str, Any]
    recipients: list[str]
    filter: FilterView
    created_at: str
    updated_at: str


@attrs.frozen(kw_only=True)
class ChannelStats:
    total: int
    enabled: int
    disabled: int
    by_type: dict[str, int]


@attrs.frozen(kw_only=True)
class ChannelList:
    channels: list[ChannelView]
    count: int
    stats: ChannelStats


@attrs.frozen(kw_only=True)
class ChannelSaved(Said):
    channel: ChannelView


@attrs.frozen(kw_only=True)
class FilterSaved(ChannelSaved):
    filter: FilterView


@attrs.frozen(kw_only=True)
class ChannelDeleted(Said):
    name: str


@attrs.frozen(kw_only=True)
class Recipients:
    channel: str
    recipients: list[str]
    count: int


@attrs.frozen(kw_only=True)
class RecipientsSaved(Said):
    channel: str
    recipients: list[str]


@attrs.frozen(kw_only=True)
class TestAnswer(Said):
    success: bool
    duration_ms: int


@attrs.frozen(kw_only=True)
class TypeView:
    id: str
    name: str
    name_zh: str
    description: str
    description_zh: str
    icon: str
    category: str


@attrs.frozen(kw_only=True)
class TypeList:
    types: list[TypeView]
    count: int


@attrs.frozen(kw_only=True)
class TypeSchema(TypeView):
    config_schema: dict[str, Any]
