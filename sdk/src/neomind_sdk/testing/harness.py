"""A real host for tests: strict, without discovery, on a storage in memory, with a clock that the test turns."""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import attrs
import httpx2

from neomind_core.contracts import (
    ROLE_SCOPES,
    AuthScheme,
    Clock,
    Credentials,
    Egress,
    Event,
    EventBus,
    Plugin,
    PluginContext,
    Principal,
    Rejection,
)
from neomind_core.hookspecs import hookimpl
from neomind_core.host import logs
from neomind_core.host.config import HostConfig
from neomind_core.host.discovery import Candidate, hooks_of, scan
from neomind_core.host.host import Host

from .clock import VirtualClock, turns
from .memory import memory_storage_plugin

E = TypeVar("E", bound=Event)
T = TypeVar("T")
HEADER = "x-test-principal"
SETTLE_ROUNDS = 10


class Events(list[Event]):
    """Everything that was published, in order."""

    def of(self, kind: type[E]) -> list[E]:
        """The events of one class, and of its subclasses."""
        return [event for event in self if isinstance(event, kind)]


class HostServices:
    """The services as the host itself sees them: all of them."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def find(self, key: type[T]) -> T | None:
        found = self._host.services.get(key)
        return found.value if found else None

    def __getitem__(self, key: type[T]) -> T:
        value = self.find(key)
        if value is None:
            raise LookupError(f"no plugin of this host provides {key.__name__}")
        return value


class TestHost:
    """What ``make_host`` gives.

    ``host``      the host itself
    ``services``  ``host.services[DeviceDirectory]``
    ``events``    what was published since the start; ``host.events.of(DeviceOnline)``
    ``clock``     a ``VirtualClock`` unless another was given
    """

    __test__ = False  # pytest takes everything that is called Test… for tests

    def __init__(self, host: Host, principals: dict[str, Principal]) -> None:
        self.host = host
        self.clock: Any = host.clock
        self.bus: EventBus = host.bus
        self.services = HostServices(host)
        self.events = Events()
        self._principals = principals
        self._clients: list[httpx2.AsyncClient] = []

    def client(
        self, role: str | None = "admin", *, scopes: Iterable[str] | None = None, address: str = "127.0.0.1"
    ) -> httpx2.AsyncClient:
        """An HTTP client inside the process, logged in with a role, or with just some scopes, or not at all."""
        headers = {} if role is None else {HEADER: self.principal(role, scopes)}
        transport = httpx2.ASGITransport(self.host.api, client=(address, 40_000))
        client = httpx2.AsyncClient(transport=transport, base_url="http://neomind.test", headers=headers)
        self._clients.append(client)
        return client

    def principal(self, role: str, scopes: Iterable[str] | None = None) -> str:
        """The value of the header ``x-test-principal`` of a caller."""
        kind = "user" if scopes is None else "api_key"
        granted = ROLE_SCOPES[role] if scopes is None else frozenset(scopes)
        name = role if scopes is None else " ".join(sorted(granted)) or "nothing"
        self._principals[name] = Principal(
            kind=kind, id=f"test:{name}", name=name, role=role if scopes is None else "user", scopes=granted
        )
        return name

    def context(self, plugin: str) -> PluginContext:
        """What the hooks of a plugin get; raises ``KeyError`` when this host has no such plugin."""
        record = self.host.board.get(plugin)
        if record is None:
            raise KeyError(f"this host has no plugin '{plugin}'")
        context: PluginContext = record.context
        return context

    async def settle(self) -> None:
        """Wait until listeners have handled what was published and background work had its turn."""
        for _ in range(SETTLE_ROUNDS):
            await turns()
            await self.host.bus.settle()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serve on a free port of the loopback interface, for streams and sockets; gives ``http://127.0.0.1:<port>``."""
        import uvicorn

        config = uvicorn.Config(
            self.host.api,
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            timeout_graceful_shutdown=1,  # a stream that a test left open must not keep it from ending
            timeout_keep_alive=75,  # as `neomind serve`
        )
        server = uvicorn.Server(config)
        server.capture_signals = _no_signals  # type: ignore[method-assign]
        # With the protocol said, asyncio sends at once what it has; else every answer waits for an acknowledgement.
        with socket.socket(proto=socket.IPPROTO_TCP) as listening:
            listening.bind(("127.0.0.1", 0))
            task = asyncio.create_task(server.serve([listening]))
            try:
                while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.005)
                if task.done():
                    raise RuntimeError("the server did not start") from task.exception()
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                server.should_exit = True
                await asyncio.wait({task})

    def _record(self) -> None:
        publish = self.host.bus.publish

        def recorded(event: Event) -> int:
            self.events.append(event)
            return publish(event)

        self.host.bus.publish = recorded  # type: ignore[method-assign]

    async def _close(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self.host.stop()


@asynccontextmanager
async def make_host(
    *plugins: Plugin,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    config: HostConfig | None = None,
    clock: Clock | None = None,
    egress: Egress | None = None,
    data_dir: Path | None = None,
    storage: bool = True,
    strict: bool = True,
    find: Callable[[], list[Candidate]] | None = None,
    extensions: bool = False,
) -> AsyncIterator[TestHost]:
    """Start a host with exactly these plugins; any of them failing is an error of the test, unless not ``strict``.

    ``settings``    sections by plugin, as in the configuration file: ``{"telemetry": {"interval_hours": 2}}``
    ``storage``     whether a storage in memory is put in when none of the plugins provides one
    ``find``        further candidates, e.g. of fake distributions
    ``extensions``  whether single files in the extensions directory of ``data_dir`` are found too
    """
    logs.plain()
    principals: dict[str, Principal] = {}
    chosen = [*plugins, _login(principals)]
    if storage and not any("storage" in plugin.provides for plugin in plugins):
        chosen.append(memory_storage_plugin())
    with tempfile.TemporaryDirectory(prefix="neomind-") as temporary:
        host = Host(
            _with(config or HostConfig(), data_dir or Path(temporary), settings, strict),
            clock=clock or VirtualClock(),
            find=lambda: _candidates(chosen, find, Path(host.extensions_dir()) if extensions else None),
        )
        own = host.egress
        if egress is not None:
            host.egress = egress  # type: ignore[assignment]
            host.services.add(Egress, egress)
        test_host = TestHost(host, principals)
        test_host._record()
        try:
            await host.start()
            yield test_host
        finally:
            host.egress = own  # which the host closes; the other is the test's
            await test_host._close()


def candidate_of(plugin: Plugin) -> Candidate:
    """A candidate that is loaded already. First-party ones count as such."""
    module = _module_of(plugin)
    ours = module is not None and module.__name__.startswith("neomind_plugins.")
    return Candidate(
        name=plugin.name,
        distribution="neomind-plugins" if ours else f"test-{plugin.name.replace('_', '-')}",
        version="0.1.0",
        location=module.__name__ if module else None,
        load=lambda: (plugin, hooks_of(plugin, module)),
    )


def _candidates(plugins: list[Plugin], find: Any, files: Path | None) -> list[Candidate]:
    found = [candidate_of(plugin) for plugin in plugins] + (find() if find else [])
    if files is not None:
        found += [candidate for candidate in scan(files) if candidate.distribution.startswith("file:")]
    return found


def _module_of(plugin: Plugin) -> ModuleType | None:
    """The module whose ``plugin`` this is."""
    modules = list(sys.modules.values())  # some of them may be None, or nothing that has variables
    return next((module for module in modules if getattr(module, "__dict__", {}).get("plugin") is plugin), None)


def _with(config: HostConfig, data_dir: Path, settings: Mapping[str, Any] | None, strict: bool) -> HostConfig:
    plugins = attrs.evolve(config.plugins, strict=strict)
    return attrs.evolve(config, data_dir=data_dir, plugins=plugins, plugin={**config.plugin, **(settings or {})})


class _TestScheme:
    """Believes the header of the harness's own clients."""

    name = "test"
    priority = 0
    openapi: Mapping[str, object] = {"type": "apiKey", "in": "header", "name": HEADER}

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self._principals = principals

    async def authenticate(self, credentials: Credentials) -> Principal | Rejection | None:
        name = credentials.headers.get(HEADER)
        return self._principals.get(name) if name else None


def _login(principals: Mapping[str, Principal]) -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_auth_schemes(self, ctx: Any) -> list[AuthScheme]:
            return [_TestScheme(principals)]

    return Plugin(name="test_login", summary="Logs the harness's clients in.", hooks=Hooks())


def _no_signals() -> Any:
    """The signals belong to pytest."""
    return nullcontext()
