"""OpenAPI 3.1 of exactly the routes that are served (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from typing import Any

from ... import __version__
from ...contracts import JSON, PUBLIC, AuthScheme, Route, SocketRoute, status_of
from .routing import PREFIX, Bound, Router, parameters
from .schema import Schema, Schemas

META = {
    "type": "object",
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string", "format": "uuid"},
        "count": {"type": "integer"},
        "pagination": {"type": "object"},
    },
    "required": ["timestamp", "request_id"],
}
ERROR = {
    "type": "object",
    "properties": {
        "success": {"const": False},
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "request_id": {"type": "string"},
                "hint": {"type": "string"},
                "details": {},
            },
            "required": ["code", "message"],
        },
    },
    "required": ["success", "error"],
}
# Any request may be malformed, be refused for NUL in its query, or come while the platform is not ready for it.
HOST_CODES = frozenset({"BAD_REQUEST", "VALIDATION_ERROR", "REQUEST_TIMEOUT", "SERVICE_UNAVAILABLE"})
DESCRIPTION = (
    "Every answer is `{success, data, meta}` or `{success, error: {code, message}}`. Times are epoch seconds unless a "
    "field says otherwise."
)


def document(router: Router, schemes: Iterable[AuthScheme], log: Any, *, limited: bool = False) -> dict[str, Any]:
    """The whole document; ``limited`` is whether each address has a ceiling over all routes."""
    schemas = Schemas({"Failure": ERROR, "Meta": META})
    security = {scheme.name: dict(scheme.openapi) for scheme in schemes}
    host_codes = {*HOST_CODES, "RATE_LIMITED"} if limited else HOST_CODES
    paths: dict[str, dict[str, Any]] = {}
    for bound, path, ident in _placed(router):
        item = paths.setdefault(PREFIX + path, {})
        if isinstance(bound.route, SocketRoute):
            item["x-websocket"] = {"summary": bound.route.summary, "tags": [bound.owner]}
        else:
            item[bound.route.method.lower()] = {
                "operationId": ident,
                "parameters": [*_path_parameters(path), *_query_parameters(bound.route, schemas)],
                **_operation(bound, schemas, list(security), host_codes),
            }
    for problem in schemas.problems:
        log.error("types_not_described", problem=problem)
    parts = {"schemas": schemas.components, "securitySchemes": security}
    info = {"title": "NeoMind", "version": __version__, "description": DESCRIPTION}
    return {"openapi": "3.1.0", "info": info, "servers": [{"url": "/"}], "paths": paths, "components": parts}


def _placed(router: Router) -> Iterator[tuple[Bound, str, str]]:
    """Every route with its path and its id.

    Templates that differ in the names of their parameters only are one path, and no two operations may share an id.
    """
    shapes: dict[str, str] = {}
    taken: set[str] = set()
    for bound in router:
        path = bound.route.path.replace(":path}", "}")
        path = shapes.setdefault(re.sub(r"\{[^}]*\}", "{}", path), path)
        ident = "_".join([bound.method.lower(), *re.findall(r"[A-Za-z0-9]+", path)])
        while ident in taken:
            ident += "_"
        taken.add(ident)
        yield bound, path, ident


def _operation(bound: Bound, schemas: Schemas, schemes: list[str], host_codes: Set[str]) -> Schema:
    route: Route = bound.route
    found: Schema = {
        "tags": [bound.owner],
        "summary": route.summary,
        "responses": _responses(bound, schemas, host_codes),
        "security": _security(route, schemes),
        "x-scope": route.scope,
    }
    if route.description:
        found["description"] = route.description
    if bound.alias:
        found["deprecated"] = True
    body = _body(route, schemas)
    return {**found, "requestBody": body} if body else found


def _security(route: Route, schemes: list[str]) -> list[Schema]:
    """Any of the schemes; an empty object is nobody in particular."""
    if route.scope == PUBLIC and not route.identify:
        return []
    some: list[Schema] = [{name: []} for name in schemes]
    return [{}, *some] if route.scope == PUBLIC else some


def _path_parameters(path: str) -> list[Schema]:
    text = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in parameters(path)]


def _query_parameters(route: Route, schemas: Schemas) -> list[Schema]:
    if route.query is None:
        return []
    shape = schemas.members(route.query, output=False)
    required = shape.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _not_null(schema)}
        for name, schema in shape["properties"].items()
    ]


def _not_null(schema: Schema) -> Schema:
    """In a query there is no ``null``: what is optional is absent."""
    plain = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    if isinstance(plain.get("type"), list):
        plain["type"] = next(kind for kind in plain["type"] if kind != "null")
    if "anyOf" in plain:
        rest = [part for part in plain.pop("anyOf") if part != {"type": "null"}]
        plain |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    return plain


def _body(route: Route, schemas: Schemas) -> Schema | None:
    if route.method == "GET" or (route.body is None and not route.body_required and route.method == "DELETE"):
        return None
    if route.body is bytes:
        content: Schema = {kind: {} for kind in route.accepts or ("*/*",)}
    else:
        shape = {} if route.body is None else schemas.of(route.body, output=False)
        content = {kind: {"schema": shape} for kind in route.accepts or (JSON,)}
    return {"required": route.body_required, "content": content}


def _responses(bound: Bound, schemas: Schemas, host_codes: Set[str]) -> Schema:
    route: Route = bound.route
    if route.produces == JSON:
        good = {JSON: {"schema": _success(bound, schemas)}}
    else:
        good = {route.produces: {"schema": {"type": "string", "format": "binary"}}}
    found: Schema = {str(route.status): {"description": "Success", "content": good}}
    failure = {JSON: {"schema": {"$ref": "#/components/schemas/Failure"}}}
    for status, codes in sorted(_errors(route, host_codes).items()):
        found[str(status)] = {"description": ", ".join(sorted(codes)), "content": failure}
    return found


def _success(bound: Bound, schemas: Schemas) -> Schema:
    data = schemas.of(bound.route.response, output=True)
    properties: Schema = {"success": {"const": True}, "data": data, "meta": {"$ref": "#/components/schemas/Meta"}}
    required = ["success", "meta"] if bound.route.response is None else ["success", "data", "meta"]
    return {"type": "object", "properties": properties, "required": required}


def _errors(route: Route, host_codes: Set[str]) -> dict[int, set[str]]:
    """The handler's own errors and those of the host, by status."""
    codes = {*route.errors, *host_codes}
    if route.scope != PUBLIC:
        codes |= {"UNAUTHORIZED", "INSUFFICIENT_PERMISSIONS"}
    if route.method != "GET":
        codes |= {"PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"}
    if route.limit is not None:
        codes.add("RATE_LIMITED")
    if parameters(route.path):
        codes.add("NOT_FOUND")
    found: dict[int, set[str]] = {}
    for code in codes:
        found.setdefault(status_of(code), set()).add(code)
    return found
