"""One turn of a lane, in one transaction: write down what came of an attempt, and begin the next one.

Everything that two processes on one storage must agree on is decided in here: who runs a lane, and what is next in it.
"""

from __future__ import annotations

from typing import NamedTuple

import attrs
import orjson

from neomind_sdk import Order

from .records import DEAD, PENDING, Ask, Begun, Holder, Outcome, Turn
from .tables import AT_ONCE_MS, changed, hold, run

EXPIRED = "It expired before it could be delivered"
DIED = "The platform stopped during each of its attempts"
AT_A_TIME = 100

HEAD = """SELECT seq, delivery_id, lane, kind, payload, subject, cause, hops, expires_ms,
attempts, first_ms, next_ms, detail
FROM outbox_orders WHERE state = ? AND lane = ? ORDER BY seq LIMIT 1"""
BEGIN = "UPDATE outbox_orders SET attempts = ?, first_ms = ?, next_ms = NULL WHERE seq = ?"
GO_ON = "UPDATE outbox_orders SET detail = ?, next_ms = ? WHERE delivery_id = ? AND state = ?"
END = """UPDATE outbox_orders SET state = ?, detail = ?, next_ms = NULL, finished_ms = ?, tell_ms = ?
WHERE delivery_id = ? AND state = ?"""
UNCOUNT = "UPDATE outbox_orders SET attempts = attempts - 1, detail = ? WHERE delivery_id = ? AND state = ?"
LOG = "INSERT INTO outbox_attempts (delivery_id, attempt, at_ms, took_ms, ok, detail) VALUES (?, ?, ?, ?, ?, ?)"
LANE = "SELECT held, owner, beat FROM outbox_lanes WHERE lane = ?"
NEW_LEASE = "INSERT INTO outbox_lanes (lane, held, owner, beat) VALUES (?, '', ?, ?)"
LEASE = "UPDATE outbox_lanes SET owner = ?, beat = ? WHERE lane = ?"
FREE = "UPDATE outbox_lanes SET owner = NULL WHERE lane = ?"


class Head(NamedTuple):
    """The first pending delivery of a lane, in the order of the columns of ``HEAD``."""

    seq: int
    delivery_id: str
    lane: str
    kind: str
    payload: str
    subject: str
    cause: str | None
    hops: int
    expires_ms: int | None
    attempts: int
    first_ms: int | None
    next_ms: int | None
    detail: str


class Lease(NamedTuple):
    """A lane's row."""

    held: str
    owner: str | None
    beat: int

    def other(self, me: str) -> Holder | None:
        """Who else has it."""
        return None if self.owner is None or self.owner == me else Holder(self.owner, self.beat)


def take(ask: Ask) -> Turn:
    """The next turn of a lane; called inside ``await db.write(…)``."""
    ended = frozenset([ask.done.kind]) if ask.done and _finish(ask.done) else frozenset()
    if ask.done and ask.done.hold:
        hold(ask.lane, ask.done.hold)
    row = run(LANE, ask.lane).fetchone()
    lane = Lease(*row) if row else None
    other = lane.other(ask.me.owner) if lane else None
    if other is not None and other != ask.over:
        return Turn(holder=other, ended=ended)
    turn = Turn() if lane is not None and lane.held else _next(ask)
    _lease(ask, lane, keep=turn.begun is not None)
    return attrs.evolve(turn, ended=turn.ended | ended) if ended else turn


def _finish(done: Outcome) -> bool:
    """Whether a delivery came to its end. One that was dropped or sent again meanwhile is left alone."""
    if not done.counted:
        run(UNCOUNT, done.detail, done.delivery_id, PENDING)
        return False
    if done.state == PENDING:
        cursor = run(GO_ON, done.detail, done.next_ms, done.delivery_id, PENDING)
    else:
        cursor = run(END, done.state, done.detail, done.end_ms, AT_ONCE_MS, done.delivery_id, PENDING)
    if not changed(cursor):
        return False
    run(LOG, done.delivery_id, done.attempt, done.at_ms, done.took_ms, done.ok, done.detail)
    return done.state != PENDING


def _next(ask: Ask) -> Turn:
    """What is next in a lane that is ours; what has expired dies on the way."""
    ended: frozenset[str] = frozenset()
    for _ in range(AT_A_TIME):
        row = run(HEAD, PENDING, ask.lane).fetchone()
        if row is None or row[3] not in ask.kinds:
            return Turn(ended=ended)
        head = Head(*row)
        problem = _problem(head, ask)
        if problem is None:
            return _at(head, ask, ended)
        run(END, DEAD, problem, ask.now_ms, AT_ONCE_MS, head.delivery_id, PENDING)
        ended |= {head.kind}
    return Turn(more=True, ended=ended)


def _problem(head: Head, ask: Ask) -> str | None:
    """Why it is not tried any more."""
    if head.expires_ms is not None and head.expires_ms <= ask.now_ms:
        return f"{EXPIRED}: {head.detail}" if head.detail else EXPIRED
    return DIED if head.attempts > ask.max_attempts else None


def _at(head: Head, ask: Ask, ended: frozenset[str]) -> Turn:
    # A pause longer than any is what a wall clock that was set back has left.
    if head.next_ms is not None and 0 < head.next_ms - ask.now_ms <= ask.longest_ms and head.delivery_id != ask.waited:
        until_ms = min(head.next_ms, head.expires_ms or head.next_ms)
        return Turn(until_ms=until_ms, waits_for=head.delivery_id, ended=ended)
    if not ask.begin:
        return Turn(more=True, ended=ended)
    return Turn(begun=_begin(head, ask.now_ms), ended=ended)


def _begin(head: Head, now_ms: int) -> Begun:
    """Count the attempt before it is made: what kills the platform each time must come to an end too."""
    first_ms = now_ms if head.first_ms is None else head.first_ms
    run(BEGIN, head.attempts + 1, first_ms, head.seq)
    order = Order(
        lane=head.lane,
        kind=head.kind,
        payload=orjson.loads(head.payload),
        subject=head.subject,
        cause=head.cause,
        hops=head.hops,
        expires_ms=head.expires_ms,
    )
    return Begun(delivery_id=head.delivery_id, order=order, attempt=head.attempts + 1, first_ms=first_ms)


def _lease(ask: Ask, lane: Lease | None, *, keep: bool) -> None:
    """Take a lane that is free or ours, or renew the lease, though not at every turn; or give it back."""
    if not keep:
        if lane is not None and lane.owner is not None:
            run(FREE, ask.lane)
    elif lane is None:
        run(NEW_LEASE, ask.lane, *ask.me)
    elif lane.owner != ask.me.owner or ask.renew:
        run(LEASE, *ask.me, ask.lane)
