"""Runs the actions of firings, off the path of the evaluation.

A few workers; the firings of one rule run one after another, those of different rules take turns. In memory waits a
bounded number of firings, the rest in the table.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import attrs

from neomind_sdk import ApiError, Clock, Database, Firing, Logger

from . import tables
from .actions import ActionTypes
from .kept import CANCELLED, DONE, MANUAL, TEST, Raised
from .live import Live
from .models import RuleSettings
from .recorder import Recorder

WAITING_MAX = 5000
PAGE = 500
GRACE_S, GRACE_STEP_S = 10.0, 0.5
"""After a start, a firing of before waits so long for the plugin of its action."""
STOP_S = 1.5


@attrs.define(eq=False)
class Runner:
    """``rule_of`` finds the rule of a firing, ``ended`` is told what came of it."""

    types: ActionTypes
    recorder: Recorder
    database: Database
    clock: Clock
    log: Logger
    settings: Callable[[], RuleSettings]
    rule_of: Callable[[str], Live | None]
    ended: Callable[[Raised], None]
    _lanes: dict[str, deque[Raised]] = attrs.field(factory=dict, init=False)
    _ready: asyncio.Queue[str] = attrs.field(factory=asyncio.Queue, init=False)
    _numbers: set[int] = attrs.field(factory=set, init=False)
    # Those whose end became durable since the table was last asked: on a page that was read before, they are pending.
    _over: set[int] = attrs.field(factory=set, init=False)
    _waiters: dict[int, asyncio.Future[Raised]] = attrs.field(factory=dict, init=False)
    _more: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _low: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _left: int = attrs.field(default=0, init=False)
    _resumed_before: int = attrs.field(default=0, init=False)
    _running: int = attrs.field(default=0, init=False)
    _idle: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _closing: bool = attrs.field(default=False, init=False)

    def put(self, raised: Raised) -> None:
        """Take a firing that is durable; what is too much is fetched from the table when its turn comes."""
        if raised.number in self._numbers:  # a page had it as soon as it was durable
            return
        if self._more.is_set() or len(self._numbers) >= WAITING_MAX:
            self._left += 1
            self._more.set()
        else:
            self._enqueue(raised)

    def over(self, raised: Raised) -> None:
        """The end of a firing is durable."""
        self._numbers.discard(raised.number)
        if self._more.is_set():
            self._over.add(raised.number)
        if len(self._numbers) <= WAITING_MAX // 2:
            self._low.set()

    def expect(self, raised: Raised) -> asyncio.Future[Raised]:
        """What will have come of a firing."""
        return self._waiters.setdefault(raised.number, asyncio.get_running_loop().create_future())

    @property
    def waiting(self) -> int:
        return len(self._numbers)

    def resume(self) -> None:
        """Take up what was left when the platform stopped."""
        self._resumed_before = self.recorder.number()
        self._more.set()

    async def fetch(self) -> None:
        """Bring firings from the table whenever those in memory are through, for ever."""
        while True:
            await self._more.wait()
            await self._room()
            left = self._left
            self._over.clear()
            try:
                page = await self.database.read(lambda: tables.pending(0, WAITING_MAX + PAGE))
            except ApiError as error:
                self.log.error("rule_firings_not_read", error=error.message)
                await self.clock.sleep(1.0)
                continue
            self._take(page, left)

    def _take(self, page: list[Raised], left: int) -> None:
        """``left`` is how many were left to the table when the page was read; any later one may not be on it."""
        known = self._numbers | self._over
        fresh = [raised for raised in page if raised.number not in known]
        room = max(1, WAITING_MAX - len(self._numbers))
        for raised in fresh[:room]:
            self._enqueue(raised)
        if len(fresh) <= room and len(page) < WAITING_MAX + PAGE and left == self._left:
            self._more.clear()

    async def _room(self) -> None:
        """Wait until at most half of what memory takes is left in it."""
        while len(self._numbers) > WAITING_MAX // 2:
            self._low.clear()
            await self._low.wait()

    async def work(self) -> None:
        """One worker, for ever."""
        while not self._closing:
            rule_id = await self._ready.get()
            if self._closing:
                return
            self._running += 1
            try:
                await self._run(self._lanes[rule_id].popleft())
            finally:
                self._running -= 1
                self._next(rule_id)

    async def close(self) -> None:
        """Let actions under way come to their end, for a moment; the others run after the next start."""
        self._closing = True
        if self._running:
            self._idle.clear()
            try:
                await asyncio.wait_for(self._idle.wait(), STOP_S)
            except TimeoutError:
                self.log.warning("rule_actions_cut_off", running=self._running)

    def _enqueue(self, raised: Raised) -> None:
        self._numbers.add(raised.number)
        lane = self._lanes.get(raised.rule_id)
        if lane is None:
            self._lanes[raised.rule_id] = deque([raised])
            self._ready.put_nowait(raised.rule_id)
        else:
            lane.append(raised)

    def _next(self, rule_id: str) -> None:
        if self._lanes[rule_id]:
            self._ready.put_nowait(rule_id)
        else:
            del self._lanes[rule_id]
        if not self._running:
            self._idle.set()

    async def _run(self, raised: Raised) -> None:
        begun = self.clock.monotonic()
        raised = await self._actions(raised)
        raised = attrs.evolve(raised, duration_ms=round((self.clock.monotonic() - begun) * 1000, 3))
        self.recorder.end(raised)
        self.ended(raised)
        waiter = self._waiters.pop(raised.number, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(raised)

    async def _actions(self, raised: Raised) -> Raised:
        """All that were not done before, in order; one that fails does not keep the next from running."""
        for index in range(len(raised.outcomes), len(raised.actions)):
            if (reason := self._call_off(raised)) is not None:
                return attrs.evolve(raised, state=CANCELLED, error=reason)
            action = raised.actions[index]
            await self._grace(raised, str(action["type"]))
            outcome = await self.types.run(action, firing_of(raised), self.settings().action_timeout_s)
            raised = attrs.evolve(raised, outcomes=(*raised.outcomes, outcome))
            if index + 1 < len(raised.actions):
                await self.recorder.progress(raised)
        errors = [str(outcome.error) for outcome in raised.outcomes if not outcome.ok]
        return attrs.evolve(raised, state=DONE, error="; ".join(errors) or None)

    def _call_off(self, raised: Raised) -> str | None:
        """Why actions that were raised are not to run any more."""
        live = self.rule_of(raised.rule_id)
        if live is None:
            return "the rule was deleted"
        asked_for = raised.kind in (MANUAL, TEST)
        return None if live.rule.enabled or asked_for else "the rule was disabled"

    async def _grace(self, raised: Raised, name: str) -> None:
        """Plugins that start later may bring the action of a firing of before the start."""
        waited = 0.0
        while raised.number < self._resumed_before and waited < GRACE_S and self.types.find(name) is None:
            await self.clock.sleep(GRACE_STEP_S)
            waited += GRACE_STEP_S


def firing_of(raised: Raised) -> Firing:
    """What the action gets to know."""
    return Firing(
        rule_id=raised.rule_id,
        rule_name=raised.rule_name,
        fired_ms=raised.fired_ms,
        values=raised.values,
        variables=raised.variables,
        cause=raised.cause,
        hops=raised.hops,
        test=raised.kind == TEST,
    )
