"""Hosts that serve a few routes, clients of all sorts, and requests no client library would send."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import structlog.testing

from neomind_sdk import AuthScheme, Plugin, Principal, Rejection, Route, hookimpl
from neomind_sdk.testing import make_host


@attrs.frozen
class Told:
    """What the application sent as the answer to one request."""

    messages: list[dict[str, Any]]

    @property
    def status(self) -> int:
        return self.messages[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.body)["error"]

    @property
    def complete(self) -> bool:
        return len(self.messages) > 1 and not self.messages[-1].get("more_body")


class Edge:
    """Makes plugins and hosts, and speaks ASGI by hand."""

    def plugin(self, *routes: Any, schemes: Iterable[AuthScheme] = (), name: str = "trial", **more: Any) -> Plugin:
        class Hooks:
            @hookimpl
            def neomind_routes(self, ctx: Any) -> list[Any]:
                return list(routes)

            @hookimpl
            def neomind_auth_schemes(self, ctx: Any) -> list[AuthScheme]:
                return list(schemes)

        return Plugin(name=name, summary="Serves what a test wants.", hooks=Hooks(), **more)

    def route(self, handler: Any = None, **more: Any) -> Route:
        defaults = {"method": "GET", "path": "/trial", "scope": "public", "summary": "A trial"}
        return Route(handler=handler or echo, **{**defaults, **more})

    @asynccontextmanager
    async def serving(self, *routes: Any, schemes: Iterable[AuthScheme] = (), **more: Any) -> AsyncIterator[Any]:
        async with make_host(self.plugin(*routes, schemes=schemes), **more) as host:
            yield host

    def scope(self, method: str = "GET", path: str = "/api/trial", **more: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
            "client": ("127.0.0.1", 40_000),
            **more,
        }

    async def tell(self, host: Any, scope: dict[str, Any], *chunks: bytes, receive: Any = None) -> Told:
        """One request in ASGI messages; after ``chunks`` the client goes, unless ``receive`` is given."""
        waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        if waiting:
            waiting[-1]["more_body"] = False
        messages: list[dict[str, Any]] = []

        async def receive_next() -> dict[str, Any]:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        await host.host.api(scope, receive or receive_next, send)
        return Told(messages)


async def echo(request: Any) -> dict[str, Any]:
    """What a handler was given."""
    return {
        "method": request.method,
        "params": dict(request.params),
        "query": request.query,
        "body": request.body,
        "raw": request.raw.decode("latin-1"),
        "who": request.principal.name,
    }


class Scheme:
    """An auth scheme that answers what it is told to, and remembers what it was asked."""

    def __init__(self, name: str, priority: int, answer: Any) -> None:
        self.name, self.priority, self.answer = name, priority, answer
        self.openapi = {"type": "http", "scheme": "bearer"}
        self.asked: list[Any] = []

    async def authenticate(self, credentials: Any) -> Principal | Rejection | None:
        self.asked.append(credentials)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
def scheme() -> type[Scheme]:
    return Scheme


@pytest.fixture
def logged() -> Any:
    """The log's events."""
    with structlog.testing.capture_logs() as events:
        yield events


@pytest.fixture
def answered() -> Any:
    """``(status, code of the error or None)`` of an answer, which must be in the envelope."""

    def read(answer: Any) -> tuple[int, str | None]:
        body = answer.json()
        assert answer.headers["content-type"] == "application/json"
        if body["success"]:
            assert set(body) >= {"success", "meta"}
            assert "error" not in body
            return answer.status_code, None
        assert set(body) == {"success", "error"}
        assert set(body["error"]) <= {"code", "message", "request_id", "hint", "details"}
        assert body["error"]["request_id"]
        assert body["error"]["message"]
        return answer.status_code, body["error"]["code"]

    return read
