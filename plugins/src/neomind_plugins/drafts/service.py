"""Drafts as their routes and jobs see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from secrets import token_hex
from typing import Any

import attrs

from neomind_sdk import (
    ApiError,
    BadRequest,
    Clock,
    Conflict,
    Database,
    DeviceDirectory,
    Logger,
    SettingsRegistry,
    UnknownSample,
    ValidationFailed,
    units,
)
from neomind_sdk.turns import Turns

from . import tables
from .analyst import Analyst
from .approving import Approver
from .errors import BeingRegistered, NoType
from .inbox import Inbox
from .models import DraftChange, DraftSettings, UploadBody, Wish
from .packing import registrable
from .records import Draft
from .shelf import Shelf
from .signatures import Likeness, Signatures
from .telling import Teller

SECTION = "drafts"


@attrs.define(eq=False)
class Drafts:
    """Changes run one after another, each to its end; samples arrive meanwhile."""

    database: Database
    directory: DeviceDirectory
    registry: SettingsRegistry
    settings: Callable[[], DraftSettings]
    clock: Clock
    log: Logger
    shelf: Shelf
    inbox: Inbox
    analyst: Analyst
    approver: Approver
    signatures: Signatures
    tell: Teller
    _turns: Turns = attrs.field(factory=Turns, init=False)
    _config: dict[str, Any] = attrs.field(factory=dict, init=False)

    # ---- life ----

    async def load(self) -> None:
        """Read everything; called once, at start."""
        self._config = await self.database.read(tables.config)
        self._hold(self._config)
        drafts = await self.database.read(tables.load)
        for draft in drafts:
            if draft.approval is not None and self.directory.get(draft.device_id) is None:
                draft.reopen()  # it was decided, and not begun
        self.shelf.fill(drafts)
        self.analyst.wake()

    async def resume(self) -> None:
        """Finish the approvals that the last run did not, as soon as there is somebody to hand the samples to."""
        await self.inbox.connected.wait()
        for draft in self.shelf.all():
            await self._turns.run(partial(self._resume, draft))

    async def close(self) -> None:
        """Wait for what was begun."""
        await self.inbox.close()
        await self._turns.close()

    # ---- reading ----

    def all(self) -> Sequence[Draft]:
        return self.shelf.all()

    def require(self, ident: str) -> Draft:
        """By the device's id, or by its own; raises ``NotFound``."""
        return self.shelf.require(ident)

    async def suggest(self, ident: str) -> Sequence[Likeness]:
        """Registered types that are like the draft; raises ``NotFound``, and ``BadRequest`` when nothing is known."""
        return self.signatures.suggest((await self.analyzed(ident)).analysis or _nothing(ident))

    async def analyzed(self, ident: str) -> Draft:
        """The draft with an analysis of all its samples; raises ``NotFound``, and ``BadRequest`` when it has none."""
        draft = self.require(ident)
        await self.analyst.look(draft)
        if draft.analysis is None or not draft.analysis.usable:
            raise NoType(ident, draft.error_message)
        return draft

    # ---- changing ----

    def analyze(self, ident: str) -> None:
        """Look at the samples anew, in the background; raises ``NotFound`` and ``BeingRegistered``."""
        draft = self.require(ident)
        if draft.approval is not None:
            raise BeingRegistered(ident)
        draft.analyzed = 0
        self.analyst.wake()

    async def change(self, ident: str, change: DraftChange) -> None:
        """Give a draft a name or a description; raises ``NotFound`` and the storage's errors."""
        await self._turns.run(lambda: self._change(self.require(ident), change))

    async def approve(self, ident: str, wish: Wish) -> tuple[str, str]:
        """``(device id, device type)``; the draft is gone, and its samples are history.

        Raises ``NotFound`` for a draft or a type that is not there, ``BadRequest`` when there is no generated type,
        ``Conflict``, and the storage's errors; after these it can be tried again.
        """
        return await self._turns.run(lambda: self._approve(ident, wish))

    async def reject(self, ident: str, reason: str) -> None:
        """Drop a draft; the device may be found again. Raises ``NotFound``, ``Conflict`` and the storage's errors."""
        await self._turns.run(lambda: self._reject(ident, reason))

    async def cleanup(self) -> int:
        """Drop the drafts that heard nothing for too long; how many."""
        return await self._turns.run(self._cleanup)

    async def upload(self, body: UploadBody) -> tuple[str, int]:
        """``(device id, how many samples were kept)``; raises ``BadRequest``, ``Conflict`` and the storage's errors."""
        if not body.data:
            raise ValidationFailed(("data", "must not be empty"))
        device_id = body.device_id or f"upload-{token_hex(4)}"
        samples = [self._uploaded(device_id, body, index) for index in range(len(body.data))]
        if not registrable(device_id):
            raise BadRequest("device_id: must be 1 to 128 letters, digits, _, - or ., and no reserved word")
        kept = [await self._keep(sample) for sample in samples]
        if not any(kept):
            raise Conflict("Nothing was kept: the draft is full, there are too many, or the samples are too large")
        return device_id, sum(kept)

    async def configure(self, changes: Mapping[str, Any]) -> DraftSettings:
        """Change some settings for good; raises ``ValidationFailed`` and the storage's errors."""
        await self._turns.run(lambda: self._configure(dict(changes)))
        return self.settings()

    # ---- one at a time ----

    async def _resume(self, draft: Draft) -> None:
        if draft.approval is None or self.inbox.ingest is None or not self.shelf.holds(draft):
            return
        try:
            await self.approver.finish(draft, self.inbox.ingest)
        except ApiError as error:
            self.log.warning("draft_not_finished", device_id=draft.device_id, reason=error.message)

    async def _change(self, draft: Draft, change: DraftChange) -> None:
        given = {"user_name": change.name, "description": change.description}
        changes = {name: text.strip() or None for name, text in given.items() if text is not None}
        await self.database.write(partial(tables.update, {**changes, "key": draft.key}))
        for name, text in changes.items():
            setattr(draft, name, text)

    async def _approve(self, ident: str, wish: Wish) -> tuple[str, str]:
        draft = self.require(ident)
        return draft.device_id, await self.approver.approve(draft, wish)

    async def _reject(self, ident: str, reason: str) -> None:
        draft = self.require(ident)
        if draft.approval is not None:
            raise BeingRegistered(ident)
        await self._drop(draft)
        self.tell.rejected(draft, reason)

    async def _drop(self, draft: Draft) -> None:
        draft.closing = True
        try:
            await draft.calm()
            await self.database.write(partial(tables.delete, draft.key))
        except BaseException:
            draft.closing = False
            raise
        self.shelf.remove(draft)

    async def _cleanup(self) -> int:
        oldest_ms = self.clock.now_ms() - self.settings().draft_retention_secs * units.SECOND_MS
        old = [draft for draft in self.shelf.all() if draft.updated_ms < oldest_ms and draft.approval is None]
        for draft in old:
            await self._drop(draft)
        return len(old)

    async def _configure(self, changes: dict[str, Any]) -> None:
        value = self.registry.merged(SECTION, changes)
        kept = {**self._config, **changes}
        await self.database.write(partial(tables.save_config, kept))
        self._config = kept
        self.registry.replace(SECTION, value)

    def _hold(self, config: dict[str, Any]) -> None:
        """Put what was stored into force; what an older version stored may not fit any more."""
        try:
            self.registry.replace(SECTION, self.registry.merged(SECTION, config))
        except ValidationFailed as error:
            self.log.warning("stored_settings_refused", section=SECTION, reason=error.message)

    async def _keep(self, sample: UnknownSample) -> bool:
        if self.directory.get(sample.device_id) is not None:
            raise Conflict(f"The device '{sample.device_id}' is registered; it needs no draft")
        return await self.inbox.keep(sample)

    def _uploaded(self, device_id: str, body: UploadBody, index: int) -> UnknownSample:
        sample, now_ms = body.data[index], self.clock.now_ms()
        full = isinstance(sample.get("data"), dict) and set(sample) <= {"data", "timestamp", "device_id", "quality"}
        given = sample.get("timestamp") if full else None
        try:
            ts_ms = None if given is None else units.device_time(given, now_ms)
        except ValueError as error:
            raise ValidationFailed((f"data[{index}].timestamp", str(error))) from error
        payload = sample["data"] if full else sample
        return UnknownSample(device_id=device_id, source=body.source, payload=payload, received_ms=now_ms, ts_ms=ts_ms)


def _nothing(ident: str) -> Any:
    raise NoType(ident, None)
