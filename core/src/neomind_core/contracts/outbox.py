"""What leaves the house: durable deliveries, one lane per target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs

from .channels import Delivery, SendTools


@attrs.frozen(kw_only=True)
class Order:
    """Something to deliver to one target.

    ``lane``       the target: ``channel:<id>``, ``push:<id>``; within a lane order is kept, lanes do not wait for
                   each other
    ``kind``       whose it is: the name under which a plugin serves its orders
    ``payload``    a JSON object, at most 256 KiB; secrets are not put in here, the target's configuration has them
    ``subject``    what people read in the log, one line
    ``hops``       as in events
    ``expires_ms`` after which it is not tried any more (epoch milliseconds); ``None``: the setting's time
    """

    lane: str
    kind: str
    payload: Mapping[str, Any]
    subject: str = ""
    cause: str | None = None
    hops: int = 0
    expires_ms: int | None = None


DELIVERY_STATES = ("pending", "delivered", "dead")


@attrs.frozen(kw_only=True)
class DeliveryRecord:
    """A delivery as it is now. ``attempts`` were made; ``detail`` is what came of the last one, never a secret."""

    delivery_id: str
    order: Order
    state: str
    attempts: int
    created_ms: int
    next_ms: int | None = None
    finished_ms: int | None = None
    detail: str = ""


class OrderServer(Protocol):
    """Makes one attempt at an order, as ``ChannelType.send`` does: it never retries and never sleeps.

    Raises ``LookupError`` with one sentence while the target cannot be served at all (its type is not installed): the
    lane waits and nothing is counted as an attempt. Any other exception is a failed attempt that may be retried.
    """

    async def deliver(self, order: Order, tools: SendTools) -> Delivery: ...

    async def settled(self, record: DeliveryRecord) -> None:
        """The order came to its end: delivered, or dead. Called at least once, also after a restart."""
        ...


@runtime_checkable
class Outbox(Protocol):
    """Keeps orders until they are delivered; restarts and ``kill -9`` lose nothing.

    A delivery keeps its id over all attempts, so a receiver can tell a repetition; at most one is made for what was
    delivered while the platform died.
    """

    def put(self, orders: Sequence[Order]) -> Sequence[str]:
        """Write orders; called inside ``await db.write(work)``, in the transaction of their cause. Returns their ids.

        They are dispatched once the transaction has committed; ``wake`` makes that at once.
        """
        ...

    def wake(self) -> None:
        """Call after the transaction: there is something to dispatch. Never blocks."""
        ...

    def serve(self, kind: str, server: OrderServer) -> None:
        """From now on ``server`` delivers the orders of a kind; those of kinds that nobody serves wait."""
        ...

    async def of_lane(
        self, lane: str, *, state: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Sequence[DeliveryRecord], int]:
        """Deliveries of a lane, newest first, and how many there are."""
        ...

    async def get(self, delivery_ids: Sequence[str]) -> Mapping[str, DeliveryRecord]:
        """Those of the deliveries that are still known."""
        ...

    async def resend(self, delivery_id: str) -> DeliveryRecord:
        """Try a dead delivery again, under its id; raises ``NotFound`` and ``Conflict`` when it is not dead."""
        ...

    async def hold(self, lane: str, reason: str) -> None:
        """Stop a lane; what waits stays. A lane whose target is gone (HTTP 410) is held by the outbox itself."""
        ...

    async def release(self, lane: str) -> None:
        """Let a held lane go on, at once."""
        ...

    async def held(self) -> Mapping[str, str]:
        """The lanes that are held, and why."""
        ...

    async def drop_lane(self, lane: str) -> int:
        """The target was deleted: forget what waits for it; returns how many."""
        ...
