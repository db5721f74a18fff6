"""API keys as a way of proving who calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neomind_sdk import Credentials, PluginContext, Principal, Rejection

from .service import ApiKeys
from .texts import PREFIX

UNKNOWN = Rejection("INVALID_API_KEY", "The API key is not known")


class ApiKeyScheme:
    """The ``AuthScheme`` of keys.

    A key comes as ``X-API-Key: <key>``, as ``Authorization: Bearer <key>``, or as ``?api_key=`` where the route allows
    it. A bearer that does not look like one of our keys may be another scheme's, so it is ours only when it is known.
    """

    name = "api_key"
    priority = 20
    openapi: Mapping[str, object] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}

    def __init__(self, ctx: PluginContext) -> None:
        self._ctx = ctx

    async def authenticate(self, credentials: Credentials) -> Principal | Rejection | None:
        keys, rejection = self._ctx.services[ApiKeys], None
        for text, ours in presented(credentials):
            found = keys.identify(text)
            if isinstance(found, Principal):
                return found
            rejection = rejection or found or (UNKNOWN if ours else None)
        return rejection


def presented(credentials: Credentials) -> Sequence[tuple[str, bool]]:
    """What may be a key, and whether it can be nothing else."""
    bearer = credentials.bearer or ""
    found = (
        (credentials.headers.get("x-api-key", "").strip(), True),
        (bearer, bearer.startswith(PREFIX)),
        (credentials.query.get("api_key", ""), True),
    )
    return [(text, ours) for text, ours in found if text]
