"""The ASGI application: finds the route, lets in who may, reads, calls the handler, answers in the envelope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from ...contracts import (
    ANONYMOUS,
    PUBLIC,
    ApiError,
    AuthScheme,
    Clock,
    Credentials,
    Principal,
    RateLimit,
    Raw,
    Reply,
    Request,
    Unavailable,
)
from ...contracts.fields import number
from ..threads import contain
from . import envelope, openapi, reading, sockets
from .access import Gate
from .deadlines import Deadlines, Expired
from .envelope import Answer
from .limiting import Limiter, network_of
from .routing import SOCKET, Bound, Found, RouteEntry, Router, check_route
from .sending import Sender

__all__ = ["Api", "HttpConfig", "RouteEntry", "check_route"]

OPENAPI_PATH = b"/api/openapi.json"
EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
EXPOSED = ("Retry-After", "Allow", "Content-Disposition")
NO_QUERY: dict[str, str] = {}
NO_CREDENTIALS = Credentials()


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
        self._limiter = Limiter(clock)
        self._idle_s = config.body_idle_s
        self._within: Any = Deadlines().within
        self._ceiling = RateLimit(hits=config.requests_per_minute) if config.requests_per_minute else None
        self._sender = Sender(config.compress_from, log)
        self._router = Router()
        self._document: bytes | None = None
        self._cors = _with_cors(self._serve, config.cors_origins)
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
        return openapi.document(self._router, self._gate.schemes, self._log, limited=self._ceiling is not None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and self._cors is None:
            await self._http(scope, receive, send)
        else:
            await (self._cors or self._serve)(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = envelope.new_id()
        try:
            answer = await self._answer(scope, receive, request_id)
        except ApiError as error:
            answer = envelope.refused(error, request_id, self._log)
        except reading.ClientGone:
            return
        except Exception:
            self._log.exception("request_failed", method=scope["method"], path=scope["path"], request_id=request_id)
            answer = envelope.failure(envelope.internal(request_id), request_id=request_id)
        await self._sender.send(answer, scope, receive, send)

    async def _answer(self, scope: Any, receive: Any, request_id: str) -> Answer:
        if self._ceiling is not None:
            self._count_all(scope)
        path = reading.path_of(scope)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        found = self._router.find(path)
        if found is None and path == OPENAPI_PATH:
            return self._describe(method)
        bound = self._bound(found, method, scope)
        limit_s = bound.route.deadline_s
        try:
            answer: Answer = await self._within(limit_s, self._call(bound, found, scope, receive, request_id))
        except Expired:
            raise ApiError("REQUEST_TIMEOUT", f"The request took over {limit_s:g} s") from None
        return answer

    def _bound(self, found: Found | None, method: str, scope: Any) -> Bound:
        bound = found.methods.get(method) if found else None
        if bound is not None:
            return bound
        if self.starting:
            raise Unavailable("The platform is starting", retry_after=1)
        if found is None or method == SOCKET:
            what = "no WebSocket" if method == SOCKET else "nothing"
            raise ApiError("NOT_FOUND", f"There is {what} at {scope['path']}")
        raise _wrong_method(scope["method"], found)

    async def _call(self, bound: Bound, found: Any, scope: Any, receive: Any, request_id: str) -> Answer:
        request = await self._request(bound, found, scope, receive, request_id)
        result = await contain(bound.route.handler(request))
        if isinstance(result, Raw):
            return envelope.outside(result)
        reply = result if isinstance(result, Reply) else Reply(data=result)
        now_ms = self._clock.now_ms()
        return envelope.success(
            reply, bound.route.status, request_id=request_id, now_ms=now_ms, mirrored=bound.mirrored
        )

    async def _request(self, bound: Bound, found: Found, scope: Any, receive: Any, request_id: str) -> Request:
        route = bound.route
        headers, client = reading.headers_of(scope), reading.client_of(scope)
        pairs = reading.query_pairs(scope["query_string"])
        principal = ANONYMOUS
        if route.scope != PUBLIC or route.identify or route.limit is not None:
            self._count(bound, "address", network_of(client))
            principal = await self._admit(bound, headers, pairs, client)
        raw = b""
        if route.method != "GET":
            raw = await reading.body_of(receive, headers, route.max_body, self._idle_s, self._within)
            if raw:
                reading.check_media_type(route, headers)
        return Request(
            method=scope["method"],
            path=scope["path"],
            params=found.params(bound),
            query=reading.query_of(route, pairs),
            headers=headers,
            client=client,
            services=bound.services,
            id=request_id,
            body=await reading.parsed(route, raw),
            raw=raw,
            principal=principal,
            route=route,
        )

    async def _admit(self, bound: Bound, headers: Any, pairs: list[tuple[str, str]], client: str) -> Principal:
        route, credentials = bound.route, NO_CREDENTIALS
        if route.scope != PUBLIC or route.identify:
            query = dict(pairs) if route.query_credentials else NO_QUERY
            credentials = reading.credentials_of(headers, query, client)
        principal = await self._gate.admit(route, credentials)
        if route.limit is not None:
            known = principal.kind != "anonymous"
            self._count(bound, "caller", f"{principal.kind}:{principal.id}" if known else network_of(client))
        return principal

    # ---- limits -----------------------------------------------------------------------------------------------

    def _count(self, bound: Bound, per: str, who: str) -> None:
        limit = bound.route.limit
        if limit is not None and limit.per == per:
            self._limiter.hit(bound.route.name, limit, who)

    def _count_all(self, scope: Any) -> None:
        if self._ceiling is not None:
            self._limiter.hit("", self._ceiling, network_of(reading.client_of(scope)))

    # ---- the rest ---------------------------------------------------------------------------------------------

    def _describe(self, method: str) -> Answer:
        if method != "GET":
            raise ApiError("METHOD_NOT_ALLOWED", "Only GET is served here", headers={"Allow": "GET, HEAD"})
        if self._document is None:
            self._document = envelope.dumps(self.openapi())
        return Answer(200, envelope.headers("application/json", {}), self._document)

    async def _socket(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = envelope.new_id()
        try:
            self._count_all(scope)
            found: Any = self._router.find(reading.path_of(scope))
            bound = self._bound(found, SOCKET, scope)
        except ApiError as error:
            await sockets.refuse(error, request_id, self._log, scope, receive, send)
        else:
            await sockets.serve(bound, found, request_id, self._log, scope, receive, send)


def _wrong_method(method: str, found: Found) -> ApiError:
    methods = found.methods.keys() - {SOCKET}
    allowed = ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
    served = f"{allowed} is" if allowed else "only a WebSocket is"
    return ApiError("METHOD_NOT_ALLOWED", f"{method} is not served here; {served}", headers={"Allow": allowed})


def _with_cors(app: Any, origins: list[str]) -> Any:
    if not origins:
        return None
    from starlette.middleware.cors import CORSMiddleware

    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=EVERY_METHOD, allow_headers=("*",), expose_headers=EXPOSED
    )
