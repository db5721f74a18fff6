"""Routes of the outbox. They are ours: the reference has none for what it sends."""

from __future__ import annotations

from neomind_sdk import ADMIN, Reply, Request, Route

from . import views
from .models import DeliveryDetail, DeliveryList, DeliveryView, Done, LaneList, ListQuery
from .records import Filter
from .service import DurableOutbox

STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
LISTING = (
    "Everything that was sent or is to be sent, newest first, as far back as the log is kept. A delivery is `pending`, "
    "`delivered` or `dead`; what came of its latest attempt is in `detail`."
)


async def list_deliveries(request: Request) -> Reply:
    asked: ListQuery = request.query
    chosen = Filter(lane=asked.lane, kind=asked.kind, state=asked.state)
    records, total = await request.services[DurableOutbox].page(chosen, asked.limit, asked.offset)
    rows = [views.view(record) for record in records]
    paging = {"limit": asked.limit, "offset": asked.offset, "total": total}
    data = DeliveryList(deliveries=rows, count=len(rows), total=total)
    return Reply(data=data, meta={"count": len(rows), "pagination": paging})


async def show_delivery(request: Request) -> DeliveryDetail:
    return views.detail(*await request.services[DurableOutbox].detail(request.params["delivery_id"]))


async def resend(request: Request) -> DeliveryView:
    return views.view(await request.services[DurableOutbox].resend(request.params["delivery_id"]))


async def list_lanes(request: Request) -> Reply:
    rows = [views.lane_view(state) for state in await request.services[DurableOutbox].lane_states()]
    return Reply(data=LaneList(lanes=rows, count=len(rows)), meta={"count": len(rows)})


async def release(request: Request) -> Done:
    lane = request.params["lane"]
    await request.services[DurableOutbox].release_known(lane)
    return Done(message=f"What waits in the lane '{lane}' is being delivered")


def routes() -> list[Route]:
    return [*reading(), *changing()]


def reading() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/outbox",
            handler=list_deliveries,
            scope="outbox:read",
            summary="List deliveries",
            description=LISTING,
            query=ListQuery,
            response=DeliveryList,
            errors=("SERVICE_UNAVAILABLE",),
        ),
        Route(
            method="GET",
            path="/outbox/{delivery_id}",
            handler=show_delivery,
            scope="outbox:read",
            summary="Show a delivery, what it delivers, and its attempts",
            response=DeliveryDetail,
            errors=("DELIVERY_NOT_FOUND", "SERVICE_UNAVAILABLE"),
        ),
        Route(
            method="GET",
            path="/outbox/lanes",
            handler=list_lanes,
            scope="outbox:read",
            summary="List the lanes in which something waits, or that are held",
            description="There is a lane per target. `held` says why one stands still, e.g. a target that is gone.",
            response=LaneList,
            errors=("SERVICE_UNAVAILABLE",),
        ),
    ]


def changing() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/outbox/{delivery_id}/resend",
            handler=resend,
            scope=ADMIN,
            summary="Send a dead delivery again, under its id, at the end of its lane",
            response=DeliveryView,
            errors=("DELIVERY_NOT_FOUND", "CONFLICT", *STORAGE_ERRORS),
        ),
        Route(
            method="POST",
            path="/outbox/lanes/{lane}/release",
            handler=release,
            scope=ADMIN,
            summary="Let a lane that is held, or waits, go on at once",
            response=Done,
            errors=("LANE_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]
