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
    EgressBlocked,
    EgressFailed,
    ImageFiles,
    Logger,
    Order,
    OrderServer,
    PushPayload,
    PushTargetType,
    SendTools,
)
from neomind_sdk.foreign import ForeignError, call
from neomind_sdk.kinds import Ready
from neomind_sdk.masks import scrubbed
from neomind_sdk.public import public

from . import tables
from .configs import Configs
from .records import DEAD, RESENT, Retry

ATTEMPT_S = 150.0
ASKED_MAX_S = 600.0
BODY_MAX = 10 * 1024 * 1024
DETAIL_MAX = 500
DELETED = "the target was deleted"
STOPPED = "the target is stopped"
GONE = "the receiver says that it is gone for ever (HTTP 410)"


@attrs.frozen(kw_only=True)
class PushServer(OrderServer):
    """Makes one attempt at an order; a target that cannot be served now has its orders wait.

    ``gone`` stops a target for good; ``ended`` is told that a delivery of a target has come to its end.
    """

    database: Database
    clock: Clock
    configs: Configs
    images: Callable[[], ImageFiles | None]
    gone: Callable[[str, str], Awaitable[None]]
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
        ready = self.configs.ready(target)
        delivery = await attempt(ready, await self._payload(order), tools, ATTEMPT_S)
        if delivery.gone:
            await self.gone(target.id, GONE)
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


async def attempt(ready: Ready[PushTargetType], payload: PushPayload, tools: SendTools, limit_s: float) -> Delivery:
    """What came of it. Never raises for what the type does, and its detail shows no secret of the configuration."""
    try:
        delivery = await call(lambda: ready.kind.deliver(ready.config, payload, tools), limit_s)
    except ForeignError as failed:
        delivery = Delivery(ok=False, detail=sentence(failed))
    if not isinstance(delivery, Delivery):
        delivery = Delivery(ok=False, detail=f"'{ready.kind.name}' returned a {type(delivery).__name__}, no Delivery")
    detail = " ".join(scrubbed(delivery.detail, ready.secrets).split())
    return attrs.evolve(delivery, detail=detail[:DETAIL_MAX])


def sentence(failed: ForeignError) -> str:
    """Egress speaks in sentences; what else is raised is named, without the paths of this machine."""
    spoken = isinstance(failed.error, EgressBlocked | EgressFailed)
    return str(failed.error) if spoken else public(str(failed))


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
