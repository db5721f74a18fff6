"""Starting and stopping one plugin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .. import contracts as c
from . import threads
from .calls import HookCalls, HookError
from .checks import wrong
from .config import HostConfig
from .context import Context
from .guard import LoopBlocked
from .records import Board, Record
from .services import ServiceRegistry
from .tables import MigrationFailed, migrate

PER_PLUGIN_STOP_S = 2.0


class StartFailed(Exception):
    """A plugin could not start; the message is the reason."""


class Lifecycle:
    """Runs what plugins contribute to start and stop; owns the open storage."""

    def __init__(self, config: HostConfig, board: Board, calls: HookCalls, services: ServiceRegistry, bus: Any) -> None:
        self._config = config
        self._board = board
        self._calls = calls
        self._services = services
        self._bus = bus
        self.storage: c.OpenStorage | None = None
        self._opened_by: Record | None = None

    async def start(self, record: Record) -> None:
        """Bring an assembled plugin to ``enabled``, or to a failure with its reason, undone as a whole."""
        lacking = self._lacking(record)
        if lacking:
            record.drop()
            self._board.fail(record, c.Status.MISSING_REQUIREMENT, lacking)
            return
        cap = self._config.plugins.start_cap_s
        try:
            await threads.within(self._start(record), cap)
        except asyncio.CancelledError:
            await self.stop(record, PER_PLUGIN_STOP_S)
            raise
        except threads.TooSlow as error:
            await self._undo(record, f"starting took over {cap:g} s", error)
        except (StartFailed, c.PluginUnavailable, MigrationFailed, LoopBlocked, HookError) as error:
            await self._undo(record, str(error), error)
        except threads.ForeignError as failed:
            known = isinstance(failed.error, HookError | c.PluginUnavailable)
            await self._undo(record, str(failed.error if known else failed), failed.error)
        except Exception as error:
            await self._undo(record, threads.describe(error), error)
        else:
            self._board.move(record, c.Status.ENABLED, "running")
            self._bus.publish(c.ExtensionStateChanged(extension_id=record.name, state="started"))

    async def stop(self, record: Record, cap_s: float) -> None:
        """Run the stop steps within ``cap_s``, end background tasks, leave the bus, take the services away."""
        context: Context = record.context
        try:
            await threads.within(self._stop_steps(record), min(cap_s, PER_PLUGIN_STOP_S))
        except threads.TooSlow:
            context.log.warning("stop_took_too_long", plugin=record.name)
        finally:
            await context.cancel_tasks()
            while record.undo:
                record.undo.pop()()
            self._services.remove_owner(record.name)
            if record.failed:
                record.drop()

    def _lacking(self, record: Record) -> str | None:
        plugin = record.plugin
        there = {name for other in self._board.enabled() if other.plugin for name in _names(other.plugin)}
        for wanted in plugin.requires if plugin else ():
            if wanted not in there:
                other = self._board.get(wanted) or self._provider(wanted)
                why = f": {other.status.value}: {other.reason}" if other else ""
                return f"requires '{wanted}', which is not running{why}"
        if plugin and "storage" in plugin.requires and self.storage is None:
            return f"requires 'storage', and no engine is open: wanted is {self._wanted()}, there is {self._engines()}"
        return None

    def _engines(self) -> list[str]:
        """The names of all storage engines that plugins in good order contribute."""
        return sorted(one.name for r in self._board if not r.failed for one in r.contributions.get("storages", ()))

    def _wanted(self) -> str:
        """The engine to open: the one that is configured, the only one there is, ``sqlite`` among several."""
        names = self._engines()
        return self._config.storage.engine or (names[0] if len(names) == 1 else "sqlite")

    def _provider(self, name: str) -> Record | None:
        return next((r for r in self._board if r.plugin and name in r.plugin.provides), None)

    async def _start(self, record: Record) -> None:
        added = record.contributions
        await self._open_storage(record)
        for tables in added.get("tables", ()):
            if self.storage is None:
                raise StartFailed("it has tables, and no storage is open; it must require 'storage'")
            await migrate(self.storage, tables, record.context.clock.now_ms())
        for service in added.get("services", ()):
            self._services.add(service.key, service.build(record.context), record.name, private=service.private)
        for listener in added.get("listeners", ()):
            record.undo.append(self._bus.subscribe(listener))
        for step in await self._steps(record, "start"):
            await step.run()
        if (failure := record.context.failure) is not None:
            raise StartFailed(f"its background work ended: {threads.describe(failure)}")

    async def _steps(self, record: Record, kind: str) -> list[c.Step]:
        cap = self._config.plugins.start_cap_s
        steps: list[c.Step] = await threads.call(lambda: self._calls.collect(record.name, kind, record.context), cap)
        problem = wrong(record.name, kind, steps)
        if problem:
            raise StartFailed(problem)
        return steps

    async def _open_storage(self, record: Record) -> None:
        engines: list[c.Storage] = record.contributions.get("storages", [])
        engine = next((one for one in engines if one.name == self._wanted()), None)
        if engine is None or self.storage is not None:
            return
        settings = record.context.settings[engine.settings] if engine.settings else None
        self.storage = await engine.open(self._config.data_dir, settings)
        self._opened_by = record
        self._services.add(c.Database, self.storage.database)
        self._services.add(c.TelemetryStore, self.storage.telemetry)
        self._services.add(c.OpenStorage, self.storage)

    async def close_storage(self) -> None:
        """Close the storage, last of all; nothing happens when none is open."""
        storage, self.storage = self.storage, None
        if storage is not None:
            for key in (c.Database, c.TelemetryStore, c.OpenStorage):
                self._services.remove(key)
            await storage.close()

    async def _undo(self, record: Record, reason: str, error: BaseException) -> None:
        record.context.log.error("plugin_failed_to_start", reason=reason, exc_info=error)
        await self.stop(record, PER_PLUGIN_STOP_S)
        if self._opened_by is record:
            await self.close_storage()
        record.drop()
        self._board.fail(record, c.Status.FAILED_AT_RUN, reason, error)

    async def _stop_steps(self, record: Record) -> None:
        try:
            steps = await self._steps(record, "stop")
        except (StartFailed, HookError, threads.ForeignError) as error:
            record.context.log.error("stop_hook_failed", reason=str(error))
            return
        for step in steps:
            await self._try_step(record, step.name, step.run)

    async def _try_step(self, record: Record, name: str, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await threads.contain(run())
        except Exception as error:
            record.context.log.error("stop_step_failed", step=name, exc_info=error)


def _names(plugin: c.Plugin) -> tuple[str, ...]:
    return (plugin.name, *plugin.provides)
