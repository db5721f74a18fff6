"""When a cron expression comes next, in a time zone whose clocks are put forward and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from neomind_sdk import ValidationFailed

from .cron import DAY, HOUR, CronFields, parse

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TICK = timedelta(seconds=1)


class CronSchedule:
    """The points in time of an expression in a time zone.

    Where the hour is ``*`` the schedule follows real time: every repetition of an hour that comes twice counts, and
    what falls into an hour that is left out does not come. Otherwise it follows the clock on the wall: what comes
    twice counts the first time, and what is left out comes at the end of the gap. This is how cron has always done it.

    Raises ``ValidationFailed`` for an expression or a time zone that cannot be.
    """

    def __init__(self, expression: str, zone: str) -> None:
        fields = parse(expression)
        self._zone = zone_of(zone)
        self._triggers = _triggers(fields)
        self._real_time = fields.hours == HOUR.everything

    def after(self, ms: int) -> int | None:
        """The first point in time after ``ms``, both in milliseconds since the epoch; ``None`` when none is left."""
        instant = EPOCH + ms * MILLISECOND
        found = self._in_real_time(instant) if self._real_time else self._on_the_wall(instant)
        return None if found is None else (found - EPOCH) // MILLISECOND

    def _on_the_wall(self, instant: datetime) -> datetime | None:
        for wall in self._walls(_wall(instant.astimezone(self._zone))):
            found = self._end_of_gap(wall) if self._left_out(wall) else self._instant(wall)
            if found > instant:
                return found
        return None

    def _in_real_time(self, instant: datetime) -> datetime | None:
        local = instant.astimezone(self._zone)
        now = _wall(local)
        ahead = (self._instant(wall, local.fold) for wall in self._walls(now) if not self._left_out(wall))
        candidates = [next(ahead, None)]
        repeated = self._instant(now, 1) - self._instant(now)
        if repeated > timedelta() and not local.fold:  # this hour comes once more, from its beginning
            again = next((wall for wall in self._walls(now - repeated) if wall > now or self._twice(wall)), None)
            candidates.append(self._instant(again, 1) if again is not None and self._twice(again) else None)
        return min((one for one in candidates if one is not None), default=None)

    def _walls(self, after: datetime) -> Iterator[datetime]:
        """What the clock on the wall shows at each point in time, without time zone, ascending."""
        while True:
            begin = after.replace(microsecond=0, tzinfo=UTC) + TICK
            found = [trigger.get_next_fire_time(None, begin) for trigger in self._triggers]
            times = [_wall(time) for time in found if time is not None]
            if not times:
                return
            after = min(times)
            yield after

    def _instant(self, wall: datetime, fold: int = 0) -> datetime:
        return wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC)

    def _left_out(self, wall: datetime) -> bool:
        """Whether no clock ever shows this, because it is put forward."""
        return _wall(self._instant(wall).astimezone(self._zone)) != wall

    def _twice(self, wall: datetime) -> bool:
        """Whether the clock shows this two times, because it is put back."""
        return self._instant(wall, 1) > self._instant(wall)

    def _end_of_gap(self, wall: datetime) -> datetime:
        """The moment the clock is put forward over ``wall``."""
        low, high = self._instant(wall, 1), self._instant(wall)
        before = low.astimezone(self._zone).utcoffset()
        while high - low > TICK:
            middle = low + ((high - low) // 2 // TICK) * TICK
            if middle.astimezone(self._zone).utcoffset() == before:
                low = middle
            else:
                high = middle
        return high


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name; raises ``ValidationFailed``."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        problem = f"there is no time zone '{name}'; it is an IANA name such as Europe/Berlin"
        raise ValidationFailed(("timezone", problem)) from error


def _wall(time: datetime) -> datetime:
    return time.replace(tzinfo=None, fold=0)


def _triggers(fields: CronFields) -> list[CronTrigger]:
    """One trigger, or two for days that satisfy either field.

    They count in UTC, which has no gaps: what is put into them, and what comes out, is what clocks on the wall show.
    """
    if not fields.either_day:
        return [_trigger(fields, fields.days, fields.weekdays)]
    return [
        _trigger(fields, fields.days, frozenset(range(7))),
        _trigger(fields, DAY.everything, fields.weekdays),
    ]


def _trigger(fields: CronFields, days: frozenset[int], weekdays: frozenset[int]) -> CronTrigger:
    return CronTrigger(
        second=_spelt(fields.seconds),
        minute=_spelt(fields.minutes),
        hour=_spelt(fields.hours),
        day=_spelt(days),
        month=_spelt(fields.months),
        day_of_week=_spelt(frozenset((day - 1) % 7 for day in weekdays)),  # APScheduler's 0 is Monday
        year=_spelt(fields.years),
        timezone=UTC,
    )


def _spelt(values: frozenset[int]) -> str:
    """Values as APScheduler reads them; as a range where they are one, which it steps through faster than a list."""
    ordered = sorted(values)
    steps = {later - earlier for earlier, later in itertools.pairwise(ordered)}
    if len(steps) == 1:
        return f"{ordered[0]}-{ordered[-1]}/{steps.pop()}"
    return ",".join(map(str, ordered))
