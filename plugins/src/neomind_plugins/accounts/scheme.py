"""Tokens as a way of proving who calls."""

from __future__ import annotations

from collections.abc import Mapping

from neomind_sdk import Credentials, PluginContext, Principal, Rejection

from .service import Accounts

API_KEY_PREFIX = "nmk_"


class JwtScheme:
    """The ``AuthScheme`` of logins: ``Authorization: Bearer <token>``, or ``?token=`` where the route allows it."""

    name = "jwt"
    priority = 10
    openapi: Mapping[str, object] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}

    def __init__(self, ctx: PluginContext) -> None:
        self._ctx = ctx

    async def authenticate(self, credentials: Credentials) -> Principal | Rejection | None:
        token = credentials.bearer or credentials.query.get("token")
        if not token or token.startswith(API_KEY_PREFIX):
            return None
        return self._ctx.services[Accounts].identify(token)
