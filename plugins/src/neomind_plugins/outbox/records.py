"""What the parts of the outbox tell each other."""

from __future__ import annotations

from typing import NamedTuple

import attrs

from neomind_sdk import DELIVERY_STATES, Order

PENDING, DELIVERED, DEAD = DELIVERY_STATES


@attrs.frozen(kw_only=True)
class Begun:
    """An attempt whose beginning is committed. ``first_ms`` is when the first one of this delivery began."""

    delivery_id: str
    order: Order
    attempt: int
    first_ms: int


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of an attempt, as it is written down.

    ``took_ms``  is measured apart from the wall clock, which may have been set meanwhile
    ``counted``  ``False``: the target could not be served at all, which is no attempt
    ``hold``     why the lane stops; empty: it goes on
    """

    delivery_id: str
    kind: str
    attempt: int
    state: str
    at_ms: int
    end_ms: int
    took_ms: int = 0
    ok: bool = False
    counted: bool = True
    detail: str = ""
    next_ms: int | None = None
    hold: str = ""


class Holder(NamedTuple):
    """Who has a lane, and at which renewal."""

    owner: str
    beat: int


@attrs.frozen(kw_only=True)
class Ask:
    """What the runner of a lane asks for in one transaction.

    ``me``      who asks; ``beat`` is a new one
    ``renew``   whether a lease that is ours is renewed when an attempt begins
    ``over``    the other one that has the lane and died
    ``begin``   whether the next attempt may begin
    ``waited``  the delivery whose pause is over, whatever the wall clock says
    ``done``    the outcome to write down before
    """

    lane: str
    me: Holder
    now_ms: int
    longest_ms: int
    max_attempts: int
    kinds: frozenset[str]
    renew: bool = True
    over: Holder | None = None
    begin: bool = True
    waited: str | None = None
    done: Outcome | None = None


@attrs.frozen(kw_only=True)
class Turn:
    """What a lane does next: the attempt that begins, or wait until ``until_ms``, or go on; else it rests.

    ``holder``     the other one that has it
    ``waits_for``  the delivery whose pause is not over
    ``ended``      kinds of deliveries that came to their end
    """

    begun: Begun | None = None
    until_ms: int | None = None
    waits_for: str | None = None
    holder: Holder | None = None
    more: bool = False
    ended: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class Filter:
    """Which deliveries are listed; ``None``: all."""

    lane: str | None = None
    kind: str | None = None
    state: str | None = None


@attrs.frozen(kw_only=True)
class Attempt:
    """A line of the log of one delivery."""

    attempt: int
    at_ms: int
    took_ms: int
    ok: bool
    detail: str


@attrs.frozen(kw_only=True)
class LaneState:
    """A lane that has something waiting, or is held. ``detail`` is what came of the latest attempt."""

    lane: str
    kind: str
    waiting: int
    oldest_ms: int | None
    held: str
    next_ms: int | None
    detail: str
