"""From a draft to a device with a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import attrs

from neomind_sdk import (
    ApiError,
    BadRequest,
    Database,
    DeviceDirectory,
    Ingest,
    Logger,
    ServiceMissing,
    StorageBusy,
    StorageFull,
    TelemetryStore,
    Uplink,
    ValidationFailed,
    series,
)

from . import tables
from .analyst import Analyst
from .deciding import Decider
from .inbox import Inbox
from .models import Wish
from .records import REGISTERING, Approval, Draft, KeptSample
from .shelf import Shelf
from .telling import Teller


@attrs.frozen
class Approver:
    """Registers the type and the device, hands the samples to ``Ingest``, and drops the draft: in this order.

    The decision is stored first. What a crash left undone is either not begun, and the draft can be approved again,
    or the device is registered, and the rest is made up for at the next start, or the next attempt. Whether the
    samples are in the history already is then seen by looking at it.
    """

    database: Database
    store: TelemetryStore
    directory: DeviceDirectory
    shelf: Shelf
    inbox: Inbox
    analyst: Analyst
    decider: Decider
    tell: Teller
    log: Logger

    async def approve(self, draft: Draft, wish: Wish) -> str:
        """The type of the registered device. One at a time; raises ``ApiError``, after which it can be tried again."""
        ingest = self.inbox.ingest
        if ingest is None:
            raise ServiceMissing("No plugin provides Ingest at the moment", retry_after=5)
        if draft.approval is None:
            await self._begin(draft, wish)
        else:
            self.decider.decide(draft, wish, {})
        return await self.finish(draft, ingest)

    async def finish(self, draft: Draft, ingest: Ingest) -> str:
        """Do what was decided, or what is left of it."""
        assert draft.approval is not None
        try:
            await self._register(draft.approval)
        except BaseException:
            await self._take_back(draft)
            raise
        await draft.calm()  # the directory knows the device now: nothing more comes for the draft
        await self._hand_over(draft, draft.approval, ingest)
        await self.database.write(partial(tables.delete, draft.key))
        self.shelf.remove(draft)
        device = self.directory.get(draft.device_id) or draft.approval.device
        self.tell.registered(draft, device.device_type)
        return device.device_type

    async def _begin(self, draft: Draft, wish: Wish) -> None:
        await self.analyst.look(draft)
        samples = await self._samples(draft)
        before = {time_ms: await self._count(draft, time_ms) for time_ms in {item.time_ms for item in samples}}
        approval = self.decider.decide(draft, wish, before)
        await self._note(draft, approval)

    async def _note(self, draft: Draft, approval: Approval | None) -> None:
        """Keep the decision, in the database first: what is not kept was not decided."""
        row = tables.decided(attrs.evolve(draft, approval=approval))
        await self.database.write(partial(tables.update, row))
        draft.approval = approval
        if approval is not None:
            draft.status = REGISTERING

    async def _register(self, approval: Approval) -> None:
        if self.directory.get(approval.device.device_id) is not None:
            return
        if approval.device_type is not None and self.directory.get_type(approval.device.device_type) is None:
            await self.directory.register_type(approval.device_type)
        await self.directory.register(approval.device)

    async def _take_back(self, draft: Draft) -> None:
        """Nothing was registered: the draft is what it was."""
        if self.directory.get(draft.device_id) is None:
            draft.reopen()
            self.analyst.wake()
            try:
                await self.database.write(partial(tables.update, tables.decided(draft)))
            except ApiError as error:  # the start does the same
                self.log.warning("draft_approval_not_taken_back", device_id=draft.device_id, reason=error.message)

    async def _hand_over(self, draft: Draft, approval: Approval, ingest: Ingest) -> None:
        samples = await self._samples(draft)
        if draft.handed is None:
            draft.handed = await self._is_there(draft, approval, samples)
        if draft.handed:
            return
        draft.handed = None
        try:
            await self._submit([sample.uplink(draft) for sample in samples], ingest)
        except (StorageBusy, StorageFull):
            draft.handed = False
            raise
        draft.handed = True

    async def _submit(self, uplinks: Sequence[Uplink], ingest: Ingest) -> None:
        try:
            await ingest.submit(uplinks)
        except (BadRequest, ValidationFailed):
            await self._one_by_one(uplinks, ingest)

    async def _one_by_one(self, uplinks: Sequence[Uplink], ingest: Ingest) -> None:
        """What the type makes of a sample may be refused; it would have been, had the device been registered."""
        for uplink in uplinks:
            try:
                await ingest.submit([uplink])
            except (BadRequest, ValidationFailed) as error:
                self.log.warning("draft_sample_refused", device_id=uplink.device_id, reason=error.message)

    async def _is_there(self, draft: Draft, approval: Approval, samples: Sequence[KeptSample]) -> bool:
        """Whether the history got the samples since the decision: they are stored all or none.

        Where whole messages are kept, every sample has left something at its time, and a message that came at the
        time of one of them does not deceive. Else a sample may have nothing that the type takes.
        """
        kind = self.directory.type_of(draft.device_id)
        wanted = Counter(sample.time_ms for sample in samples if sample.time_ms in approval.before)
        came = [
            await self._count(draft, time_ms) - approval.before[time_ms] >= count for time_ms, count in wanted.items()
        ]
        return all(came) if kind is None or kind.store_raw else any(came)

    async def _count(self, draft: Draft, time_ms: int) -> int:
        names = await self.store.series(series.of_device(draft.device_id, ""))
        return sum([await self.store.count(name, time_ms, time_ms) for name in names])

    async def _samples(self, draft: Draft) -> Sequence[KeptSample]:
        return await self.database.read(partial(tables.samples, draft.key))
