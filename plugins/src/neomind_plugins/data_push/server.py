"""What the outbox calls to deliver, and how often it is tried."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import attrs

from neomind_sdk import (
    ApiError,
    Clock,
    Database,
    Delivery,
    DeliveryRecord,
    ImageFiles,
    Logger,
    Order,
    OrderServer,
    PushPayload,
    SendTools,
)
from neomind_sdk.attempts import attempt

from . import tables
from .configs import Configs
from .records import DEAD, RESENT, Retry, Target

ATTEMPT_S = 150.0
ASKED_MAX_S = 600.0
BODY_MAX = 10 * 1024 * 1024
DELETED = "the target was deleted"
STOPPED = "the target is stopped"
GONE = "the receiver says that it is gone for ever (HTTP 410)"


@attrs.frozen(kw_only=True)
class PushServer(OrderServer):
    """Makes one attempt at an order; a target that cannot be served now has its orders wait.

    ``gone`` stops a target for good, if it still is as it was tried, and returns whether it is; ``ended`` is told
    that a delivery of a target has come to its end.
    """

    database: Database
    clock: Clock
    configs: Configs
    images: Callable[[], ImageFiles | None]
    gone: Callable[[Target, str], Awaitable[bool]]
    ended: Callable[[str], None]
    log: Logger

    async def deliver(self, order: Order, tools: SendTools) -> Delivery:
        """See ``OrderServer``."""
        target = await self.database.read(partial(tables.get, order.payload["target"]))
        if target is None:
            return Delivery(ok=False, detail=DELETED, retry=False)
        if not target.enabled:
            raise LookupError(target.trouble or STOPPED)
        if problem := order.payload.get("problem"):
            return Delivery(ok=False, detail=problem, retry=False)
        ready, payload = self.configs.ready(target), await self._payload(order)
        delivery = await attempt(ready, lambda: ready.kind.deliver(ready.config, payload, tools), ATTEMPT_S)
        if delivery.gone and not await self.gone(target, GONE):
            delivery = attrs.evolve(delivery, gone=False, retry=True)  # the next attempt is at what the target is now
        return again(delivery, target.retry, tools.attempt)

    async def settled(self, record: DeliveryRecord) -> None:
        """Count what came of it."""
        target_id, now_ms = record.order.payload["target"], self.clock.now_ms()
        await self.database.write(partial(tables.settle, target_id, record.delivery_id, record.state, now_ms))
        self.ended(target_id)
        if record.state == DEAD:
            self.log.warning("push_failed", target=target_id, attempts=record.attempts, reason=record.detail)

    async def _payload(self, order: Order) -> PushPayload:
        body = await self._with_images(order.payload["body"], order.payload.get("images", ()))
        marks = (RESENT,) if order.payload.get(RESENT) else ()
        return PushPayload(body=body.encode(), sources=(*order.payload["sources"], *marks), hops=order.hops)

    async def _with_images(self, body: str, addresses: Sequence[str]) -> str:
        """The body with pictures in the place of their addresses, as far as they are there and there is room."""
        files = self.images() if addresses else None
        for address in addresses if files is not None else ():
            device, metric, file = address.split("/")[3:]
            try:
                content, media_type = await files.read(device, metric, file)  # type: ignore[union-attr]
            except ApiError:
                continue
            picture = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
            if len(body) + len(picture) * body.count(address) <= BODY_MAX:
                body = body.replace(address, picture)
        return body


def again(delivery: Delivery, retry: Retry, attempt: int) -> Delivery:
    """What the target's own settings make of a failure: when it is tried again, or that it is not."""
    if delivery.ok or delivery.gone or not delivery.retry:
        return delivery
    if attempt > retry.max_retries:
        times = "once" if attempt == 1 else f"{attempt} times"
        return attrs.evolve(delivery, retry=False, detail=f"{delivery.detail}, tried {times}")
    if delivery.retry_after is not None:
        return attrs.evolve(delivery, retry_after=min(delivery.retry_after, ASKED_MAX_S))
    doubled = retry.backoff_secs * 2.0 ** min(attempt - 1, 40)
    return attrs.evolve(delivery, retry_after=min(doubled, retry.max_backoff_secs))
