"""Messages and channels as they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from neomind_sdk import ChannelType
from neomind_sdk.kinds import Unusable

from .channels import Channels
from .configs import Configs
from .models import (
    ChannelStats,
    ChannelView,
    DeliveryCounts,
    DeliveryView,
    FilterView,
    MessageDetail,
    MessageView,
    TypeView,
)
from .records import Channel, DeliveryNote, Filter, Message

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = ("acknowledged", "resolved", "archived")
SAME = ("id", "category", "severity", "title", "message", "source", "source_type", "status", "metadata")


def when(ts_ms: int) -> str:
    """RFC 3339."""
    return (EPOCH + timedelta(milliseconds=ts_ms)).isoformat(timespec="milliseconds")


def message_view(message: Message, counts: Mapping[str, int]) -> MessageView:
    moments = {name: getattr(message, f"{name}_ms") for name in MOMENTS}
    times: dict[str, Any] = {f"{name}_at": None if at is None else when(at) for name, at in moments.items()}
    return MessageView(
        **{name: getattr(message, name) for name in SAME},
        **times,
        **{f"{name}_by": getattr(message, f"{name}_by") for name in MOMENTS},
        timestamp=when(message.created_ms),
        tags=list(message.tags),
        repeat_of=message.repeat_of,
        repeats=message.repeats,
        delivery_counts=DeliveryCounts(**counts),
    )


def message_detail(message: Message, notes: Sequence[DeliveryNote]) -> MessageDetail:
    counts: dict[str, int] = {}
    for note in notes:
        counts[note.state] = counts.get(note.state, 0) + 1
    view = attrs.asdict(message_view(message, counts), recurse=False)
    return MessageDetail(**view, deliveries=[delivery_view(note) for note in notes])


def delivery_view(note: DeliveryNote) -> DeliveryView:
    return DeliveryView(
        delivery_id=note.delivery_id,
        channel=note.channel,
        state=note.state,
        attempts=note.attempts,
        detail=note.detail,
    )


def filter_view(chosen: Filter) -> FilterView:
    return FilterView(
        source_types=list(chosen.source_types),
        categories=list(chosen.categories),
        min_severity=chosen.min_severity,
    )


@attrs.frozen
class ChannelViews:
    """Shows channels; ``held`` are the lanes that the outbox holds, and why."""

    channels: Channels
    configs: Configs
    held: Mapping[str, str]

    def view(self, channel: Channel) -> ChannelView:
        unusable = self._unusable(channel)
        return ChannelView(
            id=channel.name,
            name=channel.name,
            channel_type=channel.channel_type,
            enabled=channel.enabled,
            available=unusable is None,
            reason=unusable or channel.trouble or (self.held.get(channel.lane) if channel.enabled else None),
            config=self.configs.shown(channel),
            recipients=self.channels.recipients(channel),
            filter=filter_view(channel.chosen),
            created_at=when(channel.created_ms),
            updated_at=when(channel.updated_ms),
        )

    def _unusable(self, channel: Channel) -> str | None:
        try:
            self.configs.ready(channel)
        except Unusable as error:
            return str(error)
        return None


def channel_stats(channels: Sequence[Channel]) -> ChannelStats:
    by_type: dict[str, int] = {}
    for one in channels:
        by_type[one.channel_type] = by_type.get(one.channel_type, 0) + 1
    enabled = sum(one.enabled for one in channels)
    return ChannelStats(total=len(channels), enabled=enabled, disabled=len(channels) - enabled, by_type=by_type)


def type_view(kind: ChannelType) -> TypeView:
    label = kind.label
    return TypeView(
        id=kind.name,
        name=label.name,
        name_zh=label.name_zh or label.name,
        description=label.description,
        description_zh=label.description_zh or label.description,
        icon=label.icon,
        category="external",
    )
