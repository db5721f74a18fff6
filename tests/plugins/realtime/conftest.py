"""A host with realtime, served on loopback, and clients that speak to it as a browser would."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from neomind_plugins.realtime import plugin as realtime
from neomind_plugins.realtime.entries import Entry
from neomind_plugins.realtime.kinds import Kind
from neomind_plugins.realtime.models import RealtimeSettings
from neomind_plugins.realtime.service import Hub
from neomind_sdk import (
    ROLE_SCOPES,
    Credentials,
    MetricsStored,
    Notice,
    Plugin,
    Point,
    Principal,
    Rejection,
    Unauthorized,
    hookimpl,
)
from neomind_sdk.testing import VirtualClock, make_host

SOON_S = 10.0
SAMPLE_MS = 1_700_000_000_250
ADA = Principal(kind="user", id="u-1", name="ada", role="admin", scopes=ROLE_SCOPES["admin"], session="s-1")
ADA_ELSEWHERE = attrs.evolve(ADA, session="s-2")
VIEWER = Principal(kind="user", id="u-2", name="vic", role="viewer", scopes=ROLE_SCOPES["viewer"], session="s-3")
RULES_KEY = Principal(kind="api_key", id="apikey:1", name="rules", scopes=frozenset({"rules:read"}))
SHARE = Principal(kind="share", id="share:1", name="share", scopes=frozenset({"devices:read"}))


class Logins:
    """Tokens and keys that a test can take away; ``Authenticator`` and auth scheme in one."""

    name = "fake"
    priority = 5
    openapi = {"type": "http", "scheme": "bearer"}

    def __init__(self) -> None:
        self.tokens = {"ada": ADA, "ada2": ADA_ELSEWHERE, "vic": VIEWER, "share": SHARE}
        self.keys = {"nmk_rules": RULES_KEY}

    async def authenticate(self, credentials: Credentials) -> Principal | Rejection | None:
        token = credentials.bearer or credentials.query.get("token")
        key = credentials.headers.get("x-api-key") or credentials.query.get("api_key")
        found = self.tokens.get(token or "") or self.keys.get(key or "")
        if found is None and (token or key):
            return Rejection("INVALID_TOKEN", "no such thing")
        return found

    async def identify(self, credentials: Credentials) -> Principal:
        found = await self.authenticate(credentials)
        if isinstance(found, Principal):
            return found
        raise Unauthorized("no such thing")


def login_plugin(logins: Logins) -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_auth_schemes(self, ctx: Any) -> list[Any]:
            return [logins]

    return Plugin(name="fake_logins", summary="Tokens for tests.", hooks=Hooks())


class Log:
    """Remembers the names of what was logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append(event)

    debug = warning = error = exception = info


@attrs.define
class Served:
    """A host behind a real server. ``hub`` is the plugin's own."""

    host: Any
    url: str
    logins: Logins
    clients: list[Client] = attrs.field(factory=list)

    @property
    def hub(self) -> Hub:
        return self.host.services[Hub]

    @property
    def streams(self) -> list[Any]:
        return list(self.hub._streams)

    def publish(self, *events: Any) -> None:
        for event in events:
            self.host.bus.publish(event)

    async def socket(self, query: str = "token=ada", *, authenticated: bool = True, **more: Any) -> Client:
        """A WebSocket; when it is ``authenticated``, past ``Authenticated`` and the first ping."""
        address = self.url.replace("http", "ws", 1) + "/api/events" + (f"?{query}" if query else "")
        client = Client(await connect(address, compression=None, ping_interval=None, **more))
        self.clients.append(client)
        if authenticated:
            assert (await client.frame())["type"] == "Authenticated"
            assert (await client.frame())["type"] == "ping"
        return client


@attrs.define
class Client:
    """A WebSocket's client end."""

    connection: ClientConnection

    async def send(self, body: Any) -> None:
        await self.connection.send(body if isinstance(body, str | bytes) else json.dumps(body))

    async def frame(self) -> Any:
        return json.loads(await asyncio.wait_for(self.connection.recv(), SOON_S))

    async def events(self, count: int) -> list[dict[str, Any]]:
        """The next events, out of batches or bare; pings are skipped, anything else that is no event comes along."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            frame = await self.frame()
            if frame.get("type") != "ping":
                found += frame["events"] if frame.get("batch") else [frame]
        assert len(found) == count
        return found

    async def event(self) -> dict[str, Any]:
        return (await self.events(1))[0]

    async def closed(self) -> tuple[int | None, list[Any]]:
        """The close code, and the frames that came before it."""
        frames = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                frames.append(await self.frame())
        return self.connection.close_code, frames


@asynccontextmanager
async def serving(*plugins: Plugin, clock: Any = None, **settings: Any) -> AsyncIterator[Served]:
    logins = Logins()
    sections = {"realtime": settings}
    async with (
        make_host(realtime, login_plugin(logins), *plugins, settings=sections, clock=clock) as host,
        host.served() as url,
    ):
        served = Served(host, url, logins)
        try:
            yield served
        finally:
            for client in served.clients:
                await client.connection.close()
            await served.hub.close()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def make_hub(clock: VirtualClock) -> Callable[..., Hub]:
    """A hub without HTTP."""

    def make(**settings: Any) -> Hub:
        logins: Any = Logins()
        return Hub(logins, clock, Log(), lambda: RealtimeSettings(**settings))

    return make


async def until(condition: Callable[[], Any]) -> None:
    """Wait for what the other end of a socket brings about."""
    async with asyncio.timeout(SOON_S):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)


def stored(*values: Any, device: str = "boiler", metric: str = "temperature", source: str = "api") -> MetricsStored:
    points = [Point(f"device:{device}:{metric}", SAMPLE_MS, value) for value in values]
    return MetricsStored(points=points, source=source)


def notices(events: Iterable[Any], first: int, at_ms: int = 1_700_000_000_000) -> list[Notice]:
    return [Notice(first + number, at_ms, event) for number, event in enumerate(events)]


PLAIN = Kind(type="Plain", scope="events:read")
URGENT = Kind(type="Urgent", scope="events:read", urgent=True)


def entry(seq: int, series: str | None = None, *, kind: Kind = PLAIN, size: int = 0) -> Entry:
    json_text = json.dumps({"seq": seq, "pad": "x" * size}, separators=(",", ":"))
    return Entry(seq, kind, json_text.encode(), series)
