"""The only way out by HTTP: every address of a name is checked, and one of the checked ones is connected to.

The engine below httpx2 (``httpcore2``) is used directly: it keeps connections, and follows no redirect, keeps no
cookie, decompresses nothing and reads no proxy from the environment. What decides which connection is used again is
the pair of name and checked addresses, so a connection never serves a request it was not checked for.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs

from neomind_core.contracts import UNTRUSTED, EgressBlocked, EgressFailed, HttpAnswer

from .egress_policy import Address, EgressConfig, Policy, is_own, is_own_ingest, parse
from .egress_wire import Answer, CheckedDialer, Outgoing, Target, explained, outgoing, parsed, redirected, wire_request

MAX_REDIRECTS = 5
MAX_CONNECTIONS = 200
KEPT_OPEN = 40
KEPT_OPEN_S = 15.0

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, in the order in which the system prefers them; raises ``OSError``."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


class HttpEgress:
    """The ``Egress`` of the platform. ``own_address`` is where our own server listens."""

    def __init__(
        self,
        config: EgressConfig,
        own_address: Callable[[], tuple[str, int]],
        *,
        resolve: Resolve = system_resolver,
        backend: Any = None,
    ) -> None:
        self._policy = Policy(config)
        self._own_address = own_address
        self._resolve = resolve
        self._backend = backend
        self._pool: Any = None
        self._opening = asyncio.Lock()

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
    ) -> HttpAnswer:
        sent = outgoing(Outgoing(method=method, url=url, trust=trust, headers=headers or {}, body=content), json)
        async with self._sending(sent, timeout_s) as answer:
            body = b"" if sent.method == "HEAD" else await answer.body(max_bytes)
            return HttpAnswer(status=answer.status, headers=answer.headers, body=body)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        trust: str = UNTRUSTED,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout_s: float = 300.0,
    ) -> AsyncIterator[Answer]:
        sent = outgoing(Outgoing(method=method, url=url, trust=trust, headers=headers or {}), json)
        async with self._sending(sent, timeout_s) as answer:
            yield answer

    async def check(self, url: str, *, trust: str = UNTRUSTED) -> None:
        await self._ready()
        try:
            await self._checked(parsed(url), trust)
        except EgressFailed:  # a name that has no address now may have one when it is needed
            return

    async def close(self) -> None:
        """Close the connections that are kept open."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    @asynccontextmanager
    async def _sending(self, sent: Outgoing, timeout_s: float) -> AsyncIterator[Answer]:
        deadline = asyncio.get_running_loop().time() + timeout_s
        await self._ready()
        async with AsyncExitStack() as held:
            yield await self._followed(sent, deadline, held)

    async def _followed(self, sent: Outgoing, deadline: float, held: AsyncExitStack) -> Answer:
        """The answer after redirects; ``held`` closes its connection, and those of the redirects are closed here."""
        for _ in range(MAX_REDIRECTS + 1):
            target = parsed(sent.url)
            async with explained(target.host, deadline):
                target = await self._checked(target, sent.trust)
                response = await self._pool.handle_async_request(wire_request(sent, target))
                held.push_async_callback(response.aclose)
            answer = Answer(response, target, deadline)
            onward = redirected(sent, target, answer)
            if onward is None:
                return answer
            await held.aclose()
            sent = onward
        raise EgressFailed(f"{target.host} redirected more than {MAX_REDIRECTS} times")

    async def _checked(self, target: Target, trust: str) -> Target:
        """The target with its addresses, all of which may be reached; raises ``EgressBlocked``."""
        self._refuse(target.host, self._policy.port(target.port, trust))
        addresses = await self._addresses(target)
        for address in addresses:
            self._refuse(target.host, self._policy.address(address, target.host, trust))
        if target.port == self._own_address()[1] and is_own_ingest(target.path) and any(map(is_own, addresses)):
            self._refuse(target.host, "this is the platform's own webhook, which would feed itself")
        return attrs.evolve(target, addresses=addresses)

    def _refuse(self, host: str, reason: str | None) -> None:
        if reason is not None:
            raise EgressBlocked(f"{host} may not be reached: {reason}")

    async def _addresses(self, target: Target) -> tuple[Address, ...]:
        literal = parse(target.host)
        if literal is not None:
            return (literal,)
        try:
            found = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            found = ()
        addresses = tuple(dict.fromkeys(address for text in found if (address := parse(text)) is not None))
        if not addresses:
            raise EgressFailed(f"{target.host} has no address")
        return addresses

    async def _ready(self) -> None:
        async with self._opening:
            if self._pool is None:
                # The imports and the certificate store take a quarter of a second: not on the event loop.
                self._pool = await asyncio.to_thread(_open_pool, self._backend)


def _open_pool(backend: Any) -> Any:
    import httpcore2
    import httpx2

    httpx2.URL("http://localhost")  # loads what parsing needs
    return httpcore2.AsyncConnectionPool(
        ssl_context=httpcore2.default_ssl_context(),
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=KEPT_OPEN,
        keepalive_expiry=KEPT_OPEN_S,
        network_backend=CheckedDialer(backend or httpcore2.AnyIOBackend()),  # type: ignore[arg-type] # the same methods
    )
