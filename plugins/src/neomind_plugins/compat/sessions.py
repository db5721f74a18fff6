"""Chat sessions, as far as clients want them to be there: none is kept."""

from __future__ import annotations

import uuid
from typing import Any

from neomind_sdk import AUTHENTICATED, Clock, Reply, Request, Route

from .chat import UNAVAILABLE
from .models import SessionsQuery

ONE = "/sessions/{session_id}"


async def listed(request: Request) -> Reply:
    page, size = request.query.page, request.query.page_size
    totals = {"page": page, "page_size": size, "total_count": 0, "total_pages": 0}
    return Reply(data=[], meta={"count": 0, "pagination": {**totals, "has_next": False, "has_prev": False}})


async def created(_request: Request) -> dict[str, str]:
    return {"sessionId": str(uuid.uuid4())}


async def shown(request: Request) -> dict[str, Any]:
    ident, now_s = request.params["session_id"], request.services[Clock].now_ms() // 1000
    state = {"id": ident, "created_at": now_s, "last_activity": now_s, "message_count": 0}
    return {"sessionId": ident, "state": state}


async def changed(request: Request) -> dict[str, Any]:
    return {"sessionId": request.params["session_id"], "updated": False}


async def deleted(request: Request) -> dict[str, Any]:
    return {"sessionId": request.params["session_id"], "deleted": False}


async def history(_request: Request) -> dict[str, Any]:
    return {"messages": [], "count": 0}


async def pending(request: Request) -> dict[str, Any]:
    return {"hasPending": False, "sessionId": request.params["session_id"]}


async def cleared(request: Request) -> dict[str, Any]:
    return {"cleared": False, "sessionId": request.params["session_id"]}


async def cleaned(_request: Request) -> dict[str, Any]:
    return {"cleaned": 0, "message": "No session is kept"}


async def asked(request: Request) -> dict[str, Any]:
    ident = request.params["session_id"]
    return {"response": UNAVAILABLE, "sessionId": ident, "toolsUsed": [], "processingTimeMs": 0}


def routes() -> list[Route]:
    rows: list[tuple[str, str, Any, str, Any]] = [
        ("POST", "/sessions", created, "Begin a chat session", None),
        ("POST", "/sessions/cleanup", cleaned, "Delete empty chat sessions", None),
        ("GET", ONE, shown, "Show a chat session", None),
        ("PUT", ONE, changed, "Name a chat session", None),
        ("DELETE", ONE, deleted, "Delete a chat session", None),
        ("GET", f"{ONE}/history", history, "List the messages of a chat session", None),
        ("GET", f"{ONE}/pending", pending, "Show the answer that a chat session waits for", None),
        ("DELETE", f"{ONE}/pending", cleared, "Forget the answer that a chat session waits for", None),
        ("POST", f"{ONE}/chat", asked, "Say something in a chat session", None),
        ("GET", "/sessions", listed, "List chat sessions", SessionsQuery),
    ]
    return [
        Route(method=method, path=path, handler=handler, scope=AUTHENTICATED, summary=summary, query=query)
        for method, path, handler, summary, query in rows
    ]
