"""Who calls, and whether they may."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...contracts import (
    ANONYMOUS,
    PUBLIC,
    AuthScheme,
    Credentials,
    Forbidden,
    Principal,
    Rejection,
    Route,
    Unauthorized,
)
from ..threads import contain


class Gate:
    """Asks the auth schemes, in the order of their priority; the ``Authenticator`` service."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self.schemes: tuple[AuthScheme, ...] = ()

    def set_schemes(self, schemes: Iterable[AuthScheme]) -> None:
        self.schemes = tuple(sorted(schemes, key=lambda scheme: (scheme.priority, scheme.name)))

    async def identify(self, credentials: Credentials) -> Principal:
        rejection: Rejection | None = None
        for scheme in self.schemes:
            found = await self._ask(scheme, credentials)
            if isinstance(found, Principal):
                return found
            rejection = rejection or found
        if rejection is not None:
            raise _rejected(rejection)
        return ANONYMOUS

    async def admit(self, route: Route, credentials: Credentials) -> Principal:
        """The caller of a route; raises ``Unauthorized`` or ``Forbidden``."""
        if route.scope == PUBLIC:
            return await self._look(credentials) if route.identify else ANONYMOUS
        principal = await self.identify(credentials)
        if principal.kind == "anonymous" or (route.callers and principal.kind not in route.callers):
            raise Unauthorized()
        if not principal.may(route.scope):
            raise Forbidden(f"'{principal.name}' lacks the permission '{route.scope}'")
        return principal

    async def _look(self, credentials: Credentials) -> Principal:
        try:
            return await self.identify(credentials)
        except Unauthorized:
            return ANONYMOUS

    async def _ask(self, scheme: AuthScheme, credentials: Credentials) -> Principal | Rejection | None:
        try:
            found = await contain(scheme.authenticate(credentials))
        except Exception:
            self._log.exception("auth_scheme_failed", scheme=scheme.name)
            raise Unauthorized("The credentials could not be checked") from None
        if found is None or isinstance(found, Principal | Rejection):
            return found
        self._log.error("auth_scheme_answered_nonsense", scheme=scheme.name, type=type(found).__name__)
        raise Unauthorized("The credentials could not be checked")


def _rejected(rejection: Rejection) -> Unauthorized:
    """401, whatever status the code of the rejection has elsewhere."""
    error = Unauthorized(rejection.message, code=rejection.code)
    error.status = 401
    return error
