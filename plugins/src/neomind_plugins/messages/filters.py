"""Which messages a channel gets."""

from __future__ import annotations

from collections.abc import Collection

from .records import Filter, Message, Switch
from .severities import RANKS


def passes(chosen: Filter, message: Message) -> bool:
    """Whether a filter lets a message pass."""
    return (
        (not chosen.source_types or message.source_type in chosen.source_types)
        and (not chosen.categories or message.category in chosen.categories)
        and (chosen.min_severity is None or RANKS[message.severity] >= RANKS[chosen.min_severity])
    )


def gets(channel: Switch, message: Message, named: Collection[str] | None) -> bool:
    """Whether a channel sends a message; who names channels has chosen, so their filters are not asked."""
    if not channel.enabled:
        return False
    return passes(channel.chosen, message) if named is None else channel.name in named
