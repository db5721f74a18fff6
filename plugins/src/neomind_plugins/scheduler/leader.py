"""Has this platform run jobs for as long as it holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from neomind_sdk import ApiError, Clock, Logger, OpenStorage
from neomind_sdk.node import Node

from .durable import DurableStates
from .lease import Lease
from .migrations import migrate
from .runs import run_capped
from .service import Jobs

RENEW_S = 30.0
RETRY_S = 5.0
POLL_S = 2.0
TIDY_FIRST_S = 600.0
TIDY_S = 86_400.0


class Leader:
    """Takes the lease, renews it, and gives it back; opens and closes ``jobs`` accordingly."""

    def __init__(  # what it is put together from
        self,
        storage: OpenStorage,
        lease: Lease,
        states: DurableStates,
        jobs: Jobs,
        node: Node,
        clock: Clock,
        log: Logger,
    ) -> None:
        self._storage = storage
        self._lease = lease
        self._states = states
        self.jobs = jobs
        self._node = node
        self._clock = clock
        self._log = log
        self._trouble = ""
        self._stopping = False
        self._looking = asyncio.Lock()
        self._tidy_at = clock.monotonic() + TIDY_FIRST_S

    async def start(self, spawn: Callable[[Any, str], None]) -> None:
        """Bring the tables up to date and begin; jobs run when this returns, unless another platform runs them."""
        await self._storage.migrate(migrate)
        self._lease.name(await asyncio.to_thread(self._node.open))
        await self._look()
        spawn(self._run(), "lease")

    async def stop(self) -> None:
        """End the jobs and hand over, at once unless a run does not end."""
        self._stopping = True
        async with self._looking:
            ended = await self.jobs.stop()
            if self._lease.left_s > 0:
                await self._hand_over(last=ended)
        self._node.close()

    def standing(self) -> tuple[bool, str]:
        """Whether all is well with the lease, and what there is to say of it."""
        trouble = self._trouble or self._states.trouble
        if trouble:
            return False, f"what jobs did cannot be written: {trouble}"
        return True, "" if self.jobs.open else f"the node {self._lease.by or 'that had them last'} runs the jobs"

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(self._pause_s())
            async with self._looking:
                if not self._stopping:
                    await self._look()

    async def _hand_over(self, *, last: bool) -> None:
        try:
            await self._states.flush(last=last)
        except ApiError as error:
            self._log.warning("lease_not_handed_over", reason=error.message)

    def _pause_s(self) -> float:
        if not self.jobs.open:
            return POLL_S
        return RETRY_S if self._trouble else RENEW_S

    async def _look(self) -> None:
        step = self._renew if self.jobs.open else self._take
        # A storage that hangs must not keep the owner from seeing that its time is up.
        cap_s = max(RETRY_S, self._lease.left_s) if self.jobs.open else RENEW_S
        error = await run_capped(step, cap_s, self._clock)
        self._note(error)
        if self.jobs.open and self._lease.left_s <= 0:
            self._log.warning("lease_lost", reason=self._trouble or "another platform has taken over")
            await self.jobs.stop()

    async def _take(self) -> None:
        if self._lease.left_s > 0 or await self._lease.take():
            await self._states.reload()
            self._log.info("lease_taken", node=self._lease.node)
            await self.jobs.start()

    async def _renew(self) -> None:
        try:
            await self._states.flush()
        except ApiError:
            if not await self._lease.confirm():
                raise
        if self._clock.monotonic() >= self._tidy_at and self.jobs.open:
            self._tidy_at = self._clock.monotonic() + TIDY_S
            await self._states.tidy(self.jobs.names())

    def _note(self, error: BaseException | None) -> None:
        text = "" if error is None else getattr(error, "message", "") or f"{type(error).__name__}: {error}"
        if text and text != self._trouble:
            unknown = None if isinstance(error, ApiError | TimeoutError) else error
            self._log.warning("lease_trouble", reason=text, exc_info=unknown)
        self._trouble = text
