"""The commands that have not ended: what the database says of them, in memory, and how their states change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import attrs

from neomind_sdk import ApiError, Clock, Database, DeviceCommandFinished, EventBus, Logger

from . import tables
from .deadlines import Deadlines
from .kept import DELIVERED, ENDS, EXPIRED, FROM, QUEUED, SENT, SUCCEEDED, Command, Order, number_of

RETRY_S = 1.0
"""When the storage refuses, how long until it is asked again."""
NOT_CONFIRMED = "delivered; the device did not acknowledge it"
NOT_ACKNOWLEDGED = "delivered, but the device did not acknowledge it in time"
UNKNOWN_FATE = "it is not known whether the device got it: the transport never confirmed that, nor did the device"


@attrs.define(eq=False)
class Live:
    """A command that has not ended. ``attempted`` is set when an attempt to hand it over was made, or put off.

    ``first`` is whether no attempt was made before; ``refusal`` is why the command was withdrawn by the first.
    """

    command: Command
    due: float
    first: bool = True
    refusal: str | None = None
    attempted: asyncio.Event = attrs.field(factory=asyncio.Event)

    @property
    def number(self) -> int:
        return self.command.number

    @property
    def state(self) -> str:
        return self.command.state


class Book:
    """Every change is written first, then made here, then told. ``ack_timeout`` is of the moment.

    ``ended`` is called with every command that has ended, or was withdrawn.
    """

    def __init__(
        self, database: Database, bus: EventBus, clock: Clock, log: Logger, ack_timeout: Callable[[], float]
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._log = log
        self._ack_timeout = ack_timeout
        self._live: dict[int, Live] = {}
        self._of_device: dict[str, dict[int, Live]] = {}
        self.deadlines = Deadlines(clock, self._due_of, self._time_is_over)
        self.ended: Callable[[Live], None] = lambda _: None

    # ---- looking up ----

    def of_device(self, device_id: str) -> list[Live]:
        """In the order they were given."""
        return [live for _, live in sorted(self._of_device.get(device_id, {}).items())]

    def current(self, commands: Iterable[Command]) -> list[Command]:
        """The commands as they are now: what was read may be older than what is here."""
        return [self._live[one.number].command if one.number in self._live else one for one in commands]

    def find(self, number: int) -> Live | None:
        return self._live.get(number)

    def awaited(self, device_id: str, ident: str | None) -> Live | None:
        """The command that a device speaks of: by its id, by its request id, or the oldest that was sent."""
        mine = self.of_device(device_id)
        if ident is None:
            return next((live for live in mine if live.state in (SENT, DELIVERED)), None)
        number = number_of(ident)
        return next((live for live in mine if live.number == number or live.command.request_id == ident), None)

    # ---- changing ----

    async def load(self) -> list[Live]:
        """Take up what had not ended, in order; once, at start."""
        commands = await self._database.read(tables.live)
        return [self._remember(command, first=False) for command in commands]

    async def open(self, order: Order, queue_timeout_s: float) -> tuple[Command, Live | None]:
        """Keep an order; the command of before, and who is live of it, when its key was used before."""
        now_ms = self._clock.now_ms()
        expires_ms = now_ms + round(queue_timeout_s * 1000)
        command, is_new = await self._database.write(partial(tables.create, order, now_ms, expires_ms))
        return command, self._remember(command) if is_new else self._live.get(command.number)

    async def move(self, live: Live, state: str, *, since: str | None = None, **changes: Any) -> bool:
        """Bring a command into a state, ``since`` it is in this one, or in any from which it may come there.

        ``False`` when something else was faster. Raises the storage's errors.
        """
        if live.number not in self._live:
            return False
        sources = FROM[state] if since is None else (since,)
        changes = {"error": None, **self._times(live.command, state), **changes}
        if state in ENDS:
            changes["payload"] = b""
        if not await self._database.write(partial(tables.move, live.number, sources, state, changes)):
            return False
        live.command = attrs.evolve(live.command, state=state, **changes)
        if state in ENDS:
            self._end(live)
        else:
            self._set_due(live)
        return True

    async def surely(self, live: Live, state: str, **changes: Any) -> bool:
        """``move``, tried until the storage takes it: what has happened outside must not be forgotten."""
        while True:
            try:
                return await self.move(live, state, **changes)
            except ApiError as error:
                self._log.warning("command_not_saved", command_id=live.command.command_id, reason=str(error))
            await self._clock.sleep(RETRY_S)

    async def withdraw(self, live: Live) -> None:
        """Forget a command that could never have been sent."""
        await self._database.write(partial(tables.delete, live.number))
        self._forget(live)

    def note(self, live: Live, reason: str) -> None:
        """Say, in memory only, what a queued command waits for."""
        live.command = attrs.evolve(live.command, error=reason)

    def _times(self, command: Command, state: str) -> dict[str, Any]:
        now_ms = self._clock.now_ms()
        if state in ENDS:
            return {"finished_ms": now_ms}
        if state == QUEUED:
            return {"sent_ms": None, "due_ms": command.expires_ms}
        times = {"due_ms": now_ms + round(self._ack_timeout() * 1000)}
        return {**times, "sent_ms": now_ms} if state == SENT else times

    # ---- the ends ----

    async def _time_is_over(self, number: int) -> None:
        live = self._live.get(number)
        if live is None:
            return
        try:
            ended = await self._end_in_time(live, live.state)
        except ApiError as error:
            self._log.warning("command_not_saved", command_id=live.command.command_id, reason=str(error))
            ended = False
        if not ended:  # or it has just come into another state, with another time
            self.deadlines.set(number, self._clock.monotonic() + RETRY_S)

    async def _end_in_time(self, live: Live, state: str) -> bool:
        """End a command whose state has lasted as long as it may."""
        if state == DELIVERED and not live.command.requires_ack:
            return await self.move(live, SUCCEEDED, since=state, result=NOT_CONFIRMED)
        if state == QUEUED:
            reason = f"it could not be sent in time: {live.command.error or 'it never had its turn'}"
        else:
            reason = NOT_ACKNOWLEDGED if state == DELIVERED else UNKNOWN_FATE
        return await self.move(live, EXPIRED, since=state, error=reason)

    def _due_of(self, number: int) -> float | None:
        live = self._live.get(number)
        return None if live is None else live.due

    def _set_due(self, live: Live) -> None:
        """By the monotonic clock; a wall clock that was set back while the platform was down prolongs nothing."""
        command = live.command
        rest_ms = min(command.due_ms - self._clock.now_ms(), command.due_ms - (command.sent_ms or command.created_ms))
        live.due = self._clock.monotonic() + max(0, rest_ms) / 1000
        self.deadlines.set(live.number, live.due)

    def _remember(self, command: Command, first: bool = True) -> Live:
        live = Live(command, due=0.0, first=first)
        if not first:
            live.attempted.set()
        self._live[command.number] = live
        self._of_device.setdefault(command.device_id, {})[command.number] = live
        self._set_due(live)
        return live

    def _forget(self, live: Live) -> None:
        self._live.pop(live.number, None)
        mine = self._of_device.get(live.command.device_id, {})
        mine.pop(live.number, None)
        if not mine:
            self._of_device.pop(live.command.device_id, None)
        live.attempted.set()
        self.ended(live)

    def _end(self, live: Live) -> None:
        self._forget(live)
        command = live.command
        self._bus.publish(
            DeviceCommandFinished(
                device_id=command.device_id,
                command=command.command,
                command_id=command.command_id,
                success=command.state == SUCCEEDED,
                result=command.result if command.state == SUCCEEDED else command.error,
                cause=command.cause,
                hops=command.hops,
            )
        )
