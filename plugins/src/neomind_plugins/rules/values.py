"""The last stored values of what rules look at, and which rules look at what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neomind_sdk import Clock, DeviceDirectory, TelemetryStore

from .live import Live
from .names import aged_device, spellings
from .operators import plain

CHUNK = 500
AHEAD_MS = 5000
"""A time that is further ahead is wrong, and later values win over it."""


class Index:
    """From series to the sources whose values they are, and from sources to rules."""

    def __init__(self) -> None:
        self.sources_of: dict[str, tuple[str, ...]] = {}
        self.rules_of: dict[str, dict[str, Live]] = {}
        self._users: dict[str, set[str]] = {}

    def add(self, live: Live) -> None:
        """Take in a rule; one that does not watch keeps its sources known, so that their values stay."""
        for source in live.sources:
            if source not in self._users:
                self._open(source)
            self._users[source].add(live.id)
            if live.watches:
                self.rules_of[source][live.id] = live

    def remove(self, live: Live) -> list[str]:
        """Leave out a rule; returns the sources that no other looks at."""
        gone = []
        for source in live.sources:
            self.rules_of.get(source, {}).pop(live.id, None)
            users = self._users.get(source, set())
            users.discard(live.id)
            if source in self._users and not users:
                self._close(source)
                gone.append(source)
        return gone

    @property
    def sources(self) -> Iterable[str]:
        return self._users.keys()

    def _open(self, source: str) -> None:
        self._users[source] = set()
        self.rules_of[source] = {}
        for name in spellings(source):
            self.sources_of[name] = (*self.sources_of.get(name, ()), source)

    def _close(self, source: str) -> None:
        del self._users[source], self.rules_of[source]
        for name in spellings(source):
            rest = tuple(each for each in self.sources_of[name] if each != source)
            if rest:
                self.sources_of[name] = rest
            else:
                del self.sources_of[name]


class Values:
    """Plain values by source. What was never seen is looked up once, when it is first needed."""

    def __init__(self, store: TelemetryStore, directory: DeviceDirectory, clock: Clock) -> None:
        self.known: dict[str, Any] = {}
        self._times: dict[str, int] = {}
        self._asked: set[str] = set()
        self._store = store
        self._directory = directory
        self._clock = clock

    def of(self, source: str) -> Any:
        """The plain value, ``None`` when there is none."""
        return self.known.get(source)

    def put(self, source: str, ts_ms: int, value: Any) -> bool:
        """Take a stored value; ``False`` when a later one is known."""
        known = self._times.get(source)
        if known is not None and ts_ms < known <= self._clock.now_ms() + AHEAD_MS:
            return False
        self._times[source] = ts_ms
        self.known[source] = plain(value)
        return True

    def forget(self, sources: Iterable[str]) -> None:
        for source in sources:
            self.known.pop(source, None)
            self._times.pop(source, None)
            self._asked.discard(source)

    def forget_all(self) -> None:
        """Values were missed: all are looked up again."""
        self.forget([*self.known, *self._asked])

    def lacks(self, sources: Iterable[str]) -> list[str]:
        """Those that must be looked up before they are asked for."""
        return [source for source in sources if source not in self.known and source not in self._asked]

    async def load(self, sources: Sequence[str]) -> None:
        """Look up the newest stored values; what arrives meanwhile stays. Raises the storage's errors."""
        plain_sources = []
        for source in dict.fromkeys(sources):
            device_id = aged_device(source)
            if device_id is None:
                plain_sources.append(source)
            else:
                self._age(source, device_id)
        for start in range(0, len(plain_sources), CHUNK):
            await self._load(plain_sources[start : start + CHUNK])

    def refresh_ages(self, sources: Iterable[str]) -> list[str]:
        """Count anew how long devices have been silent; returns the sources of those."""
        mine = [(source, device_id) for source in sources if (device_id := aged_device(source)) is not None]
        for source, device_id in mine:
            self._age(source, device_id)
        return [source for source, _ in mine]

    async def _load(self, sources: Sequence[str]) -> None:
        names = {source: spellings(source) for source in sources}
        found = await self._store.latest([name for each in names.values() for name in each])
        for source, each in names.items():
            self._asked.add(source)
            samples = [found[name] for name in each if name in found]
            if samples and source not in self.known:
                newest = max(samples, key=lambda sample: sample.ts_ms)
                self.put(source, newest.ts_ms, newest.value)

    def _age(self, source: str, device_id: str) -> None:
        age = age_of(self._directory, device_id, self._clock.now_ms())
        if age is None:
            self.known.pop(source, None)
        else:
            self.known[source] = age


def age_of(directory: DeviceDirectory, device_id: str, now_ms: int) -> float | None:
    """Seconds since a device was heard from, 0 while it is online; ``None`` when it never was."""
    if directory.get(device_id) is None:
        return None
    if directory.status(device_id) == "online":
        return 0
    seen_ms = directory.last_seen(device_id)
    return None if seen_ms is None else max(0, now_ms - seen_ms) / 1000


def over(values: Values, given: Mapping[str, Any]) -> Any:
    """What tells values, those that are given before those that are stored."""
    return lambda source: given[source] if source in given else values.of(source)
