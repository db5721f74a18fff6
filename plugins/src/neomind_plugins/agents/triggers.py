"""Which agents a stored value starts: looked up by series, so that values nobody waits for cost next to nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from neomind_sdk import MetricsStored, Notice, Point

from .collecting import series_of, value_row
from .kept import ACTIVE, COMMAND, DEVICE, EVENT, Agent
from .live import Live
from .starting import Cause

HOPS_MAX = 8
ALL = ("all", "*", "")
LEGACY = {"device.metric": ("device", "device_id"), "extension.output": ("extension", "extension_id")}
Key = tuple[str, str, str]
"""Type, id and field of a source; an empty id or field is any."""


def keys_of(agent: Agent) -> frozenset[Key]:
    """What an agent waits for: what its filter names, else what it is bound to."""
    found = json.loads(agent.schedule.event_filter or "{}")
    sources = [each for each in found.get("sources", []) if isinstance(each, Mapping)]
    if sources:
        return frozenset(_of_source(each) for each in sources)
    legacy = LEGACY.get(str(found.get("event_type")))
    if legacy is not None:
        return frozenset({(legacy[0], _word(found.get(legacy[1])), "")})
    return frozenset(_of_resources(agent))


def _of_source(source: Mapping[str, Any]) -> Key:
    return (str(source.get("type") or "device"), _word(source.get("id")), _word(source.get("field")))


def _word(value: Any) -> str:
    return "" if value is None or value in ALL else str(value)


def _of_resources(agent: Agent) -> Iterable[Key]:
    for resource in agent.resources:
        series = series_of(resource)
        if series is not None:
            kind, ident, field = series.split(":", 2)
            yield kind, ident, field
        elif resource.resource_type in (DEVICE, COMMAND):
            ident = resource.resource_id
            yield DEVICE, ident.rpartition(":")[0] if resource.resource_type == COMMAND else ident, ""


class EventIndex:
    """From sources to the agents that wait for them."""

    def __init__(self) -> None:
        self._agents: dict[Key, dict[str, Live]] = {}
        self._keys: dict[str, frozenset[Key]] = {}

    def put(self, live: Live) -> None:
        """Take in an agent as it is now; one that waits for nothing is left out."""
        self.remove(live.id)
        waits = live.agent.schedule.schedule_type == EVENT and live.agent.status == ACTIVE
        if not waits:
            return
        self._keys[live.id] = keys_of(live.agent)
        for key in self._keys[live.id]:
            self._agents.setdefault(key, {})[live.id] = live

    def remove(self, agent_id: str) -> None:
        for key in self._keys.pop(agent_id, ()):
            self._agents[key].pop(agent_id)
            if not self._agents[key]:
                del self._agents[key]

    def matching(self, series: str) -> list[Live]:
        """The agents that a value of the series starts."""
        parts = series.split(":", 2)
        if len(parts) != 3:
            return []
        kind, ident, field = parts
        found: dict[str, Live] = {}
        for key in ((kind, ident, field), (kind, ident, ""), (kind, "", field), (kind, "", "")):
            found |= self._agents.get(key, {})
        return list(found.values())

    def __bool__(self) -> bool:
        return bool(self._agents)


class EventStarter:
    """Starts agents for what was stored; one run per agent and source within the cooldown."""

    def __init__(
        self,
        index: EventIndex,
        start: Callable[[Live, Cause], bool],
        monotonic: Callable[[], float],
        cooldown_s: Callable[[], float],
    ) -> None:
        self._index = index
        self._start = start
        self._monotonic = monotonic
        self._cooldown_s = cooldown_s
        self._until: dict[tuple[str, str], float] = {}

    def handle(self, notices: Iterable[Notice]) -> None:
        """Look at a batch of events."""
        if not self._index:
            return
        for notice in notices:
            event = notice.event
            if isinstance(event, MetricsStored) and event.hops < HOPS_MAX:
                for point in {point.series: point for point in event.points}.values():
                    for live in self._index.matching(point.series):
                        self._offer(live, point, event)

    def failed(self, agent_id: str, source: str) -> None:
        """A run for this source has failed: the next value may start another."""
        self._until.pop((agent_id, source), None)

    def _offer(self, live: Live, point: Point, event: MetricsStored) -> None:
        if event.cause == f"agent:{live.id}":  # its own doing
            return
        kind, ident, field = point.series.split(":", 2)
        key, now = (live.id, f"{kind}:{ident}"), self._monotonic()
        if self._until.get(key, 0) > now:
            return
        row = value_row(point.series, point, "event")
        cause = Cause(kind=f"event:{field}", rows=(row,), cause=event.cause, hops=event.hops, source=key[1])
        if self._start(live, cause):
            self._forget(now)
            self._until[key] = now + self._cooldown_s()

    def _forget(self, now: float) -> None:
        if len(self._until) > 10_000:
            self._until = {key: until for key, until in self._until.items() if until > now}
