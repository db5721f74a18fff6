"""Tables of the outbox and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
import orjson
from peewee import AutoField, BigIntegerField, BooleanField, IntegerField, TextField, fn

from neomind_sdk import Conflict, DeliveryRecord, NotFound, Order
from neomind_sdk.tables import Model

from .records import DEAD, DELIVERED, PENDING, Attempt, Filter, LaneState

CHUNK = 400
AT_ONCE_MS = 0


class OrderRow(Model):
    """An order and what became of it.

    ``seq``      the order within a lane
    ``first_ms`` when the first attempt began
    ``next_ms``  when the next one may
    ``tell_ms``  from when on its server is to be told of its end; ``NULL``: it need not be
    """

    seq = AutoField()
    delivery_id = TextField(unique=True)
    lane = TextField()
    kind = TextField()
    payload = TextField()
    subject = TextField()
    cause = TextField(null=True)
    hops = IntegerField()
    expires_ms = BigIntegerField(null=True)
    state = TextField(default=PENDING)
    attempts = IntegerField(default=0)
    created_ms = BigIntegerField()
    first_ms = BigIntegerField(null=True)
    next_ms = BigIntegerField(null=True)
    finished_ms = BigIntegerField(null=True)
    tell_ms = BigIntegerField(null=True, index=True)
    detail = TextField(default="")

    class Meta:
        table_name = "outbox_orders"
        indexes = ((("state", "lane", "seq"), False), (("lane", "seq"), False))


class LaneRow(Model):
    """A lane that was ever run: why it is held (empty: it is not), and which process runs it.

    ``beat`` changes with each renewal: that it stands still is how others see that the owner died.
    """

    lane = TextField(primary_key=True)
    held = TextField(default="")
    owner = TextField(null=True)
    beat = BigIntegerField(default=0)

    class Meta:
        table_name = "outbox_lanes"


class AttemptRow(Model):
    """An attempt that was made."""

    id = AutoField()
    delivery_id = TextField(index=True)
    attempt = IntegerField()
    at_ms = BigIntegerField()
    took_ms = BigIntegerField()
    ok = BooleanField()
    detail = TextField()

    class Meta:
        table_name = "outbox_attempts"


MODELS = (OrderRow, LaneRow, AttemptRow)


def run(sql: str, *values: Any) -> Any:
    """The cursor of a statement with ``?`` for values. For the hot path: composing one takes longer than running it."""
    database: Any = OrderRow._meta.database
    return database.execute_sql(sql.replace("?", database.param), values)


def changed(cursor: Any) -> bool:
    """Whether the statement changed a row."""
    database: Any = OrderRow._meta.database
    return bool(database.rows_affected(cursor))


Values = Mapping[str, Any]


def record_of(row: Any) -> DeliveryRecord:
    return DeliveryRecord(
        delivery_id=row.delivery_id,
        order=order_of(row),
        state=row.state,
        attempts=row.attempts,
        created_ms=row.created_ms,
        next_ms=row.next_ms,
        finished_ms=row.finished_ms,
        detail=row.detail,
    )


def order_of(row: Any) -> Order:
    return Order(
        lane=row.lane,
        kind=row.kind,
        payload=orjson.loads(row.payload),
        subject=row.subject,
        cause=row.cause,
        hops=row.hops,
        expires_ms=row.expires_ms,
    )


# ---- orders ---------------------------------------------------------------------------------------------------------


def insert(rows: Sequence[Values]) -> None:
    for start in range(0, len(rows), CHUNK):
        OrderRow.insert_many(rows[start : start + CHUNK]).execute()


def find(delivery_ids: Sequence[str]) -> dict[str, DeliveryRecord]:
    found: dict[str, DeliveryRecord] = {}
    for start in range(0, len(delivery_ids), CHUNK):
        rows = OrderRow.select().where(OrderRow.delivery_id.in_(delivery_ids[start : start + CHUNK]))
        found |= {row.delivery_id: record_of(row) for row in rows}
    return found


def require(delivery_id: str) -> DeliveryRecord:
    """Raises ``NotFound``."""
    row = OrderRow.get_or_none(OrderRow.delivery_id == delivery_id)
    if row is None:
        raise NotFound("DELIVERY", delivery_id)
    return record_of(row)


def page(chosen: Filter, limit: int, offset: int) -> tuple[list[DeliveryRecord], int]:
    """Deliveries, newest first, and how many there are."""
    conditions = [getattr(OrderRow, name) == value for name, value in attrs.asdict(chosen).items() if value is not None]
    query = OrderRow.select()
    for condition in conditions:
        query = query.where(condition)
    rows = query.order_by(OrderRow.seq.desc()).limit(limit).offset(offset)
    return [record_of(row) for row in rows], query.count()


def with_attempts(delivery_id: str, limit: int) -> tuple[DeliveryRecord, list[Attempt]]:
    """A delivery and its latest attempts, newest first; raises ``NotFound``."""
    record = require(delivery_id)
    rows = AttemptRow.select().where(AttemptRow.delivery_id == delivery_id)
    names = [field.name for field in attrs.fields(Attempt)]
    latest = rows.order_by(AttemptRow.id.desc()).limit(limit)
    return record, [Attempt(**{name: getattr(row, name) for name in names}) for row in latest]


def revive(delivery_id: str) -> DeliveryRecord:
    """Put a dead delivery at the end of its lane; raises ``NotFound`` and ``Conflict``."""
    state = require(delivery_id).state
    if state != DEAD:
        raise Conflict(f"The delivery '{delivery_id}' is {state}; only a dead one can be sent again")
    found: Any = OrderRow.select().where(OrderRow.delivery_id == delivery_id).dicts().get()
    values = {name: value for name, value in found.items() if name != "seq"}
    fresh: dict[str, Any] = {"attempts": 0, "state": PENDING, "detail": ""}
    fresh |= dict.fromkeys(("first_ms", "next_ms", "finished_ms", "expires_ms", "tell_ms"))
    OrderRow.delete().where(OrderRow.delivery_id == delivery_id).execute()
    OrderRow.insert(values | fresh).execute()
    return require(delivery_id)


def forget_outdated(before_ms: int, limit: int) -> int:
    """Forget some of what ended before; how many. What is sent again at that moment has not ended."""
    old = OrderRow.state.in_((DELIVERED, DEAD)) & (OrderRow.finished_ms < before_ms)
    found = [row.delivery_id for row in OrderRow.select(OrderRow.delivery_id).where(old).limit(limit)]
    forget(found)
    return len(found)


def forget(delivery_ids: Sequence[str]) -> None:
    for start in range(0, len(delivery_ids), CHUNK):
        some = delivery_ids[start : start + CHUNK]
        AttemptRow.delete().where(AttemptRow.delivery_id.in_(some)).execute()
        OrderRow.delete().where(OrderRow.delivery_id.in_(some)).execute()


# ---- telling servers of the end -------------------------------------------------------------------------------------


def untold(kind: str, now_ms: int, limit: int) -> list[DeliveryRecord]:
    """What ended and its server was not told, in the order in which it is due."""
    due = (OrderRow.tell_ms <= now_ms) & (OrderRow.kind == kind)
    return [
        record_of(row) for row in OrderRow.select().where(due).order_by(OrderRow.tell_ms, OrderRow.seq).limit(limit)
    ]


def told(delivery_ids: Sequence[str], again: Sequence[str], again_ms: int) -> None:
    """These servers were told; those are to be told ``again``. A delivery that was sent again meanwhile is neither."""
    for ids, tell_ms in ((delivery_ids, None), (again, again_ms)):
        for start in range(0, len(ids), CHUNK):
            some = OrderRow.delivery_id.in_(ids[start : start + CHUNK]) & OrderRow.tell_ms.is_null(False)
            OrderRow.update(tell_ms=tell_ms).where(some).execute()


# ---- lanes ----------------------------------------------------------------------------------------------------------


def waiting(kinds: Collection[str]) -> list[str]:
    """The lanes that are not held and have something pending of these kinds."""
    held = LaneRow.select(LaneRow.lane).where(LaneRow.held != "")
    query = OrderRow.select(OrderRow.lane).distinct()
    some = (OrderRow.state == PENDING) & OrderRow.kind.in_(list(kinds)) & OrderRow.lane.not_in(held)
    return [row.lane for row in query.where(some)]


def inherit(node: str) -> None:
    """Free the lanes of processes that died on this node: nobody has its name while one of them lives."""
    theirs = (LaneRow.owner == node) | LaneRow.owner.startswith(f"{node}:")
    LaneRow.update(owner=None).where(theirs).execute()


def hold(lane: str, reason: str) -> None:
    LaneRow.insert(lane=lane, held=reason).on_conflict(
        conflict_target=[LaneRow.lane], update={LaneRow.held: reason}
    ).execute()


def release(lane: str) -> None:
    """What waits in it need not wait for its pause either."""
    LaneRow.update(held="").where(LaneRow.lane == lane).execute()
    paused = (OrderRow.state == PENDING) & (OrderRow.lane == lane) & OrderRow.next_ms.is_null(False)
    OrderRow.update(next_ms=None).where(paused).execute()


def held() -> dict[str, str]:
    return {row.lane: row.held for row in LaneRow.select().where(LaneRow.held != "")}


def drop(lane: str) -> int:
    """Forget what waits in a lane, and the lane."""
    gone = OrderRow.select(OrderRow.delivery_id).where(OrderRow.state == PENDING, OrderRow.lane == lane)
    delivery_ids = [row.delivery_id for row in gone]
    forget(delivery_ids)
    LaneRow.delete().where(LaneRow.lane == lane).execute()
    return len(delivery_ids)


def lane_states() -> list[LaneState]:
    """The lanes that have something waiting, or are held."""
    reasons = held()
    counted = OrderRow.select(
        OrderRow.lane, fn.COUNT(OrderRow.seq), fn.MIN(OrderRow.created_ms), fn.MIN(OrderRow.seq)
    ).where(OrderRow.state == PENDING)
    query: Any = counted.group_by(OrderRow.lane).tuples()
    rows = list(query)
    heads = _heads([seq for *_, seq in rows])
    found = {lane: _state(reasons.get(lane, ""), heads[seq], count, oldest) for lane, count, oldest, seq in rows}
    for lane in reasons.keys() - found.keys():
        found[lane] = LaneState(
            lane=lane, kind="", waiting=0, oldest_ms=None, held=reasons[lane], next_ms=None, detail=""
        )
    return [found[lane] for lane in sorted(found)]


def _heads(seqs: Sequence[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    columns = (OrderRow.seq, OrderRow.lane, OrderRow.kind, OrderRow.next_ms, OrderRow.detail)
    for start in range(0, len(seqs), CHUNK):
        rows = OrderRow.select(*columns).where(OrderRow.seq.in_(seqs[start : start + CHUNK]))
        found |= {row.seq: row for row in rows}
    return found


def _state(reason: str, head: Any, count: int, oldest_ms: int) -> LaneState:
    return LaneState(
        lane=head.lane,
        kind=head.kind,
        waiting=count,
        oldest_ms=oldest_ms,
        held=reason,
        next_ms=head.next_ms,
        detail=head.detail,
    )


def backlog() -> tuple[int, int | None, int]:
    """How many wait, since when the oldest does, and how many lanes are held."""
    count, oldest = (
        OrderRow.select(fn.COUNT(OrderRow.seq), fn.MIN(OrderRow.created_ms))
        .where(OrderRow.state == PENDING)
        .scalar(as_tuple=True)
    )
    return count, oldest, LaneRow.select().where(LaneRow.held != "").count()
