"""Routes of realtime: three ways at one path."""

from __future__ import annotations

from collections.abc import AsyncIterator

from neomind_sdk import AUTHENTICATED, MIB, EventBus, Raw, Request, Route, SocketRoute

from . import logins, sockets
from .filters import compile_filter
from .models import PublishBody, Published, StreamQuery
from .publishing import publish
from .service import Hub
from .streams import Caller, Stream
from .wires import SSE, SSE_NAMED

PATH = "/events"
STREAM = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HELLO = b": connected\n\n"


async def open_stream(request: Request) -> Raw:
    if request.method == "HEAD":
        return Raw(content=b"", media_type=STREAM, headers=HEADERS)
    hub, query = request.services[Hub], request.query
    shown = {name: value for name in ("token", "api_key") if (value := getattr(query, name)) is not None}
    wanted = compile_filter(request.principal, query.category, query.event_type)
    stream = hub.join(
        Caller(request.principal, logins.credentials(request, shown)),
        SSE_NAMED if query.named else SSE,
        wanted,
        answers=False,
        resume=request.headers.get("last-event-id") or query.last_event_id,
        hello=(HELLO,),
    )
    return Raw(content=frames(hub, stream), media_type=STREAM, headers=HEADERS)


async def frames(hub: Hub, stream: Stream) -> AsyncIterator[bytes]:
    """What goes out, until the stream ends or its client goes.

    When nobody asks for the first frame, nothing here runs: then the hub cuts the stream like one that stalls.
    """
    try:
        while (payload := await stream.outbox.take()) is not None:
            yield payload
    finally:
        hub.leave(stream)


async def publish_event(request: Request) -> Published:
    return publish(request.services[EventBus], request.body, len(request.raw))


def routes() -> list[Route | SocketRoute]:
    return [
        Route(
            method="GET",
            path=PATH,
            handler=open_stream,
            scope=AUTHENTICATED,
            summary="Stream events as server-sent events",
            description=(
                "Each event is a frame with `id:` and `data:`, the JSON that the WebSocket at this path sends too. "
                "Only events of areas that the caller may read are sent. After a reconnect, `Last-Event-ID` brings "
                "what was missed, or a frame of the type `Gap` that says that some of it is gone. "
                '`{"type":"Lagged","dropped":n}` says that the client read too slowly.'
            ),
            query=StreamQuery,
            query_credentials=True,
            callers=logins.KINDS,
            errors=("RATE_LIMITED", "SERVICE_UNAVAILABLE"),
            produces=STREAM,
        ),
        SocketRoute(
            path=PATH,
            handler=sockets.serve,
            scope=AUTHENTICATED,
            summary="Stream events over a WebSocket",
        ),
        Route(
            method="POST",
            path=PATH,
            handler=publish_event,
            scope="events:write",
            summary="Publish an event of a name of your own",
            description="It reaches all streams as an event of the type `Custom`.",
            body=PublishBody,
            body_required=True,
            response=Published,
            errors=("BAD_REQUEST", "VALIDATION_ERROR"),
            max_body=2 * MIB,
        ),
    ]
