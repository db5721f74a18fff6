"""Routes as data. The host serves exactly what is declared here and derives OpenAPI from the same objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from .auth import ANONYMOUS, Principal

if TYPE_CHECKING:
    from .services import Services

MIB = 1024 * 1024
JSON = "application/json"


@attrs.frozen(kw_only=True)
class RateLimit:
    """``hits`` per ``seconds`` for each client address (``per="address"``) or each caller (``per="caller"``)."""

    hits: int
    seconds: int = 60
    per: str = "address"


@attrs.define(kw_only=True, eq=False)
class Request:
    """What a handler gets. ``body`` is an instance of ``Route.body``, any JSON value, or ``None``.

    ``params``    path parameters, percent-decoded
    ``query``     an instance of ``Route.query``, else a plain mapping of the last value per name
    ``raw``       the body's bytes (empty when there was none)
    ``headers``   lower-case names
    ``client``    the peer's address, without the port
    ``services``  what other plugins provide: ``request.services[DeviceDirectory]``
    ``id``        the request id that also stands in ``meta`` and in the logs
    """

    method: str
    path: str
    params: Mapping[str, str]
    query: Any
    headers: Mapping[str, str]
    client: str
    services: Services
    id: str
    body: Any = None
    raw: bytes = b""
    principal: Principal = ANONYMOUS
    route: Route | None = None

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty when absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@attrs.frozen(kw_only=True)
class Reply:
    """An answer with more than data: its status, ``meta`` entries (``count``, ``pagination``) and headers."""

    data: Any = None
    status: int | None = None
    meta: Mapping[str, Any] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Raw:
    """An answer outside the envelope: a file, an image, an event stream. ``content`` is bytes or an async iterator."""

    content: bytes | AsyncIterator[bytes]
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)


Handler = Callable[[Request], Awaitable[Any]]


@attrs.frozen(kw_only=True)
class Route:
    """One operation under ``/api``.

    ``path``       without ``/api``, parameters in braces: ``/devices/{device_id}``; static paths win over parameters;
                   a last ``{name:path}`` takes the rest of the path
    ``handler``    ``async (Request) -> data | Reply | Raw``; raise ``ApiError`` for anything that is the client's fault
    ``scope``      ``PUBLIC``, ``AUTHENTICATED``, ``ADMIN`` or ``<area>:read|write``; a route without one does not start
    ``body``       an attrs class: the JSON object is structured into it, problems are 422 naming the field;
                   ``None``: any JSON value is parsed strictly when there is a body; ``bytes``: nothing is parsed
    ``query``      an attrs class, or ``None``
    ``response``   type of ``data``, for OpenAPI; ``None`` = any
    ``errors``     codes that the handler itself may raise, besides the host's own
    ``callers``    kinds of principal that are let in; empty = all. Others get 401
    ``identify``   for public routes: look at the credentials if there are any (``request.principal``)
    ``accepts``    media types of the body; anything else is 415. Empty = all
    ``deadline_s`` the whole request, then 408
    """

    method: str
    path: str
    handler: Handler
    scope: str
    summary: str
    description: str = ""
    body: Any = None
    body_required: bool = False
    query: Any = None
    response: Any = None
    status: int = 200
    errors: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    identify: bool = False
    query_credentials: bool = False
    accepts: tuple[str, ...] = (JSON,)
    produces: str = JSON
    max_body: int = 10 * MIB
    deadline_s: float | None = 120.0
    limit: RateLimit | None = None

    @property
    def name(self) -> str:
        """``GET /devices``: what a conflict message calls this route."""
        return f"{self.method} {self.path}"


class Socket(Protocol):
    """A WebSocket connection as a handler sees it (the shape of ``starlette.websockets.WebSocket``)."""

    async def accept(self, subprotocol: str | None = None) -> None: ...
    async def receive_text(self) -> str: ...
    async def send_text(self, data: str) -> None: ...
    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


@attrs.frozen(kw_only=True)
class SocketRoute:
    """A WebSocket under ``/api``; it may share its path with ``Route``s. The handler authenticates by itself."""

    path: str
    handler: Callable[[Socket, Request], Awaitable[None]]
    summary: str
    scope: str

    @property
    def name(self) -> str:
        return f"WEBSOCKET {self.path}"


@attrs.frozen(kw_only=True)
class Alias:
    """A second spelling: all methods of the routes at ``target`` (and, with ``subtree``, below it) also at ``path``."""

    path: str
    target: str
    subtree: bool = False

    @property
    def name(self) -> str:
        return f"ALIAS {self.path}"


@attrs.frozen(kw_only=True)
class Mirror:
    """The payload's keys of the route at ``path`` are repeated at the top level of the envelope (old clients)."""

    path: str

    @property
    def name(self) -> str:
        return f"MIRROR {self.path}"
