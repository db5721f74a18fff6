"""The ASGI application: finds the route, lets in who may, reads, calls the handler, answers in the envelope."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any

import attrs

from ...contracts import PUBLIC, ApiError, AuthScheme, Clock, Credentials, Principal, Raw, Reply, Request, Unavailable
from ...contracts.fields import number
from . import envelope, openapi, reading, sockets
from .access import Gate
from .envelope import Answer
from .limiting import Limiter, network_of
from .routing import SOCKET, Bound, Found, RouteEntry, Router, check_route

__all__ = ["Api", "HttpConfig", "RouteEntry", "check_route"]

OPENAPI_PATH = b"/api/openapi.json"
NO_QUERY: dict[str, str] = {}


@attrs.frozen(kw_only=True)
class HttpConfig:
    """``cors_origins`` are the origins whose pages may call the API; none by default.

    ``requests_per_minute`` is a ceiling for each address over all routes, 0 = none (the storage pushes back by itself).
    ``body_idle_s`` is how long a client may pause while it sends a body. Answers of at least ``compress_from`` bytes
    are compressed for clients that ask for it. ``trusted_proxies`` are addresses whose ``X-Forwarded-For`` is believed.
    """

    cors_origins: list[str] = attrs.field(factory=list)
    trusted_proxies: list[str] = attrs.field(factory=list)
    requests_per_minute: int = number(ge=0, default=0)
    body_idle_s: float = number(ge=0.01, default=20.0)
    compress_from: int = number(ge=1, default=2048)


class Api:
    """Serves the routes of the enabled plugins; also the ``Authenticator`` service."""

    def __init__(self, config: HttpConfig, clock: Clock, log: Any) -> None:
        self._config = config
        self._clock = clock
        self._log = log
        self._gate = Gate(log)
        self._limiter = Limiter()
        self._router = Router()
        self._document: bytes | None = None
        self._app = _wrapped(self._serve, config)
        self.starting = True
        """While it is true, a path that nobody serves may still come: 503 instead of 404."""

    def set_routes(self, entries: Iterable[RouteEntry]) -> None:
        """Serve exactly these from the next request on."""
        self._router = Router(entries)
        self._document = None

    def set_schemes(self, schemes: Iterable[AuthScheme]) -> None:
        """Ask exactly these from the next request on."""
        self._gate.set_schemes(schemes)
        self._document = None

    async def identify(self, credentials: Credentials) -> Principal:
        return await self._gate.identify(credentials)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document of exactly the routes that are served."""
        return openapi.document(self._router, self._gate.schemes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = str(uuid.uuid4())
        try:
            answer = await self._answer(scope, receive, request_id)
        except ApiError as error:
            answer = envelope.failure(error, request_id=request_id)
        except reading.ClientGone:
            return
        except Exception:
            self._log.exception("request_failed", method=scope["method"], path=scope["path"], request_id=request_id)
            text = f"Something went wrong inside; the log has it under {request_id}"
            answer = envelope.failure(ApiError("INTERNAL_ERROR", text), request_id=request_id)
        await _send(answer, scope["method"] == "HEAD", receive, send)

    async def _answer(self, scope: Any, receive: Any, request_id: str) -> Answer:
        path = scope.get("raw_path") or scope["path"].encode()
        found = self._router.find(path.partition(b"?")[0])
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if found is None:
            return self._own(path, method) or self._unknown(scope)
        bound = found.methods.get(method)
        if bound is None:
            raise _wrong_method(scope["method"], found)
        async with asyncio.timeout(bound.route.deadline_s) as deadline:
            try:
                return await self._call(bound, found, scope, receive, request_id)
            except asyncio.CancelledError:
                if not deadline.expired():
                    raise
        raise ApiError("REQUEST_TIMEOUT", f"The request took over {bound.route.deadline_s:g} s")

    async def _call(self, bound: Bound, found: Found, scope: Any, receive: Any, request_id: str) -> Answer:
        request = await self._request(bound, found, scope, receive, request_id)
        result = await bound.route.handler(request)
        if isinstance(result, Raw):
            head = envelope.headers(result.media_type, result.headers)
            body = result.content if isinstance(result.content, bytes) else b""
            return Answer(result.status, head, body, None if isinstance(result.content, bytes) else result.content)
        reply = result if isinstance(result, Reply) else Reply(data=result)
        now_ms = self._clock.now_ms()
        return envelope.success(
            reply, bound.route.status, request_id=request_id, now_ms=now_ms, mirrored=bound.mirrored
        )

    async def _request(self, bound: Bound, found: Found, scope: Any, receive: Any, request_id: str) -> Request:
        route = bound.route
        headers, client = reading.headers_of(scope), reading.client_of(scope)
        self._count(bound, client, per="address")
        pairs = reading.query_pairs(scope["query_string"])
        principal = await self._admit(bound, headers, pairs, client)
        raw = b""
        if route.method != "GET":
            raw = await reading.body_of(receive, headers, route.max_body, self._config.body_idle_s)
            if raw:
                reading.check_media_type(route, headers)
        return Request(
            method=scope["method"],
            path=scope["path"],
            params=found.params(route),
            query=reading.query_of(route, pairs),
            headers=headers,
            client=client,
            services=bound.services,
            id=request_id,
            body=reading.parsed(route, raw),
            raw=raw,
            principal=principal,
            route=route,
        )

    async def _admit(self, bound: Bound, headers: Any, pairs: list[tuple[str, str]], client: str) -> Principal:
        route = bound.route
        if route.scope == PUBLIC and not route.identify:
            return await self._gate.admit(route, Credentials())
        query = dict(pairs) if route.query_credentials else NO_QUERY
        principal = await self._gate.admit(route, reading.credentials_of(headers, query, client))
        self._count(bound, f"{principal.kind}:{principal.id}", per="caller")
        return principal

    def _count(self, bound: Bound, client: str, *, per: str) -> None:
        limit = bound.route.limit
        if limit is not None and limit.per == per:
            self._limiter.hit(bound.route.name, limit, network_of(client) if per == "address" else client)

    def _own(self, path: bytes, method: str) -> Answer | None:
        if path != OPENAPI_PATH:
            return None
        if method != "GET":
            raise ApiError("METHOD_NOT_ALLOWED", "Only GET is served here", headers={"Allow": "GET"})
        if self._document is None:
            self._document = envelope.dumps(self.openapi())
        return Answer(200, envelope.headers("application/json", {}), self._document)

    def _unknown(self, scope: Any) -> Answer:
        if self.starting:
            raise Unavailable("The platform is starting", retry_after=1)
        raise ApiError("NOT_FOUND", f"There is nothing at {scope['path']}")

    async def _socket(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = str(uuid.uuid4())
        found = self._router.find(scope.get("raw_path") or scope["path"].encode())
        bound = found.methods.get(SOCKET) if found else None
        if found is None or bound is None:
            error = ApiError("NOT_FOUND", f"There is no WebSocket at {scope['path']}")
            await sockets.refuse(error, request_id, scope, receive, send)
            return
        await sockets.serve(bound, found, request_id, self._log, scope, receive, send)


def _wrong_method(method: str, found: Found) -> ApiError:
    allowed = ", ".join(sorted(found.methods.keys() - {SOCKET}))
    served = f"{allowed} is" if allowed else "only a WebSocket is"
    return ApiError("METHOD_NOT_ALLOWED", f"{method} is not served here; {served}", headers={"Allow": allowed})


def _wrapped(app: Any, config: HttpConfig) -> Any:
    """What every answer passes on its way out; nothing of it costs a request that does not ask for it much."""
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    app = GZipMiddleware(app, minimum_size=config.compress_from, compresslevel=5)
    if config.cors_origins:
        every = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        app = CORSMiddleware(app, allow_origins=config.cors_origins, allow_methods=every, allow_headers=("*",))
    return app


async def _send(answer: Answer, head_only: bool, receive: Any, send: Any) -> None:
    if answer.stream is not None:
        await _stream(answer, head_only, receive, send)
        return
    length = (b"content-length", b"%d" % len(answer.body))
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
    await send({"type": "http.response.body", "body": b"" if head_only else answer.body})


async def _stream(answer: Answer, head_only: bool, receive: Any, send: Any) -> None:
    """Send a stream until it ends or the client goes."""
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    if not head_only:
        pump = asyncio.ensure_future(_pump(answer.stream, send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)
            await _closed(answer.stream)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _pump(stream: Any, send: Any) -> None:
    async for chunk in stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _closed(stream: Any) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
