"""Routes of messages."""

from __future__ import annotations

from typing import Any

from neomind_sdk import NewMessage, Reply, Request, Route, ValidationFailed

from . import views
from .board import Board
from .channels import Channels
from .errors import BadSeverity
from .models import (
    BODY_MAX,
    PAGE_MAX,
    BulkBody,
    Cleaned,
    CleanupBody,
    ListQuery,
    MessageDetail,
    MessagePage,
    MessageStats,
    Said,
    SendBody,
    Sent,
)
from .records import ACKNOWLEDGED, ARCHIVED, RESOLVED, Wanted
from .service import Messages, active
from .severities import severity_of

READ, WRITE = "messages:read", "messages:write"
STORING = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
ONE = ("BAD_REQUEST", "MESSAGE_NOT_FOUND", *STORING)
MANY = ("BAD_REQUEST", *STORING)
SENDING = (
    "The message is kept together with what its channels are to send; no channel is waited for. An alert of the same "
    "rule (`rule_id` in the metadata) and device (`device_id`) within a minute is kept and linked to the first in "
    "`repeat_of`, but not sent again. `channels` names those that get it, whatever their filters say."
)


async def list_messages(request: Request) -> Reply:
    query = request.query
    names = ("severity", "status", "category", "source_type", "search", "offset")
    limit = min(query.limit, PAGE_MAX)
    wanted = Wanted(**{name: getattr(query, name) for name in names}, limit=limit)
    page = await request.services[Messages].page(wanted)
    rows = [views.message_view(message, page.counts.get(message.id, {})) for message in page.messages]
    data = MessagePage(messages=rows, total=page.total, count=page.total, limit=limit, offset=query.offset)
    return Reply(data=data, meta={"count": len(rows), "pagination": paging(data)})


def paging(page: MessagePage) -> dict[str, Any]:
    return {
        "page": page.offset // page.limit + 1,
        "page_size": page.limit,
        "total_count": page.total,
        "total_pages": -(-page.total // page.limit),
        "has_next": page.offset + page.limit < page.total,
        "has_prev": page.offset > 0,
    }


async def send(request: Request) -> Sent:
    body: SendBody = request.body
    severity = severity_of(body.severity)
    if severity is None:
        raise BadSeverity(body.severity)
    check_channels(body.channels or [], request.services[Channels].names)
    new = NewMessage(
        title=body.title,
        message=body.message,
        severity=severity,
        category=body.category,
        source=body.source,
        source_type=body.source_type,
        metadata=body.metadata,
        tags=tuple(body.tags),
        channels=None if body.channels is None else tuple(body.channels),
    )
    message = (await request.services[Board].post(new)).message
    return Sent(id=message.id, repeat_of=message.repeat_of, message="Message created", message_zh="消息已创建")


def check_channels(names: list[str], known: frozenset[str]) -> None:
    problems = [(f"channels[{at}]", "there is no such channel") for at, name in enumerate(names) if name not in known]
    if problems:
        raise ValidationFailed(*problems[:100])


async def show(request: Request) -> MessageDetail:
    detail = await request.services[Messages].get(request.params["message_id"])
    return views.message_detail(detail.message, detail.notes)


async def delete(request: Request) -> Said:
    await request.services[Messages].delete(request.params["message_id"])
    return Said(message="Message deleted", message_zh="消息已删除")


def moving(status: str) -> Any:
    """The handler that brings one message into a status."""

    async def move(request: Request) -> dict[str, Any]:
        ident = request.params["message_id"]
        ident = await request.services[Messages].move(ident, status, request.principal.name)
        return {status: True, "message_id": ident}

    return move


def moving_all(status: str) -> Any:
    """The handler that brings many messages into a status."""

    async def move_all(request: Request) -> dict[str, int]:
        ids, by = request.body.message_ids, request.principal.name
        return {status: await request.services[Messages].move_all(ids, status, by)}

    return move_all


async def delete_all(request: Request) -> dict[str, int]:
    return {"deleted": await request.services[Messages].delete_all(request.body.message_ids)}


async def cleanup(request: Request) -> Cleaned:
    count = await request.services[Messages].clean(request.body.older_than_days)
    return Cleaned(cleaned=count, message=f"{count} messages deleted", message_zh=f"已删除 {count} 条消息")


async def stats(request: Request) -> MessageStats:
    found = await request.services[Messages].stats()
    return MessageStats(
        total=sum(found["status"].values()),
        active=active(found),
        by_category=dict(found["category"]),
        by_severity=dict(found["severity"]),
        by_status=dict(found["status"]),
    )


def routes() -> list[Route]:
    return [*of_all(), *of_one(), *of_many()]


def of_all() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/messages",
            handler=list_messages,
            scope=READ,
            summary="List messages, newest first",
            query=ListQuery,
            response=MessagePage,
            errors=STORING,
        ),
        Route(
            method="POST",
            path="/messages/send",
            handler=send,
            scope=WRITE,
            summary="Send a message",
            description=SENDING,
            body=SendBody,
            body_required=True,
            max_body=BODY_MAX,
            response=Sent,
            errors=("BAD_REQUEST", "VALIDATION_ERROR", *STORING),
        ),
        Route(
            method="GET",
            path="/messages/stats",
            handler=stats,
            scope=READ,
            summary="How many messages there are",
            response=MessageStats,
            errors=STORING,
        ),
        Route(
            method="POST",
            path="/messages/cleanup",
            handler=cleanup,
            scope=WRITE,
            summary="Delete messages by age",
            body=CleanupBody,
            body_required=True,
            response=Cleaned,
            errors=STORING,
        ),
    ]


def of_one() -> list[Route]:
    path = "/messages/{message_id}"
    verbs = {"acknowledge": ACKNOWLEDGED, "resolve": RESOLVED, "archive": ARCHIVED}
    shown = Route(
        method="GET",
        path=path,
        handler=show,
        scope=READ,
        summary="Show a message and what became of it in each channel",
        response=MessageDetail,
        errors=ONE,
    )
    deleted = Route(
        method="DELETE",
        path=path,
        handler=delete,
        scope=WRITE,
        summary="Delete a message",
        description="What is on its way is sent all the same.",
        response=Said,
        errors=ONE,
    )
    moved = [
        Route(
            method="POST",
            path=f"{path}/{verb}",
            handler=moving(status),
            scope=WRITE,
            summary=f"{verb.capitalize()} a message",
            response=dict[str, Any],
            errors=ONE,
        )
        for verb, status in verbs.items()
    ]
    return [shown, deleted, *moved]


def of_many() -> list[Route]:
    handlers = {
        "acknowledge": moving_all(ACKNOWLEDGED),
        "resolve": moving_all(RESOLVED),
        "delete": delete_all,
    }
    return [
        Route(
            method="POST",
            path=f"/messages/{verb}",
            handler=handler,
            scope=WRITE,
            summary=f"{verb.capitalize()} messages",
            description="Ids of messages that are not there are passed over.",
            body=BulkBody,
            body_required=True,
            response=dict[str, int],
            errors=MANY,
        )
        for verb, handler in handlers.items()
    ]
