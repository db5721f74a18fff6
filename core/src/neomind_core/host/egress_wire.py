"""Requests as they go out, and answers as they come in: URLs taken apart, redirects, deadlines, errors in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import orjson

from neomind_core import __version__
from neomind_core.contracts import UNTRUSTED, EgressBlocked, EgressFailed

from .egress_policy import Address, bare, is_host_name, is_public

CONNECT_S = 10.0
DEFAULT_PORTS = {"http": 80, "https": 443}
# The connection's own headers. Bodies are not compressed, so that a cap counts what arrives.
FRAMING = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade"})
# What a redirect to another origin may carry on: anything else may be a credential.
NEUTRAL = frozenset({"accept", "content-type", "user-agent"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@attrs.frozen(kw_only=True)
class Target:
    """A URL taken apart once; ``addresses`` are checked. ``path`` has the query."""

    url: Any
    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[Address, ...] = ()

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def endpoint(self) -> str:
        """What the pool takes for a host name: connections are shared only where all of this is the same."""
        return f"{self.host}|{','.join(map(str, self.addresses))}"


@attrs.frozen(kw_only=True)
class Outgoing:
    """A request on its way, maybe through redirects."""

    method: str
    url: Any
    trust: str
    headers: Mapping[str, str]
    body: bytes | None = None


class CheckedDialer:
    """A network backend for the pool that connects to the addresses inside ``Target.endpoint``, in their order."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> Any:
        import httpcore2

        addresses = host.partition("|")[2].split(",")
        share = timeout and timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._backend.connect_tcp(address, port, timeout=share, **options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(addresses[-1], port, timeout=share, **options)


class Answer:
    """The ``HttpStream`` of a response; reading is subject to the deadline of the whole request."""

    def __init__(self, response: Any, target: Target, deadline: float) -> None:
        self.status: int = response.status
        self.headers = _merged(response.headers)
        self._response = response
        self._target = target
        self._deadline = deadline

    async def chunks(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._response.stream)
        while True:
            async with explained(self._target.host, self._deadline):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece

    async def body(self, max_bytes: int) -> bytes:
        """The whole body; ``EgressFailed`` as soon as it is known to be longer than ``max_bytes``."""
        announced = self.headers.get("content-length", "")
        self._refuse_longer(int(announced) if announced.isdecimal() else 0, max_bytes)
        collected = bytearray()
        async for piece in self.chunks():
            collected += piece
            self._refuse_longer(len(collected), max_bytes)
        return bytes(collected)

    def _refuse_longer(self, size: int, max_bytes: int) -> None:
        if size > max_bytes:
            raise EgressFailed(f"{self._target.host} answered with more than {max_bytes} bytes")


def outgoing(draft: Outgoing, json: Any) -> Outgoing:
    """The request as it will be sent: without the headers that are the connection's, with ``json`` as its body."""
    given = {name.lower(): value for name, value in draft.headers.items()}
    body = draft.body
    if body is None and json is not None:
        body = orjson.dumps(json)
        given.setdefault("content-type", "application/json")
    kept = {name: value for name, value in given.items() if name not in FRAMING}
    return attrs.evolve(draft, method=draft.method.upper(), headers=kept, body=body)


def parsed(url: Any) -> Target:
    """Take a URL apart, once and strictly; raises ``EgressBlocked`` with a sentence that does not repeat the URL."""
    import httpx2

    try:
        parts = httpx2.URL(url)
        host = bare(parts.raw_host.decode("ascii"))
    except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
        raise EgressBlocked("The target is not a URL") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise EgressBlocked("The target must be an http or https URL")
    if parts.userinfo:
        raise EgressBlocked("The target must have no user name or password before its host; use a header")
    if not is_host_name(host):
        raise EgressBlocked("The target has no proper host name")
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    return Target(url=parts, scheme=parts.scheme, host=host, port=port, path=parts.raw_path.decode("ascii"))


def wire_request(sent: Outgoing, target: Target) -> Any:
    import httpcore2

    headers = {"accept": "*/*", "user-agent": f"NeoMind/{__version__}"} | dict(sent.headers)
    headers |= {"host": target.authority, "accept-encoding": "identity"}
    if sent.body is not None:
        headers["content-length"] = str(len(sent.body))
    return httpcore2.Request(
        sent.method.encode(),
        httpcore2.URL(scheme=target.scheme, host=target.endpoint, port=target.port, target=target.path),
        headers=[(name.encode(), value.encode()) for name, value in headers.items()],
        content=sent.body,
        extensions={"timeout": {"connect": CONNECT_S}, "sni_hostname": target.host},
    )


def redirected(sent: Outgoing, target: Target, answer: Answer) -> Outgoing | None:
    """The next request, or ``None`` when this is the answer already.

    After 301, 302 and 303 only GET and HEAD go on: other methods would lose their body and seem to have succeeded.
    A public host cannot send us into the LAN: its redirects to other hosts count as untrusted.
    """
    location = answer.headers.get("location")
    keeps_body = answer.status in (307, 308) or sent.method in ("GET", "HEAD")
    if answer.status not in REDIRECTS or location is None or not keeps_body:
        return None
    onward = parsed(_joined(target, location))
    headers, trust = sent.headers, sent.trust
    if onward.origin != target.origin:
        headers = {name: value for name, value in headers.items() if name in NEUTRAL}
    if onward.host != target.host and any(map(is_public, target.addresses)):
        trust = UNTRUSTED
    return attrs.evolve(sent, url=onward.url, headers=headers, trust=trust)


def _joined(target: Target, location: str) -> Any:
    import httpx2

    try:
        return target.url.join(location)
    except (httpx2.InvalidURL, ValueError) as error:
        raise EgressFailed(f"{target.host} redirected to something that is not a URL") from error


@asynccontextmanager
async def explained(host: str, deadline: float) -> AsyncIterator[None]:
    """Give up at the deadline, and turn what goes wrong below HTTP into one sentence without secrets."""
    import httpcore2

    try:
        async with asyncio.timeout_at(deadline):
            yield
    except (TimeoutError, httpcore2.TimeoutException) as error:
        raise EgressFailed(f"{host} did not answer in time") from error
    except (httpcore2.LocalProtocolError, UnicodeError) as error:
        raise EgressFailed(f"the request to {host} has a malformed method or header") from error
    except httpcore2.ConnectError as error:
        raise EgressFailed(f"{host} cannot be connected to: {_short(error)}") from error
    except (httpcore2.NetworkError, httpcore2.RemoteProtocolError, OSError) as error:
        raise EgressFailed(f"{host} broke off or answered with something that is not HTTP: {_short(error)}") from error


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())[:160]
    return text or type(error).__name__


def _merged(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for raw, value in headers:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        merged[name] = f"{merged[name]}, {text}" if name in merged else text
    return merged
