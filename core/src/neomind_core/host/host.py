"""The host: finds, assembles, starts and stops plugins, and is the ``Platform`` that plugins see."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from .. import contracts as c
from . import logs
from .clock import SystemClock
from .config import HostConfig
from .context import Context
from .discovery import Candidate, scan
from .egress import HttpEgress
from .events import Bus
from .http.app import Api, RouteEntry
from .lifecycle import Lifecycle
from .loader import Loader
from .records import Board, Record
from .services import ServiceRegistry, ServicesOf
from .settings import Settings, SettingsOf
from .threads import describe

RETRIED = frozenset(c.Status) - {c.Status.FOUND, c.Status.ENABLED, c.Status.FAILED_AT_RUN, c.Status.BLOCKED}
STORAGE_CLOSE_S = 2.0
GOODBYE_S = 0.5


class Host:
    """One platform in one event loop.

    ``find`` returns the candidates; by default installed distributions and the extensions directory. ``safe`` is the
    reason to start first-party plugins only.
    """

    def __init__(
        self,
        config: HostConfig,
        *,
        clock: c.Clock | None = None,
        find: Callable[[], list[Candidate]] | None = None,
        safe: str | None = None,
    ) -> None:
        self.config = config
        self.version = __version__
        self.clock = clock or SystemClock()
        self.started_ms = self.clock.now_ms()
        self.safe_mode = safe or ("asked for" if config.plugins.safe else None)
        self.bound: tuple[str, int] = (config.server.host, config.server.port)
        self._find = find or (lambda: scan(Path(self.extensions_dir())))
        self._log = logs.logger("host")
        self.bus = Bus(self.clock, self._log)
        self.settings = Settings(config, self.bus)
        self.services = ServiceRegistry()
        self.api = Api(config.http, self.clock, logs.logger("http"))
        self.egress = HttpEgress(config.egress, self.server_address)
        self.board = Board(self.clock, strict=config.plugins.strict)
        self._loader = Loader(config.plugins, self.board, self.settings, self.context, self.safe_mode)
        self._life = Lifecycle(config, self.board, self._loader.calls, self.services, self.bus)
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._started: list[Record] = []
        self._discovering = asyncio.Lock()
        self._booted = self._ending = False
        self._own_services()

    # ---- life -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start everything that can start. Never raises for what a plugin does, except in strict mode."""
        self.config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._start_all(await self._loader.load(self._find()))
        self._booted = True
        self._refresh()

    async def assemble(self) -> Sequence[Record]:
        """Load and route what can be loaded, without starting anything or touching the data directory."""
        records = await self._loader.load(self._find())
        self._route(records)
        return records

    async def settled(self) -> None:
        """Wait until no plugin is starting any more, nor being taken down."""
        while self._starting:
            await asyncio.wait(list(self._starting.values()))

    async def announce_stop(self) -> None:
        """Tell everybody that the end is near, once, and give them a moment: streams say goodbye, no job begins."""
        if self._ending:
            return
        self._ending = True
        self.bus.publish(c.PlatformStopping())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self.bus.settle()

    async def stop(self) -> None:
        """Stop in reverse order of start, within the time that the configuration gives, then close the storage."""
        await self.announce_stop()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.config.plugins.stop_cap_s - STORAGE_CLOSE_S
        for task in self._starting.values():
            task.cancel()
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        for record in reversed(self._started):
            await self._life.stop(record, max(0.1, deadline - loop.time()))
        await self.bus.close()
        await self.egress.close()
        await self._life.close_storage()

    async def _start_all(self, records: Sequence[Record]) -> None:
        for record in records:
            task = asyncio.create_task(self._start_one(record), name=f"start:{record.name}")
            self._starting[record.name] = task
            patience = 0.0 if self._waits_for(record) else self.config.plugins.start_warn_s
            await asyncio.wait({task}, timeout=patience)
            if task.done():
                task.result()  # strict mode raises here
            else:
                self.board.move(record, c.Status.FOUND, f"still starting; has {self.config.plugins.start_cap_s:g} s")
                self._log.warning("plugin_starts_slowly", name=record.name)

    async def _start_one(self, record: Record) -> None:
        try:
            await asyncio.gather(*self._waits_for(record), return_exceptions=True)
            await self._life.start(record)
            if record.status is c.Status.ENABLED:
                self._started.append(record)
            else:
                self._say_failed(record)
        finally:
            del self._starting[record.name]
        self._refresh()

    def _waits_for(self, record: Record) -> list[asyncio.Task[None]]:
        wanted = (*record.plugin.requires, *record.plugin.after) if record.plugin else ()
        return [self._starting[name] for name in self._plugins_behind(wanted) if name in self._starting]

    def _plugins_behind(self, names: Sequence[str]) -> set[str]:
        behind = {name for name in names if self.board.get(name)}
        return behind | {r.name for r in self.board if r.plugin and set(r.plugin.provides) & set(names)}

    def _refresh(self) -> None:
        """Serve the routes, and ask the auth schemes, of exactly the plugins that run."""
        self.api.starting = self.api.starting and (not self._booted or bool(self._starting))
        self._route(self.board.enabled())

    def _route(self, records: Sequence[Record]) -> None:
        entries = [
            RouteEntry(owner=record.name, services=record.context.services, item=item)
            for record in records
            for item in record.contributions.get("routes", ())
        ]
        self.api.set_routes(entries)
        self.api.set_schemes([scheme for r in records for scheme in r.contributions.get("auth_schemes", ())])

    def _fail_running(self, record: Record, error: BaseException) -> None:
        """A plugin's background work died: stop what is left of it and say so."""
        if record.status is c.Status.ENABLED:
            self.board.move(record, c.Status.FAILED_AT_RUN, describe(error))
            self._starting[record.name] = asyncio.create_task(self._take_down(record), name=f"stop:{record.name}")

    async def _take_down(self, record: Record) -> None:
        self._started.remove(record)
        self._refresh()
        await self._life.stop(record, STORAGE_CLOSE_S)
        del self._starting[record.name]
        self._say_failed(record)

    def _say_failed(self, record: Record) -> None:
        self.bus.publish(c.ExtensionStateChanged(extension_id=record.name, state="error", message=record.reason))

    # ---- what plugins are given -------------------------------------------------------------------------------

    def context(self, record: Record) -> Context:
        """What the hooks of a plugin are called with."""
        return Context(
            record=record,
            settings=SettingsOf(self.settings),
            services=ServicesOf(self.services, record.name, lambda owner: self._declared(record, owner)),
            bus=self.bus,
            clock=self.clock,
            log=logs.logger(record.name),
            egress=self.egress,
            data_dir=self.config.data_dir,
            version=self.version,
            on_failure=self._fail_running,
        )

    def _declared(self, record: Record, owner: str) -> bool:
        plugin = record.plugin
        return plugin is not None and owner in self._plugins_behind((*plugin.requires, *plugin.after))

    def _own_services(self) -> None:
        for key, value in (
            (c.Platform, self),
            (c.SettingsRegistry, self.settings),
            (c.Authenticator, self.api),
            (c.EventBus, self.bus),
            (c.Egress, self.egress),
            (c.Clock, self.clock),
        ):
            self.services.add(key, value)

    # ---- the Platform service ---------------------------------------------------------------------------------

    def plugins(self) -> Sequence[c.PluginInfo]:
        return [record.info() for record in self.board]

    def contributions(self, kind: str) -> Sequence[tuple[str, Any]]:
        return [(record.name, item) for record in self.board.enabled() for item in record.contributions.get(kind, ())]

    async def discover(self) -> Sequence[c.PluginInfo]:
        async with self._discovering:
            before = {(record.name, record.distribution) for record in self.board}
            candidates = self._find()
            self.board.forget(RETRIED)
            await self._start_all(await self._loader.load(candidates))
            return [info for info in self.plugins() if (info.name, info.distribution) not in before]

    def extensions_dir(self) -> str:
        return str(self.config.data_dir / "extensions")

    def server_address(self) -> tuple[str, int]:
        return self.bound

    def listener_stats(self) -> Mapping[str, Mapping[str, int]]:
        return self.bus.stats()
