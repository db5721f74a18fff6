"""What must survive is written here: firings before they run, what came of them, and the states of rules.

Everything that gathers while a transaction is under way goes into the next one, all of it in one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import attrs

from neomind_sdk import ApiError, Clock, Database, EventBus, Logger, RuleExecuted, RuleTriggered

from . import tables
from .kept import Raised
from .live import Live

BATCH = 1000
RETRY_S = 1.0


@attrs.define
class Gathered:
    """What waits to be written."""

    raised: list[Raised] = attrs.field(factory=list)
    ended: list[Raised] = attrs.field(factory=list)
    states: dict[str, Live] = attrs.field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self.raised or self.ended or self.states)


@attrs.define(eq=False)
class Recorder:
    """``due`` gets each firing as soon as it is durable, ``over`` each one whose end is."""

    database: Database
    bus: EventBus
    clock: Clock
    log: Logger
    due: Callable[[Raised], None] = attrs.field(init=False)
    over: Callable[[Raised], None] = attrs.field(init=False)
    _gathered: Gathered = attrs.field(factory=Gathered, init=False)
    _wake: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _writing: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)
    _number: int = attrs.field(default=0, init=False)

    async def start(self) -> None:
        """Continue the numbers of firings."""
        self._number = await self.database.read(tables.last_number)

    def number(self) -> int:
        """A number that no firing has had."""
        self._number = max(self._number + 1, self.clock.now_ms() * 1000)
        return self._number

    def raise_(self, raised: Raised, live: Live | None = None) -> None:
        """Keep a firing, and the state of its rule with it, and have it run when that is durable."""
        self._gathered.raised.append(raised)
        if live is not None:
            self._gathered.states[live.id] = live
        self._wake.set()

    def note(self, live: Live) -> None:
        """Keep the state of a rule."""
        self._gathered.states[live.id] = live
        self._wake.set()

    def end(self, raised: Raised) -> None:
        """Keep what came of a firing."""
        self._gathered.ended.append(raised)
        self._wake.set()

    async def progress(self, raised: Raised) -> None:
        """Keep what came of a firing so far, before its next action; if that fails, the worst is a second run."""
        try:
            await self.database.write(lambda: tables.progress(raised))
        except ApiError as error:
            self.log.warning("rule_progress_not_kept", rule_id=raised.rule_id, error=error.message)

    async def alone(self, work: Callable[[], None]) -> None:
        """Do ``work`` in a transaction of its own, which no states of before are written after; raises ``ApiError``."""
        async with self._writing:
            await self.database.write(work)

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._gathered and not await self.flush():
                await self.clock.sleep(RETRY_S)

    async def flush(self) -> bool:
        """Write what has gathered; ``False`` when the storage took nothing, and it is kept for another try."""
        async with self._writing:
            taken, self._gathered = self._gathered, Gathered()
            try:
                await self._write(taken)
            except ApiError as error:
                self.log.error("rules_not_kept", firings=len(taken.raised), error=error.message)
                self._put_back(taken)
                return False
            except asyncio.CancelledError:  # nobody knows whether it was written; a second time does no harm
                self._put_back(taken)
                raise
        self._tell(taken)
        return True

    async def _write(self, taken: Gathered) -> None:
        states = {rule_id: live.state for rule_id, live in taken.states.items()}

        def work() -> None:
            tables.put_firings(taken.raised)
            for raised in taken.ended:
                tables.progress(raised)
            tables.put_states(states)

        if taken:
            await self.database.write(work)

    def _put_back(self, taken: Gathered) -> None:
        later, self._gathered = self._gathered, taken
        taken.raised += later.raised
        taken.ended += later.ended
        taken.states.update(later.states)

    def _tell(self, taken: Gathered) -> None:
        for raised in taken.raised:
            self.bus.publish(triggered(raised))
            self.due(raised)
        for raised in taken.ended:
            self.bus.publish(executed(raised))
            self.over(raised)


def triggered(raised: Raised) -> RuleTriggered:
    value = next(iter(raised.values.values()), None)
    return RuleTriggered(
        rule_id=raised.rule_id,
        rule_name=raised.rule_name,
        trigger_value=value,
        actions=kinds(raised.actions),
        cause=raised.cause,
        hops=raised.hops,
    )


def executed(raised: Raised) -> RuleExecuted:
    return RuleExecuted(
        rule_id=raised.rule_id,
        rule_name=raised.rule_name,
        success=raised.success,
        duration_ms=raised.duration_ms,
        cause=raised.cause,
        hops=raised.hops,
    )


def kinds(actions: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(action["type"]) for action in actions if isinstance(action, dict))
