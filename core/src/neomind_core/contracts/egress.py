"""The only way out by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, runtime_checkable

import attrs

from .errors import ApiError

ADMIN_TARGET = "admin"
UNTRUSTED = "untrusted"


class EgressBlocked(ApiError):
    """422 ``EGRESS_BLOCKED``: the target may not be reached from here; says which rule forbids it."""

    def __init__(self, message: str) -> None:
        super().__init__("EGRESS_BLOCKED", message)


class EgressFailed(Exception):
    """The request got no usable answer: connection refused, time-out, too large an answer. One sentence."""


@attrs.frozen(kw_only=True)
class HttpAnswer:
    """An answer: ``headers`` with lower-case names, ``body`` at most the cap that was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpStream(Protocol):
    """An answer whose body arrives piece by piece."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]: ...


@runtime_checkable
class Egress(Protocol):
    """Outbound HTTP: addresses are resolved once, all checked, and the checked one is connected to.

    ``trust`` says who chose the target: ``ADMIN_TARGET`` may reach loopback and the LAN, ``UNTRUSTED`` (a URL born
    from telemetry, templates, agents or plugins) only public addresses and what the configuration lists. Link-local
    and metadata addresses, and our own ingest, are never reached. Redirects are checked again. Raises
    ``EgressBlocked`` and ``EgressFailed``; any HTTP status is an answer.
    """

    async def request(
        self,
        method: str,
        url: str,
        *,
        trust: str = UNTRUSTED,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        timeout_s: float = 30.0,
        max_bytes: int = 1024 * 1024,
    ) -> HttpAnswer: ...

    def stream(
        self,
        method: str,
        url: str,
        *,
        trust: str = UNTRUSTED,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout_s: float = 300.0,
    ) -> AbstractAsyncContextManager[HttpStream]: ...

    async def check(self, url: str, *, trust: str = UNTRUSTED) -> None:
        """Raise ``EgressBlocked`` when the URL may not be reached (used when a target is saved)."""
        ...
