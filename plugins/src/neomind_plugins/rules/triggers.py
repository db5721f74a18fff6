"""Triggers: what makes a rule be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import Cron, Every, fields

from .unfit import Unfit

DATA_CHANGE, SCHEDULE, MANUAL = "data_change", "schedule", "manual"
KINDS = (DATA_CHANGE, SCHEDULE, MANUAL)
INTERVAL_MIN_S, INTERVAL_MAX_S = 1, 366 * 86_400
TEXT_MAX = 1000


@attrs.frozen(kw_only=True)
class Trigger:
    """``schedule`` has either ``cron`` (with a time zone or the platform's) or ``interval``, in seconds."""

    kind: str = DATA_CHANGE
    cron: str | None = None
    timezone: str | None = None
    interval: float | None = None

    @property
    def timing(self) -> Cron | Every | None:
        """What the scheduler understands; ``None`` for what is not scheduled."""
        if self.interval is not None:
            return Every(seconds=self.interval)
        return None if self.cron is None else Cron(expression=self.cron, timezone=self.timezone)

    @property
    def words(self) -> str:
        """The schedule for people."""
        return self.cron if self.cron is not None else f"every {self.interval:g} s"


def read(value: Any, path: str = "trigger") -> Trigger:
    """A trigger of JSON; raises ``Unfit``. Whether a cron expression can be is for the scheduler to say."""
    if value is None:
        return Trigger()
    if not isinstance(value, Mapping):
        raise Unfit(path, "must be an object with trigger_type")
    kind = value.get("trigger_type", DATA_CHANGE)
    if kind not in KINDS:
        raise Unfit(f"{path}.trigger_type", "must be one of " + ", ".join(KINDS))
    return _schedule(value, path) if kind == SCHEDULE else Trigger(kind=kind)


def _schedule(value: Mapping[str, Any], path: str) -> Trigger:
    cron, interval = _text(value, "cron", path), value.get("interval")
    if (cron is None) == (interval is None):
        raise Unfit(f"{path}.cron", "a schedule needs a cron expression or an interval in seconds")
    if interval is not None:
        _check_interval(interval, f"{path}.interval")
    return Trigger(kind=SCHEDULE, cron=cron, timezone=_text(value, "timezone", path), interval=interval)


def _text(value: Mapping[str, Any], key: str, path: str) -> str | None:
    text = value.get(key)
    if text is None or (isinstance(text, str) and 0 < len(text.strip()) <= TEXT_MAX and fields.clean(text)):
        return text
    raise Unfit(f"{path}.{key}", "must be text that is not blank")


def _check_interval(interval: Any, path: str) -> None:
    number = isinstance(interval, int | float) and not isinstance(interval, bool)
    if not number or not INTERVAL_MIN_S <= interval <= INTERVAL_MAX_S:
        raise Unfit(path, f"must be a number of seconds from {INTERVAL_MIN_S} to {INTERVAL_MAX_S}")


def written(trigger: Trigger) -> dict[str, Any]:
    """The JSON that ``read`` makes the same trigger of."""
    more = {"cron": trigger.cron, "timezone": trigger.timezone, "interval": trigger.interval}
    return {"trigger_type": trigger.kind, **{name: value for name, value in more.items() if value is not None}}
