"""Attempts of one lane, one after another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from neomind_sdk import ApiError, CustomPublished, SendTools
from neomind_sdk.foreign import ForeignError, call
from neomind_sdk.lease import Hold
from neomind_sdk.units import SECOND_MS

from . import turning
from .bucket import Buckets
from .deciding import Made, decide, failed, longest_ms, unavailable
from .leases import Leases
from .parts import Parts
from .records import PENDING, Ask, Begun, Holder, Outcome, Turn

RETRY_S, RETRY_MAX_S = 0.5, 10.0
HELD = "outbox_lane_held"
TOO_LATE = "It was not sent: when it could have begun, its turn was over"


@attrs.define(eq=False)
class Lane:
    """A lane that runs.

    ``hold``         of its lease
    ``waited``       the delivery whose pause is over
    ``again``        something happened to it while it ran
    ``troubled``     its latest attempt failed
    ``unavailable``  its target cannot be served at the moment
    """

    name: str
    hold: Hold
    waited: str | None = None
    again: bool = False
    troubled: bool = False
    unavailable: bool = False


class Runner:
    """Takes turns of lanes and makes their attempts. ``ended`` is told of ends."""

    def __init__(self, parts: Parts, buckets: Buckets, leases: Leases, ended: Callable[[str], None]) -> None:
        self.closing = False
        self.ended = ended
        self._parts = parts
        self._buckets = buckets
        self._leases = leases
        self._longest_ms = longest_ms(parts.settings)

    async def serve(self, lane: Lane, may_go_on: Callable[[str], bool]) -> Turn:
        """Make attempts while there are any that may be made; returns the turn without one.

        One transaction writes down an outcome and begins the next attempt.
        """
        lane.unavailable = False
        turn = await self._turn(lane, None, begin=not self.closing)
        while turn.begun is not None:
            done = await self._attempt(lane, turn.begun)
            turn = await self._turn(lane, done, begin=done.counted and may_go_on(lane.name))
            if done.hold:
                self._tell_held(lane.name, done.hold)
        return turn if not lane.unavailable else Turn()

    async def _turn(self, lane: Lane, done: Outcome | None, *, begin: bool) -> Turn:
        """Take a turn, and then another when the lane turns out to be that of a process which died."""
        turn = await self._take(lane, done, begin=begin)
        if turn.holder is not None and self._leases.over(lane.name, turn.holder):
            self._parts.log.info("lane_taken_over", lane=lane.name, owner=turn.holder.owner)
            turn = await self._take(lane, None, begin=begin and not self.closing, over=turn.holder)
        return turn

    async def _take(self, lane: Lane, done: Outcome | None, *, begin: bool, over: Holder | None = None) -> Turn:
        """Take a turn, however often that has to be tried: an outcome must not be lost."""
        pause_s = RETRY_S
        while True:
            lane.again = False
            ask, since = self._ask(lane, done, begin, over), lane.hold.now()
            try:
                turn = await self._parts.database.write(partial(turning.take, ask))
            except ApiError as error:
                self._parts.log.warning("outbox_not_written", lane=lane.name, reason=error.message)
                await self._parts.clock.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_MAX_S)
            else:
                lane.waited = None
                if turn.begun is None:
                    lane.hold.lose()
                elif ask.renew:
                    lane.hold.renewed(since)
                for kind in turn.ended:
                    self.ended(kind)
                return turn

    def _ask(self, lane: Lane, done: Outcome | None, begin: bool, over: Holder | None) -> Ask:
        return Ask(
            lane=lane.name,
            me=Holder(self._leases.owner, self._leases.beat()),
            now_ms=self._parts.clock.now_ms(),
            longest_ms=self._longest_ms,
            max_attempts=self._parts.settings.max_attempts,
            kinds=frozenset(self._parts.servers),
            renew=self._leases.old(lane.hold),
            over=over,
            begin=begin,
            waited=lane.waited,
            done=done,
        )

    async def _attempt(self, lane: Lane, begun: Begun) -> Outcome:
        clock = self._parts.clock
        at_ms, began = clock.now_ms(), clock.monotonic()
        if not self._leases.suffices(lane.hold):
            return _unserved(begun, TOO_LATE, at_ms)
        self._buckets.take(lane.name)
        server, settings = self._parts.servers[begun.order.kind], self._parts.settings
        tools = self._tools(begun, at_ms)
        try:
            delivery = await call(lambda: server.deliver(begun.order, tools), settings.attempt_timeout_s)
        except ForeignError as error:
            if (reason := unavailable(error)) is not None:
                lane.unavailable = True
                return _unserved(begun, reason, at_ms)
            self._parts.log.debug("attempt_raised", delivery_id=begun.delivery_id, exc_info=error.error)
            delivery = failed(error)
        made = Made(at_ms, clock.now_ms(), round((clock.monotonic() - began) * SECOND_MS))
        outcome = decide(begun, delivery, settings, made)
        lane.troubled = not outcome.ok
        return outcome

    def _tools(self, begun: Begun, now_ms: int) -> SendTools:
        return SendTools(
            egress=self._parts.egress,
            clock=self._parts.clock,
            delivery_id=begun.delivery_id,
            attempt=begun.attempt,
            headers={"webhook-id": begun.delivery_id, "webhook-timestamp": str(now_ms // SECOND_MS)},
        )

    def _tell_held(self, lane: str, reason: str) -> None:
        self._parts.log.warning("lane_held", lane=lane, reason=reason)
        data = {"lane": lane, "reason": reason}
        self._parts.bus.publish(CustomPublished(custom_type=HELD, data=data, source="outbox"))


def _unserved(begun: Begun, reason: str, at_ms: int) -> Outcome:
    return Outcome(
        delivery_id=begun.delivery_id,
        kind=begun.order.kind,
        attempt=begun.attempt,
        state=PENDING,
        at_ms=at_ms,
        end_ms=at_ms,
        counted=False,
        detail=reason,
    )
