"""The outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs
import orjson

from neomind_sdk import (
    ApiError,
    Clock,
    Database,
    DeliveryRecord,
    Health,
    Logger,
    NotFound,
    Order,
    OrderServer,
    ValidationFailed,
    fields,
)
from neomind_sdk import Outbox as OutboxContract
from neomind_sdk.node import Node
from neomind_sdk.units import SECOND_MS

from . import tables
from .ids import Ids
from .lanes import Lanes
from .leases import Leases
from .models import OutboxSettings
from .records import Attempt, Filter, LaneState
from .teller import Teller

PAYLOAD_MAX = 256 * 1024
NAME_MAX = 300
SUBJECT_MAX = 300
ATTEMPTS_SHOWN = 100
STEP = 400
RETRY_S = 5.0
MAX_MS = 2**63 - 1


@attrs.define(kw_only=True, eq=False)
class DurableOutbox(OutboxContract):
    """The contract, and what the plugin's own routes and jobs ask for."""

    database: Database
    clock: Clock
    settings: OutboxSettings
    servers: dict[str, OrderServer]
    log: Logger
    lanes: Lanes
    leases: Leases
    teller: Teller
    node: Node
    _ids: Ids = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._ids = Ids(self.clock)

    # ---- the contract -------------------------------------------------------------------------------------------

    def put(self, orders: Sequence[Order]) -> Sequence[str]:
        """Raises ``ValidationFailed`` naming the order and the field."""
        rows = [{**_columns(order, index), **self._new()} for index, order in enumerate(orders)]
        tables.insert(rows)
        self.lanes.fresh.extend(dict.fromkeys(order.lane for order in orders))
        return [row["delivery_id"] for row in rows]

    def wake(self) -> None:
        self.lanes.wake()

    def serve(self, kind: str, server: OrderServer) -> None:
        self.servers[kind] = server
        self.lanes.look()

    async def of_lane(
        self, lane: str, *, state: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Sequence[DeliveryRecord], int]:
        return await self.page(Filter(lane=lane, state=state), limit, offset)

    async def get(self, delivery_ids: Sequence[str]) -> Mapping[str, DeliveryRecord]:
        return await self.database.read(partial(tables.find, list(delivery_ids)))

    async def resend(self, delivery_id: str) -> DeliveryRecord:
        record = await self.database.write(partial(tables.revive, delivery_id))
        self.lanes.start(record.order.lane)
        return record

    async def hold(self, lane: str, reason: str) -> None:
        await self.database.write(partial(tables.hold, lane, reason or "Held"))

    async def release(self, lane: str) -> None:
        await self.database.write(partial(tables.release, lane))
        self.lanes.start(lane, now=True)

    async def held(self) -> Mapping[str, str]:
        return await self.database.read(tables.held)

    async def drop_lane(self, lane: str) -> int:
        return await self.database.write(partial(tables.drop, lane))

    # ---- what is shown ------------------------------------------------------------------------------------------

    async def page(self, chosen: Filter, limit: int, offset: int) -> tuple[Sequence[DeliveryRecord], int]:
        """Deliveries, newest first, and how many there are."""
        return await self.database.read(partial(tables.page, chosen, limit, offset))

    async def detail(self, delivery_id: str) -> tuple[DeliveryRecord, Sequence[Attempt]]:
        """A delivery and its latest attempts, newest first; raises ``NotFound``."""
        return await self.database.read(partial(tables.with_attempts, delivery_id, ATTEMPTS_SHOWN))

    async def lane_states(self) -> Sequence[LaneState]:
        """The lanes that have something waiting, or are held."""
        return await self.database.read(tables.lane_states)

    async def release_known(self, lane: str) -> None:
        """As ``release``; raises ``NotFound`` for a lane where nothing waits and that is not held."""
        if all(state.lane != lane for state in await self.lane_states()):
            raise NotFound("LANE", lane, by="name")
        await self.release(lane)

    async def health(self) -> Health:
        """How many deliveries wait and for how long; well as long as the storage can be asked."""
        count, oldest_ms, held = await self.database.read(tables.backlog)
        waiting = f"{count} deliveries wait"
        if oldest_ms is not None:
            waiting += f", the oldest for {max(0, self.clock.now_ms() - oldest_ms) // SECOND_MS} s"
        return Health(ok=True, detail=waiting + (f"; lanes that are held: {held}" if held else ""))

    # ---- life ---------------------------------------------------------------------------------------------------

    async def start(self, spawn: Callable[[Any, str], None]) -> None:
        """Begin to dispatch."""
        node = await asyncio.to_thread(self.node.open)
        self.leases.name(node)
        spawn(self._dispatch(node), "dispatcher")

    def pause(self) -> None:
        """The platform is about to stop: begin no attempt that those who serve orders could not end."""
        self.teller.close()
        self.lanes.pause()

    async def close(self) -> None:
        self.pause()
        try:
            await self.lanes.close()
        finally:
            self.node.close()

    async def clean_up(self) -> int:
        """Forget what ended before the retention, in small steps; returns how many."""
        before_ms = self.clock.now_ms() - round(self.settings.retention_s * SECOND_MS)
        count = 0
        while forgotten := await self.database.write(partial(tables.forget_outdated, before_ms, STEP)):
            count += forgotten
        return count

    async def _dispatch(self, node: str) -> None:
        await self._inherit(node)
        await self.lanes.run()

    async def _inherit(self, node: str) -> None:
        """Have the lanes of the process that died here. Only once: a copy of the data directory has the name too."""
        while True:
            try:
                return await self.database.write(partial(tables.inherit, node))
            except ApiError as error:
                self.log.warning("outbox_not_written", reason=error.message)
                await self.clock.sleep(RETRY_S)

    def _new(self) -> dict[str, Any]:
        return {"delivery_id": self._ids.new(), "created_ms": self.clock.now_ms()}


def _columns(order: Order, index: int) -> dict[str, Any]:
    """An order as it is kept; raises ``ValidationFailed``."""
    texts = {"lane": order.lane, "kind": order.kind}
    problems = [(f"orders[{index}].{name}", problem) for name, text in texts.items() if (problem := _problem(text))]
    payload = _payload(order.payload)
    if payload is None or len(payload) > PAYLOAD_MAX:
        problems.append((f"orders[{index}].payload", f"must be a JSON object of at most {PAYLOAD_MAX} bytes"))
    if order.expires_ms is not None and not 0 <= order.expires_ms <= MAX_MS:
        problems.append((f"orders[{index}].expires_ms", "must be milliseconds since 1970"))
    if payload is None or problems:
        raise ValidationFailed(*problems)
    return {
        **texts,
        "payload": payload.decode(),
        "subject": _line(order.subject),
        "cause": None if order.cause is None else _line(order.cause),
        "hops": order.hops,
        "expires_ms": order.expires_ms,
    }


def _payload(payload: Any) -> bytes | None:
    if not isinstance(payload, Mapping):
        return None
    try:
        return orjson.dumps(dict(payload))
    except TypeError:
        return None


def _problem(text: Any) -> str | None:
    if not isinstance(text, str) or not 0 < len(text) <= NAME_MAX:
        return f"must be text of 1 to {NAME_MAX} characters"
    return None if fields.clean(text) else "must not hold NUL or unpaired surrogates"


def _line(text: str) -> str:
    """One line that any database takes."""
    return " ".join(text.replace("\0", " ").split()).encode(errors="replace").decode()[:SUBJECT_MAX]
