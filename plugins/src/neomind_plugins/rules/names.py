"""Data sources as rules name them, and the series that bring them their values."""

from __future__ import annotations

from neomind_sdk import series

PREFIXES = ("values.", "value.", "data.", "telemetry.", "metrics.", "state.")
"""A metric of a device that is stored under one of these is known to rules without it, too."""
AGE = "__last_seen_age_secs"
"""The metric of every device that nobody stores: 0 while it is online, else seconds since it was last heard from."""
AGE_COOLDOWN_MS = 60_000


def spellings(source: str) -> tuple[str, ...]:
    """The series whose values are those of the source: itself, and for devices those with a prefix."""
    name = series.split(source)
    if name.source_type != series.DEVICE or name.metric == AGE:
        return (source,)
    start = source[: -len(name.metric)]
    return (source, *(f"{start}{prefix}{name.metric}" for prefix in PREFIXES))


def aged_device(source: str) -> str | None:
    """The device whose silence the source tells."""
    name = series.split(source)
    return name.source_id if name.source_type == series.DEVICE and name.metric == AGE else None
