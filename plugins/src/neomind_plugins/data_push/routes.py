"""Routes of data push."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from neomind_sdk import Reply, Request, Route

from . import views
from .history import History
from .kinds import Kinds
from .models import (
    DeliveryLog,
    LogList,
    LogQuery,
    PushStats,
    ResendBody,
    Resent,
    TargetBody,
    TargetChange,
    TargetCreated,
    TargetList,
    TargetQuery,
    TargetSaved,
    TargetView,
    Told,
    TypeList,
)
from .records import Target
from .service import Change, Targets
from .stats import Numbers

READ, WRITE = "push:read", "push:write"
PATH = "/data-push/{target_id}"
STORING = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
NAMED = ("PUSH_TARGET_NOT_FOUND", *STORING)
CONFIGURED = ("BAD_REQUEST", "CONFLICT", "EGRESS_BLOCKED", "VALIDATION_ERROR")
CREATING = (
    "Values whose source fits one of `source_patterns` are sent: each as it is stored, in batches, or all of "
    "an interval together. A target that is enabled begins at once. 400 for a configuration or template that cannot be "
    "used, and for what would feed itself. Secrets are never shown."
)
RESENDING = (
    "What is stored of the range is queued behind what waits, source by source, from the oldest value on, as the "
    "target is set; batches say `resend: true`. 400 for a range that makes no sense or has too many values."
)


async def shown(request: Request, found: Sequence[Target]) -> list[TargetView]:
    targets = request.services[Targets]
    reasons, show = await targets.reasons(found), targets.parts.configs.shown
    return [views.target_view(one, show(one), reason) for one, reason in zip(found, reasons, strict=True)]


async def list_targets(request: Request) -> Reply:
    wanted = request.query.enabled
    found = [one for one in await request.services[Targets].all() if wanted in (None, one.enabled)]
    rows = await shown(request, found)
    return Reply(data=TargetList(targets=rows, total=len(rows)), meta={"count": len(rows)})


async def create(request: Request) -> TargetCreated:
    target = await request.services[Targets].create(views.change_of(request.body))
    return TargetCreated(id=target.id, name=target.name, target_type=target.target_type, enabled=target.enabled)


async def show(request: Request) -> TargetView:
    target = await request.services[Targets].get(request.params["target_id"])
    return (await shown(request, [target]))[0]


async def update(request: Request) -> TargetSaved:
    targets = request.services[Targets]
    target = await targets.update(request.params["target_id"], views.change_of(request.body))
    return TargetSaved(id=target.id, name=target.name, enabled=target.enabled)


async def delete(request: Request) -> Told:
    await request.services[Targets].delete(request.params["target_id"])
    return Told(message="Push target deleted")


async def start(request: Request) -> Told:
    await request.services[Targets].update(request.params["target_id"], Change(enabled=True))
    return Told(message="Push target started")


async def stop(request: Request) -> Told:
    await request.services[Targets].update(request.params["target_id"], Change(enabled=False))
    return Told(message="Push target stopped")


async def test(request: Request) -> DeliveryLog:
    return views.trial_view(await request.services[History].test(request.params["target_id"]))


async def logs(request: Request) -> Reply:
    target_id, query = request.params["target_id"], request.query
    found, total = await request.services[History].logs(target_id, query.limit, query.offset)
    rows = [views.log_view(target_id, one) for one in found]
    return Reply(data=LogList(logs=rows, total=total), meta={"count": len(rows)})


async def resend(request: Request) -> Resent:
    body = request.body
    again = await request.services[History].resend(request.params["target_id"], body.start, body.end)
    return Resent(message=f"{again.samples} values are sent again", **attrs.asdict(again))


async def stats(request: Request) -> PushStats:
    return await request.services[Numbers].stats()


async def types(request: Request) -> TypeList:
    kinds = request.services[Kinds]
    rows = [views.type_view(kind, kinds.schema(kind) or {}) for _, kind in kinds.all()]
    return TypeList(types=rows, total=len(rows))


def routes() -> list[Route]:
    return [*of_all(), *of_one(), *of_switches(), *of_history()]


def of_all() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/data-push",
            handler=list_targets,
            scope=READ,
            summary="List push targets",
            query=TargetQuery,
            response=TargetList,
            errors=STORING,
        ),
        Route(
            method="POST",
            path="/data-push",
            handler=create,
            scope=WRITE,
            summary="Add a push target",
            description=CREATING,
            body=TargetBody,
            body_required=True,
            response=TargetCreated,
            errors=(*CONFIGURED, *STORING),
        ),
        Route(
            method="GET",
            path="/data-push/stats",
            handler=stats,
            scope=READ,
            summary="What became of deliveries",
            response=PushStats,
            errors=STORING,
        ),
        Route(
            method="GET",
            path="/data-push/types",
            handler=types,
            scope=READ,
            summary="The types of push targets that are installed, and how they are configured",
            response=TypeList,
        ),
    ]


def of_one() -> list[Route]:
    return [
        Route(
            method="GET",
            path=PATH,
            handler=show,
            scope=READ,
            summary="Show a push target",
            response=TargetView,
            errors=NAMED,
        ),
        Route(
            method="PUT",
            path=PATH,
            handler=update,
            scope=WRITE,
            summary="Change a push target",
            description="Any part of it. What waits for its batch is sent as it was, what waits in the queue as it is.",
            body=TargetChange,
            body_required=True,
            response=TargetSaved,
            errors=(*CONFIGURED, *NAMED),
        ),
        Route(
            method="DELETE",
            path=PATH,
            handler=delete,
            scope=WRITE,
            summary="Delete a push target",
            description="What waits for it is not sent any more.",
            response=Told,
            errors=NAMED,
        ),
    ]


def of_switches() -> list[Route]:
    return [
        Route(
            method="POST",
            path=f"{PATH}/start",
            handler=start,
            scope=WRITE,
            summary="Start a push target",
            description="What waits for it is tried at once.",
            response=Told,
            errors=NAMED,
        ),
        Route(
            method="POST",
            path=f"{PATH}/stop",
            handler=stop,
            scope=WRITE,
            summary="Stop a push target",
            description="What waits for it stays, and is sent when it is started again.",
            response=Told,
            errors=NAMED,
        ),
    ]


def of_history() -> list[Route]:
    return [
        Route(
            method="POST",
            path=f"{PATH}/test",
            handler=test,
            scope=WRITE,
            summary="Send one value right now",
            description="The newest one that fits, or a sample. A target that does not get it is `status: failed`.",
            response=DeliveryLog,
            errors=NAMED,
        ),
        Route(
            method="GET",
            path=f"{PATH}/logs",
            handler=logs,
            scope=READ,
            summary="Deliveries to a push target, newest first",
            query=LogQuery,
            response=LogList,
            errors=NAMED,
        ),
        Route(
            method="POST",
            path=f"{PATH}/resend",
            handler=resend,
            scope=WRITE,
            summary="Send stored values of a past range of time again",
            description=RESENDING,
            body=ResendBody,
            body_required=True,
            response=Resent,
            errors=("BAD_REQUEST", *NAMED),
        ),
    ]
