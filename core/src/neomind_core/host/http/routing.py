"""Which route a request is for: an index by path segments, so that the number of routes does not matter."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs

from ...contracts import ADMIN, AUTHENTICATED, PUBLIC, Alias, BadRequest, Mirror, Route, SocketRoute
from .structure import prepare

PREFIX = "/api"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SCOPE = re.compile(r"[a-z][a-z0-9_]*:(read|write)")
SEGMENT = re.compile(r"[A-Za-z0-9._~-]+|\{[a-z][a-z0-9_]*\}")
TAIL = re.compile(r"\{[a-z][a-z0-9_]*:path\}")
SOCKET = "WEBSOCKET"
# Paths that were asked for are remembered: devices come back to theirs.
KNOWN_PATHS = 4096
KNOWN_BYTES = 256


@attrs.frozen(kw_only=True)
class RouteEntry:
    """What a plugin contributes to ``routes``, with the services as that plugin sees them."""

    owner: str
    services: Any
    item: Route | SocketRoute | Alias | Mirror


@attrs.frozen(kw_only=True)
class Bound:
    """A route as it is served: ``alias`` when it is a second spelling, ``mirrored`` for clients of old.

    ``names`` are those of its parameters as the handler knows them.
    """

    route: Any
    owner: str
    services: Any
    names: tuple[str, ...]
    alias: bool = False
    mirrored: bool = False

    @property
    def method(self) -> str:
        return self.route.method if isinstance(self.route, Route) else SOCKET


@attrs.define
class _Node:
    static: dict[str, _Node] = attrs.field(factory=dict)
    param: _Node | None = None
    tail: dict[str, Bound] = attrs.field(factory=dict)
    here: dict[str, Bound] = attrs.field(factory=dict)


@attrs.frozen
class Found:
    """The routes of a path by method, and the values of its parameters in order."""

    methods: dict[str, Bound]
    values: tuple[str, ...]

    def params(self, bound: Bound) -> dict[str, str]:
        return dict(zip(bound.names, self.values, strict=True))


class Router:
    """All routes of the platform. Static segments win over parameters, parameters over a tail."""

    def __init__(self, entries: Iterable[RouteEntry] = ()) -> None:
        self._root = _Node()
        self._all: dict[tuple[str, str], Bound] = {}
        self._known: dict[bytes, Found] = {}
        entries = list(entries)
        mirrored = {entry.item.path for entry in entries if isinstance(entry.item, Mirror)}
        for entry in entries:
            if isinstance(entry.item, Route | SocketRoute):
                self._add(_bound(entry, mirrored))
        for entry in entries:
            if isinstance(entry.item, Alias):
                self._add_alias(entry.item, mirrored)

    def __iter__(self) -> Iterator[Bound]:
        """Every bound route, by path then method."""
        return iter(self._all[key] for key in sorted(self._all))

    def find(self, raw_path: bytes) -> Found | None:
        """What is served at a path (without query, still percent-encoded); ``None`` when nothing is.

        Raises ``BadRequest`` for a path that is not UTF-8.
        """
        known = self._known.get(raw_path)
        if known is not None:
            return known
        segments = split(raw_path)
        found = None if segments is None else _find(self._root, segments, 0, ())
        if found is not None and len(raw_path) <= KNOWN_BYTES:
            if len(self._known) >= KNOWN_PATHS:
                self._known.clear()
            self._known[raw_path] = found
        return found

    def _add(self, bound: Bound) -> None:
        """Serve a route, unless another has its place, be it with other names of its parameters."""
        if self._place(bound.route.path).setdefault(bound.method, bound) is bound:
            self._all[bound.route.path, bound.method] = bound

    def _place(self, path: str) -> dict[str, Bound]:
        node = self._root
        for segment in path[1:].split("/"):
            if TAIL.fullmatch(segment):
                return node.tail
            if segment.startswith("{"):
                node.param = node = node.param or _Node()
            else:
                node = node.static.setdefault(segment, _Node())
        return node.here

    def _add_alias(self, alias: Alias, mirrored: set[str]) -> None:
        if check_alias(alias) is not None:
            return
        for bound in list(self._all.values()):
            path = bound.route.path
            below = alias.subtree and path.startswith(f"{alias.target}/")
            if path == alias.target or below:
                spelling = alias.path + path[len(alias.target) :]
                route = attrs.evolve(bound.route, path=spelling)
                self._add(attrs.evolve(bound, route=route, alias=True, mirrored=bound.mirrored or spelling in mirrored))


def _bound(entry: RouteEntry, mirrored: set[str]) -> Bound:
    item: Any = entry.item
    names, mirror = tuple(parameters(item.path)), item.path in mirrored
    return Bound(route=item, owner=entry.owner, services=entry.services, names=names, mirrored=mirror)


def _find(node: _Node, segments: list[str], at: int, values: tuple[str, ...]) -> Found | None:
    if at == len(segments):
        return Found(node.here, values) if node.here else None
    segment = segments[at]
    following = node.static.get(segment)
    found = _find(following, segments, at + 1, values) if following is not None else None
    if found is None and node.param is not None and segment:
        found = _find(node.param, segments, at + 1, (*values, segment))
    if found is None and node.tail and (segment or at + 1 < len(segments)):
        return Found(node.tail, (*values, "/".join(segments[at:])))
    return found


def split(raw_path: bytes) -> list[str] | None:
    """The decoded segments below ``/api``; ``None`` for another path, or one that holds NUL.

    Each segment is decoded by itself, so that ``%2F`` stays inside its parameter.
    """
    try:
        text = raw_path.decode("ascii")
        if not text.startswith(f"{PREFIX}/"):
            return None
        segments = text[len(PREFIX) + 1 :].split("/")
        if "%" in text:
            segments = [unquote_to_bytes(segment).decode() for segment in segments]
    except UnicodeDecodeError:
        raise BadRequest("The path is not UTF-8") from None
    return None if any("\0" in segment for segment in segments) else segments


def parameters(path: str) -> list[str]:
    """The names of the parameters of a path, in order."""
    return [match[0] for match in re.findall(r"\{([a-z][a-z0-9_]*)(:path)?\}", path)]


def check_route(item: Route | SocketRoute) -> str | None:
    """Why a route cannot be served; ``None`` when it can."""
    problem = _path_problem(item.path) or _scope_problem(item.scope) or _handler_problem(item.handler)
    if problem is None and isinstance(item, Route):
        problem = _route_problem(item) or _limit_problem(item) or _types_problem(item)
    return problem


def check_alias(item: Alias) -> str | None:
    """Why a second spelling cannot be served; ``None`` when it can."""
    problem = _path_problem(item.path) or _path_problem(item.target)
    if problem is None and len(parameters(item.path)) != len(parameters(item.target)):
        problem = f"it has other parameters than '{item.target}'"
    return problem


def _path_problem(path: str) -> str | None:
    if not path.startswith("/") or path.startswith(f"{PREFIX}/"):
        return f"the path '{path}' must start with / and is below {PREFIX} already"
    segments = path[1:].split("/")
    for index, segment in enumerate(segments):
        tail = TAIL.fullmatch(segment) and index == len(segments) - 1
        if not tail and not SEGMENT.fullmatch(segment):
            return f"the path '{path}' has a malformed segment '{segment}'"
    names = parameters(path)
    return f"the path '{path}' has a parameter twice" if len(set(names)) < len(names) else None


def _scope_problem(scope: Any) -> str | None:
    if not scope:
        return "it has no scope; say who may call it: PUBLIC, AUTHENTICATED, ADMIN or '<area>:read|write'"
    known = isinstance(scope, str) and (scope in (PUBLIC, AUTHENTICATED, ADMIN) or SCOPE.fullmatch(scope))
    return None if known else f"the scope {scope!r} is none of PUBLIC, AUTHENTICATED, ADMIN, '<area>:read|write'"


def _handler_problem(handler: Any) -> str | None:
    if not callable(handler):
        return f"the handler is a {type(handler).__name__}, an async function is wanted"
    return "the handler must be an async function" if _is_plain(handler) else None


def _is_plain(handler: Any) -> bool:
    """Whether the handler is certainly not async; of a lambda or an object one cannot see it."""
    named = inspect.isroutine(handler) and getattr(handler, "__name__", "") != "<lambda>"
    return named and not inspect.iscoroutinefunction(handler)


def _route_problem(route: Route) -> str | None:
    if route.method not in METHODS:
        return f"the method '{route.method}' is none of {', '.join(METHODS)}"
    if route.body not in (None, bytes) and not attrs.has(route.body):
        return "body must be an attrs class, bytes or None"
    if route.query is not None and not attrs.has(route.query):
        return "query must be an attrs class or None"
    if not 200 <= route.status < 300 or route.status in (204, 205):
        return f"the status {route.status} is none of a success with a body"
    if any(kind != kind.lower() for kind in route.accepts):
        return "accepts must be media types in lower case"
    return "a GET has no body; use query" if route.method == "GET" and route.body is not None else None


def _limit_problem(route: Route) -> str | None:
    limit = route.limit
    if limit is None or (limit.per in ("address", "caller") and limit.hits > 0 and limit.seconds > 0):
        return None
    return f"the limit {limit} is none; per is 'address' or 'caller', hits and seconds are above 0"


def _types_problem(route: Route) -> str | None:
    try:
        prepare(*(kind for kind in (route.body, route.query) if attrs.has(kind)))
    except Exception as error:
        return f"its types cannot be read: {error}"
    return None
