"""Targets: made, changed, started, stopped and deleted; and kept at work."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from neomind_sdk import BadRequest
from neomind_sdk.kinds import Unusable
from neomind_sdk.turns import Turns

from . import tables
from .configs import Configs
from .engine import Engine
from .errors import BadTemplate, PushTargetNotFound, TargetUnavailable
from .flusher import Flusher
from .live import Live, template_of
from .records import PENDING, Batch, DataFilter, Retry, Schedule, Target
from .schedules import Schedules
from .server import STOPPED
from .writer import Writer


@attrs.frozen(kw_only=True)
class Parts:
    """What targets work with."""

    writer: Writer
    flusher: Flusher
    engine: Engine
    configs: Configs
    schedules: Schedules


@attrs.frozen(kw_only=True)
class Change:
    """What is to change of a target; ``None``: nothing. An empty ``template`` takes it away."""

    name: str | None = None
    target_type: str | None = None
    config: Mapping[str, Any] | None = None
    schedule: Schedule | None = None
    data_filter: DataFilter | None = None
    enabled: bool | None = None
    template: str | None = None
    retry: Retry | None = None
    batch: Batch | None = None


class Targets:
    """The targets of the platform. Changes are made one after another, each to its end."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._writer = parts.writer
        self._database = parts.writer.database
        self._outbox = parts.writer.outbox
        self._turns = Turns()
        self._together = asyncio.Lock()  # held while a row and its ``Live`` change; nobody waits for the outbox in it
        self._lives: dict[str, Live] = {}

    # ---- life ----

    async def load(self) -> None:
        """Once, at start: what the outbox holds must agree with what is stopped, also after a crash in between."""
        waiting = await self._database.read(tables.waiting)
        held = await self._outbox.held()
        for target in await self.all():
            live = await self._made(target)
            live.buffered = waiting.get(target.id, 0)
            _, live.pending = await self._outbox.of_lane(target.lane, state=PENDING, limit=1)
            self._lives[target.id] = live
            if not target.enabled and target.lane not in held:
                await self._outbox.hold(target.lane, target.trouble or STOPPED)
            elif target.enabled and held.get(target.lane) == STOPPED:
                await self._outbox.release(target.lane)
            self._begin(live)

    async def close(self) -> None:
        """Finish the changes that were begun. Buffers are on disk, and go on after the next start."""
        await self._turns.close()
        self._writer.closing = True
        for live in self._lives.values():
            live.cancel()

    def reschedule(self) -> None:
        """Plugins have changed: there may be a scheduler now."""
        for live in self._lives.values():
            if live.problem is not None and live.target.enabled:
                self.parts.schedules.apply(live)

    # ---- looking up ----

    async def all(self) -> Sequence[Target]:
        """In the order in which they were made."""
        return await self._database.read(tables.everything)

    async def get(self, target_id: str) -> Target:
        """Raises ``PushTargetNotFound``."""
        found = await self._database.read(partial(tables.get, target_id))
        if found is None:
            raise PushTargetNotFound(target_id)
        return found

    def live(self, target_id: str) -> Live:
        """Raises ``PushTargetNotFound``."""
        try:
            return self._lives[target_id]
        except KeyError:
            raise PushTargetNotFound(target_id) from None

    async def reasons(self, targets: Sequence[Target]) -> list[str | None]:
        """Why each is not served at the moment; ``None`` where it is, or is just stopped."""
        held = await self._outbox.held()
        return [self._reason(one, held.get(one.lane)) for one in targets]

    def _reason(self, target: Target, held: str | None) -> str | None:
        live = self._lives.get(target.id)
        problem = None if live is None else live.broken or live.problem
        waits = held if target.enabled and held != STOPPED else None
        return target.trouble or self.parts.configs.reason(target) or problem or waits

    def ended(self, target_id: str) -> None:
        """A delivery has come to its end."""
        if (live := self._lives.get(target_id)) is not None:
            live.pending = max(0, live.pending - 1)

    # ---- changing ----

    async def create(self, change: Change) -> Target:
        """A new target, at work at once if it is enabled. Raises ``BadRequest``, ``EgressBlocked``."""
        target_id, now_ms = str(uuid.uuid4()), self._writer.clock.now_ms()
        kind = change.target_type or ""
        target = Target(
            id=target_id,
            name=change.name or "",
            enabled=change.enabled is not False,
            target_type=kind,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        accepted = await self._accept(target, kind, change.config or {}, None)
        target = evolved(attrs.evolve(target, **accepted), change)
        live = await self._made(target, strict=True)
        return await self._turns.run(lambda: self._create(live))

    async def update(self, target_id: str, change: Change) -> Target:
        """The target as it is now. Raises ``PushTargetNotFound``, ``BadRequest``, ``TargetUnavailable``."""
        return await self._turns.run(lambda: self._update(target_id, change))

    async def delete(self, target_id: str) -> None:
        """What waits for it is given up. Raises ``PushTargetNotFound``."""
        await self._turns.run(lambda: self._delete(target_id))

    async def gone(self, tried: Target, reason: str) -> bool:
        """The receiver of an attempt said that it is gone for ever; whether the target was stopped for it.

        ``tried`` is the target as it was when the attempt began: what a former receiver says is nothing to a target
        that has another one by now. Called while the outbox makes an attempt, so it must not wait for a change that
        waits for the outbox.
        """
        async with self._together:
            if not await self._database.write(partial(tables.stop, tried, reason)):
                return False
            if (live := self._lives.get(tried.id)) is not None:
                live.target = attrs.evolve(live.target, enabled=False, trouble=reason)
                self._end(live)
        self._writer.log.warning("push_target_stopped", target=tried.id, reason=reason)
        return True

    # ---- in turn ----

    async def _create(self, live: Live) -> Target:
        target = live.target
        await self._database.write(partial(tables.save, target))
        self._lives[target.id] = live  # at once: a target that is listed can be changed and deleted
        self._begin(live)
        if not target.enabled:
            await self._outbox.hold(target.lane, STOPPED)
        self._writer.log.info("push_target_created", target=target.id, target_type=target.target_type)
        return target

    async def _update(self, target_id: str, change: Change) -> Target:
        before = await self.get(target_id)
        target = before
        kind = change.target_type or before.target_type
        if kind != before.target_type and change.config is None:
            raise BadRequest("config: a target of another type needs its configuration")
        if change.config is not None:
            old = before if kind == before.target_type else None
            target = attrs.evolve(before, **await self._accept(before, kind, change.config, old))
        target = attrs.evolve(evolved(target, change), target_type=kind, updated_ms=self._writer.clock.now_ms())
        fresh = await self._made(target, strict=change.template is not None)
        target = await self._replace(fresh, switched=change.enabled is not None)
        await self._switch(before, target, change)
        return target

    async def _replace(self, fresh: Live, *, switched: bool) -> Target:
        """A target as it is now in the place of what it was; what waits for its batch leaves as it was."""
        old = self.live(fresh.id)
        async with self.parts.engine.busy:
            await self.parts.flusher.flush(old)
            async with self._together:
                fresh.target = await self._database.write(partial(tables.replace, fresh.target, switched=switched))
                self._end(old)
                async with old.turn:
                    fresh.buffered, fresh.pending = old.buffered, old.pending
                self._lives[fresh.id] = fresh
                self._begin(fresh)
        return fresh.target

    async def _switch(self, before: Target, target: Target, change: Change) -> None:
        """What waits in the outbox waits on while a target is stopped, and is tried at once when it is started."""
        if not target.enabled:
            if before.enabled:
                await self._outbox.hold(target.lane, STOPPED)
        elif not before.enabled or change.enabled or change.config is not None:
            await self._outbox.release(target.lane)

    async def _delete(self, target_id: str) -> None:
        target, live = await self.get(target_id), self.live(target_id)
        async with self.parts.engine.busy, live.turn, self._together:
            await self._database.write(partial(tables.delete, target_id))
            self._end(live)
            live.buffered = 0
            del self._lives[target_id]
        await self._outbox.drop_lane(target.lane)
        self._writer.log.info("push_target_deleted", target=target_id)

    # ---- parts of it ----

    async def _accept(self, target: Target, kind: str, given: Mapping[str, Any], old: Target | None) -> dict[str, Any]:
        try:
            return attrs.asdict(await self.parts.configs.accept(target.id, kind, given, old))
        except Unusable as error:
            raise TargetUnavailable(target.name, str(error)) from error

    async def _made(self, target: Target, *, strict: bool = False) -> Live:
        """A target at work. A template that was good enough once and is not any more is said, unless ``strict``."""
        try:
            return Live(target=target, template=await asyncio.to_thread(template_of, target))
        except BadTemplate as error:
            if strict:
                raise
            return Live(target=target, broken=error.message)

    def _begin(self, live: Live) -> None:
        if live.target.enabled and live.broken is None:
            self.parts.engine.index.put(live)
            self.parts.schedules.apply(live)
            self.parts.flusher.watch(live)

    def _end(self, live: Live) -> None:
        live.gone = True
        self.parts.engine.index.drop(live.id)
        live.cancel()


def evolved(target: Target, change: Change) -> Target:
    """A target with the parts of a change that need no checking."""
    names = ("name", "schedule", "data_filter", "enabled", "retry", "batch")
    values = {name: value for name in names if (value := getattr(change, name)) is not None}
    if change.template is not None:
        values["template"] = change.template or None
    if change.enabled:
        values["trouble"] = None
    return attrs.evolve(target, **values)
