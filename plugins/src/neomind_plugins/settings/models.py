"""The section of the time zone, and what goes out."""

from __future__ import annotations

import attrs

from neomind_sdk import fields

from . import zones


@attrs.frozen(kw_only=True)
class TimezoneSettings:
    """``timezone`` is an IANA name."""

    timezone: str = fields.field(zones.problem, default=zones.DEFAULT)


@attrs.frozen(kw_only=True)
class TimezoneChange:
    timezone: str = fields.text(min=1, max=zones.MAX_LENGTH)


@attrs.frozen(kw_only=True)
class TimezoneAnswer:
    """``is_default``: it is the one that holds when nobody chooses."""

    timezone: str
    is_default: bool


@attrs.frozen(kw_only=True)
class TimezoneSaved:
    timezone: str
    success: bool = True


@attrs.frozen(kw_only=True)
class Zone:
    """``id`` is the IANA name, ``name`` is for people."""

    id: str
    name: str


@attrs.frozen(kw_only=True)
class ZonesAnswer:
    timezones: list[Zone]
