"""Who is online: when devices were last heard from, what was told of it, and whose connections are up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import attrs

from neomind_sdk import ApiError, Clock, Database, Logger

from . import tables
from .silence import NEARLY_S, Silence
from .standing import Standing

SAVE_EVERY_S = 10.0
BATCH = 500
"""How many devices one write takes: a few milliseconds of the storage's writer."""
RESTART_GRACE_S = 30.0
"""How long after a start nobody is told to be offline: while the platform was down, nobody could be heard."""
NEVER_HEARD = "never heard from"

Tell = Callable[[str, Standing], None]


@attrs.define(eq=False)
class Presence:
    """Kept in memory, saved every ten seconds and at stop.

    A device is online while its last sign of life is younger than its time-out. Signs of life are aged by the
    monotonic clock, so setting the clock of the machine takes nobody offline. ``tell(device_id, standing)`` is called
    when a device comes online or goes offline, in turns: never twice the same. While the connection of a silent device
    is up nobody is told that it is offline, though its status says so.

    After a crash a device may seem to have been heard from up to ten seconds earlier than it was.
    """

    database: Database
    clock: Clock
    log: Logger
    timeout_of: Callable[[str], int]
    tell: Tell
    silence: Silence = attrs.field(init=False)
    _seen: dict[str, int] = attrs.field(factory=dict, init=False)
    _heard: dict[str, float] = attrs.field(factory=dict, init=False)
    _told: dict[str, Standing] = attrs.field(factory=dict, init=False)
    _sessions: dict[str, set[str]] = attrs.field(factory=dict, init=False)
    _session_changed: dict[str, int] = attrs.field(factory=dict, init=False)
    _unsaved: set[str] = attrs.field(factory=set, init=False)
    _no_offline_before: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.silence = Silence(self.clock, self._due, self._fell_silent)

    def start(self, seen: Mapping[str, int], told: Mapping[str, Standing]) -> None:
        """Take up what was saved. Who was online and fell silent meanwhile is told to be offline a little later."""
        self._no_offline_before = self.clock.monotonic() + RESTART_GRACE_S
        for device_id, at_ms in seen.items():
            self._seen[device_id] = at_ms
            self._heard[device_id] = self._heard_at(at_ms)
            before = told.get(device_id)
            if self._is_young(device_id) and (before is None or not before.online):
                before = Standing(online=True, since_ms=at_ms)
            self._told[device_id] = before or self._silent(device_id)
            if self._told[device_id].online:
                self.silence.watch(device_id)

    # ---- asking ----

    def last_seen(self, device_id: str) -> int | None:
        return self._seen.get(device_id)

    def status(self, device_id: str) -> str:
        if device_id not in self._seen:
            return "disconnected"
        return "online" if self._is_young(device_id) else "offline"

    def standing(self, device_id: str) -> Standing:
        """Whether a device is online, since when and why not."""
        told = self._told.get(device_id)
        if told is None:
            return Standing(online=False, since_ms=None, reason=NEVER_HEARD)
        return self._silent(device_id) if told.online and not self._is_young(device_id) else told

    def is_connected(self, device_id: str) -> bool:
        """Whether a connection of the device is up; of devices whose transport has none, never."""
        return bool(self._sessions.get(device_id))

    def connection_changed(self, device_id: str) -> int | None:
        """When the device's connection came up or went down, in epoch ms; ``None`` when not since the start."""
        return self._session_changed.get(device_id)

    # ---- what happens ----

    def hear(self, device_id: str, at_ms: int) -> None:
        """A device was heard from; older news than what is known change nothing."""
        heard = self._heard_at(at_ms)
        if heard < self._heard.get(device_id, heard):
            return
        self._seen[device_id], self._heard[device_id] = at_ms, heard
        self._unsaved.add(device_id)
        if device_id not in self.silence:
            self._speaks_again(device_id, at_ms)

    def connect(self, device_id: str, client_id: str, at_ms: int) -> None:
        """A connection of the device came up. It may have several for a moment: when a new one takes over."""
        if not self.is_connected(device_id):
            self._session_changed[device_id] = at_ms
        self._sessions.setdefault(device_id, set()).add(client_id)

    def disconnect(self, device_id: str, client_id: str, at_ms: int) -> None:
        """A connection of the device went down; if it is silent, it is offline now."""
        if not self.is_connected(device_id):
            return
        self._sessions[device_id].discard(client_id)
        if not self._sessions[device_id]:
            del self._sessions[device_id]
            self._session_changed[device_id] = at_ms
            if device_id in self._told and device_id not in self.silence:
                self._go_offline(device_id)

    def review(self, device_ids: Iterable[str]) -> None:
        """The time-outs of these devices may have changed."""
        for device_id in device_ids:
            if device_id in self.silence:
                self.silence.watch(device_id)
            elif device_id in self._seen:
                self._speaks_again(device_id, self.clock.now_ms())

    def forget(self, device_id: str) -> None:
        """The device was removed. Its connection, if it has one, is still up."""
        self.silence.forget(device_id)
        for kept in (self._seen, self._heard, self._told):
            kept.pop(device_id, None)
        self._unsaved.discard(device_id)
        if not self.is_connected(device_id):
            self._session_changed.pop(device_id, None)

    def _speaks_again(self, device_id: str, at_ms: int) -> None:
        """A device that is not watched was heard from, or has a longer time-out: mostly it is online by that."""
        if self._is_young(device_id):
            self._come_online(device_id, at_ms)
        elif device_id not in self._told:
            self._told[device_id] = self._silent(device_id)

    def _come_online(self, device_id: str, at_ms: int) -> None:
        told, standing = self._told.get(device_id), Standing(online=True, since_ms=at_ms)
        self._told[device_id] = standing
        self._unsaved.add(device_id)
        self.silence.watch(device_id)
        if told is None or not told.online:
            self.tell(device_id, standing)

    def _fell_silent(self, device_id: str) -> None:
        if not self.is_connected(device_id):
            self._go_offline(device_id)

    def _go_offline(self, device_id: str) -> None:
        if self._told[device_id].online:
            standing = self._told[device_id] = self._silent(device_id)
            self._unsaved.add(device_id)
            self.tell(device_id, standing)

    def _silent(self, device_id: str) -> Standing:
        timeout_s = self.timeout_of(device_id)
        since_ms = min(self._seen[device_id] + timeout_s * 1000, self.clock.now_ms())
        return Standing(online=False, since_ms=since_ms, reason=f"no data for {timeout_s} s")

    def _heard_at(self, at_ms: int) -> float:
        """A wall time of now or earlier as monotonic seconds."""
        return self.clock.monotonic() - max(0, self.clock.now_ms() - at_ms) / 1000

    def _is_young(self, device_id: str) -> bool:
        return self.clock.monotonic() + NEARLY_S < self._heard[device_id] + self.timeout_of(device_id)

    def _due(self, device_id: str) -> float:
        return max(self._heard[device_id] + self.timeout_of(device_id), self._no_offline_before)

    # ---- keeping ----

    async def save(self) -> None:
        """Save what changed since the last time; what could not be saved is tried again the next time."""
        unsaved, self._unsaved = list(self._unsaved), set()
        for start in range(0, len(unsaved), BATCH):
            names = [name for name in unsaved[start : start + BATCH] if name in self._seen]
            batch = {name: (self._seen[name], self._told[name]) for name in names}
            try:
                await self.database.write(partial(tables.save_presence, batch))
            except BaseException:
                self._unsaved.update(unsaved[start:])
                raise

    async def keep_saving(self) -> None:
        """Save for ever."""
        while True:
            await self.clock.sleep(SAVE_EVERY_S)
            try:
                await self.save()
            except ApiError as error:
                self.log.warning("last_seen_not_saved", reason=str(error))
