"""Who calls, what they may do, and how an auth scheme finds out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import attrs

PUBLIC = "public"
AUTHENTICATED = "authenticated"
ADMIN = "admin"
EVERYTHING = "*"

ROLES = ("admin", "user", "viewer")
ROLE_SCOPES: Mapping[str, frozenset[str]] = {
    "admin": frozenset({EVERYTHING}),
    "user": frozenset({"read", "write"}),
    "viewer": frozenset({"read"}),
}
# What only an administrator may write, whatever the general ``write`` says. Whoever may say where a model or a push
# target is may have its secrets sent to himself.
ADMIN_WRITES = frozenset({"settings", "users", "keys", "extensions", "llm", "push"})


@attrs.frozen(kw_only=True)
class Principal:
    """An authenticated caller.

    ``kind`` is ``user``, ``api_key``, ``share``, ``device``, ``plugin``, ``agent`` or ``anonymous``; ``session`` is
    the id of the login that may be revoked; ``scopes`` are ``*``, ``admin``, ``read``, ``write``, ``<area>:read`` and
    ``<area>:write``.
    """

    kind: str
    id: str
    name: str
    role: str | None = None
    scopes: frozenset[str] = frozenset()
    session: str | None = None

    def may(self, scope: str) -> bool:
        """Whether this caller may use what is declared with ``scope``."""
        if scope == PUBLIC or EVERYTHING in self.scopes:
            return True
        if self.kind == "anonymous":
            return False
        if scope == AUTHENTICATED or scope in self.scopes:
            return True
        area, _, verb = scope.partition(":")
        if scope == ADMIN or (verb == "write" and area in ADMIN_WRITES):
            return ADMIN in self.scopes
        return verb in self.scopes or ADMIN in self.scopes


ANONYMOUS = Principal(kind="anonymous", id="", name="anonymous")


@attrs.frozen
class Rejection:
    """A credential of this scheme was there and does not hold; ``code`` is an error code of status 401."""

    code: str
    message: str


@attrs.frozen(kw_only=True)
class Credentials:
    """What a request brought along, already taken apart. ``query`` only where the route allows it (streams)."""

    bearer: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    query: Mapping[str, str] = attrs.field(factory=dict)
    client: str = ""


@runtime_checkable
class AuthScheme(Protocol):
    """One way of proving who is calling.

    ``name``      unique, e.g. ``jwt``
    ``priority``  lower is asked first
    ``openapi``   the OpenAPI 3.1 Security Scheme Object

    ``authenticate`` returns a ``Principal``; ``None`` when the request has no credential of this scheme; a
    ``Rejection`` when it has one that does not hold (later schemes are still asked, and if none accepts, the first
    rejection is the answer). Raising denies the request at once: nothing falls through to the next scheme.
    """

    name: str
    priority: int
    openapi: Mapping[str, object]

    async def authenticate(self, credentials: Credentials) -> Principal | Rejection | None: ...


@runtime_checkable
class Authenticator(Protocol):
    """The core's service that asks all loaded schemes; for sockets and streams that authenticate by themselves."""

    async def identify(self, credentials: Credentials) -> Principal:
        """The caller, ``ANONYMOUS`` when there is no credential at all; raises ``Unauthorized`` for a bad one."""
        ...


@runtime_checkable
class ApiKeyCounter(Protocol):
    """What may be told to everybody about API keys (``/auth/status``)."""

    def count(self) -> int:
        """How many keys there are."""
        ...

    def has_default(self) -> bool:
        """Whether one of them came from the environment variable ``NEOMIND_API_KEY``."""
        ...
