"""Commands for devices: the ``DeviceCommands`` and the ``CommandAcks`` of the platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from neomind_sdk import (
    ApiError,
    Clock,
    CommandRecord,
    Conflict,
    Database,
    DeviceDirectory,
    Logger,
    NotFound,
    Principal,
    ValidationFailed,
)
from neomind_sdk.turns import Finisher
from neomind_sdk.waiting import until

from . import tables
from .book import Book, Live
from .errors import CannotBeSent
from .kept import FAILED, KEPT, QUEUED, SUCCEEDED, Command, Order, number_of
from .lanes import Lanes
from .models import KEY_MAX, CommandSettings
from .orders import Orders, fingerprint

Params = Mapping[str, Any]
CLOSE_S = 1.0
REMOVED = "the device was removed"


@attrs.frozen(kw_only=True)
class Parts:
    """What the service is made of."""

    database: Database
    directory: DeviceDirectory
    clock: Clock
    log: Logger
    settings: Callable[[], CommandSettings]
    orders: Orders
    book: Book
    lanes: Lanes


class Commands:
    """A command is kept before it is sent, and what becomes of it is kept before anybody is told."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._book = parts.book
        self._lanes = parts.lanes
        self._finisher = Finisher()
        parts.book.ended = parts.lanes.leave

    async def start(self) -> None:
        """Take up what had not ended: what waited is sent, what was sent is followed for its remaining time."""
        for live in await self._book.load():
            if self._parts.directory.get(live.command.device_id) is None:
                await self._book.surely(live, FAILED, error=REMOVED)
            elif live.state == QUEUED:
                self._lanes.put(live)

    async def watch(self) -> None:
        """End what lasts too long, for ever."""
        await self._book.deadlines.run()

    async def close(self) -> None:
        await self._lanes.close(CLOSE_S)
        await self._finisher.close()

    # ---- giving ----

    async def send(
        self,
        device_id: str,
        command: str,
        params: Params,
        *,
        cause: str | None = None,
        hops: int = 0,
        principal: Principal | None = None,
    ) -> CommandRecord:
        """See ``DeviceCommands.send``."""
        source = source_of(principal)
        return (await self.give(device_id, command, params, source=source, cause=cause, hops=hops)).record()

    async def give(
        self,
        device_id: str,
        command: str,
        params: Params,
        *,
        source: str,
        cause: str | None = None,
        hops: int = 0,
        key: str | None = None,
    ) -> Command:
        """``send``, with an idempotency key of the caller's: what was given with it before is not given again.

        Raises ``Conflict`` when the key was used for something else.
        """
        mark = fingerprint_of(device_id, command, params) if key is not None else None
        before = await self._given_before(source, key, mark)
        if before is None:
            order = await self._parts.orders.prepare(device_id, command, params)
            order = attrs.evolve(order, source=source, cause=cause, hops=hops, key=key, fingerprint=mark)
            self._check_room(device_id)
            before = await self._finisher.run(self._keep(order))
        return await self._answer(*before)

    def problems(self, device_id: str, command: str, params: Params) -> list[str]:
        """See ``DeviceCommands.problems``."""
        return self._parts.orders.problems(device_id, command, params)

    async def _given_before(self, source: str, key: str | None, mark: str | None) -> tuple[Command, Live | None] | None:
        if key is None:
            return None
        if not (0 < len(key) <= KEY_MAX and key.isascii() and key.isprintable()):
            raise CannotBeSent(f"Idempotency-Key: must be 1 to {KEY_MAX} printable ASCII characters")
        command = await self._parts.database.read(partial(tables.by_key, source, key))
        return None if command is None else same_order(command, mark, self._book.find(command.number))

    def _check_room(self, device_id: str) -> None:
        most = self._parts.settings().max_waiting
        if self._lanes.waiting(device_id) >= most:
            raise Conflict(f"{most} commands wait for the device '{device_id}' already")

    async def _keep(self, order: Order) -> tuple[Command, Live | None]:
        command, live = await self._book.open(order, self._parts.settings().queue_timeout_s)
        if live is not None and command.request_id == order.request_id:  # else its key was used a moment ago
            self._lanes.put(live)
        return same_order(command, order.fingerprint, live)

    async def _answer(self, command: Command, live: Live | None) -> Command:
        """The command after the first attempt; raises ``CannotBeSent`` when there is no use in trying again."""
        if live is not None:
            await until(self._parts.clock, self._parts.settings().send_timeout_s + 1, live.attempted)
            command = live.command
            if live.refusal is not None:
                raise CannotBeSent(live.refusal)
        if command.state == FAILED and command.sent_ms is None:
            raise CannotBeSent(f"Failed to send command: {command.error}")
        return command

    # ---- what devices say ----

    async def acknowledge(
        self, device_id: str, command_id: str | None, success: bool, *, result: Any = None, error: str | None = None
    ) -> bool:
        """See ``CommandAcks.acknowledge``."""
        live = self._book.awaited(device_id, command_id)
        if live is None:
            return False
        if success:
            return await self._finisher.run(self._book.move(live, SUCCEEDED, result=result))
        said = error or "the device reported a failure"
        return await self._finisher.run(self._book.move(live, FAILED, error=said, result=result))

    # ---- looking back ----

    async def history(self, device_id: str, limit: int = 50) -> Sequence[CommandRecord]:
        """See ``DeviceCommands.history``."""
        return [command.record() for command in await self.newest(device_id, limit)]

    async def newest(self, device_id: str, limit: int) -> list[Command]:
        """The newest commands, newest first; raises ``NotFound`` for the device."""
        self.require(device_id)
        found = await self._parts.database.read(partial(tables.newest, device_id, min(limit, KEPT)))
        return self._book.current(found)

    async def get(self, device_id: str, command_id: str) -> Command:
        """One command of a device; raises ``NotFound`` for either."""
        self.require(device_id)
        number = number_of(command_id)
        found = None if number is None else await self._parts.database.read(partial(tables.get, device_id, number))
        if found is None:
            raise NotFound("COMMAND", command_id)
        return self._book.current([found])[0]

    def require(self, device_id: str) -> None:
        if self._parts.directory.get(device_id) is None:
            raise NotFound("DEVICE", device_id)

    # ---- what happens around ----

    def wake(self, device_id: str | None = None) -> None:
        """A connection of a device came up, or (without an id) a transport was started: try again now."""
        self._lanes.wake(device_id)

    async def forget(self, device_id: str, at_ms: int) -> None:
        """A device was removed: what had not ended has failed, and its history goes."""
        for live in self._book.of_device(device_id):
            if live.command.created_ms <= at_ms:
                await self._finisher.run(self._book.surely(live, FAILED, error=REMOVED))
        try:
            await self._parts.database.write(partial(tables.delete_of_device, device_id, at_ms))
        except ApiError as error:
            self._parts.log.warning("commands_not_deleted", device_id=device_id, reason=str(error))


def source_of(principal: Principal | None) -> str:
    """Who gave a command: ``user:<id>``; ``system`` when nobody says."""
    return "system" if principal is None else f"{principal.kind}:{principal.id}"


def fingerprint_of(device_id: str, command: str, params: Params) -> str:
    try:
        return fingerprint(device_id, command, params)
    except TypeError as error:
        raise ValidationFailed(("params", f"must be what JSON can say: {error}")) from error


def same_order(command: Command, mark: str | None, live: Live | None) -> tuple[Command, Live | None]:
    """Raises ``Conflict`` when a key was used for another order."""
    if mark is not None and command.fingerprint != mark:
        raise Conflict("The Idempotency-Key was used for another command already")
    return command, live
