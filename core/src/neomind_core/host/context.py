"""What a plugin is given to work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import attrs

from ..contracts import Clock, Egress, EventBus, Logger, PluginInfo
from .records import Record
from .services import ServicesOf
from .settings import SettingsOf
from .threads import ForeignError, contain

Failed = Callable[[Record, BaseException], None]
CANCEL_S = 2.0


@attrs.define(kw_only=True, eq=False)
class Context:
    """The ``PluginContext`` of one plugin."""

    record: Record
    settings: SettingsOf
    services: ServicesOf
    bus: EventBus
    clock: Clock
    log: Logger
    egress: Egress
    data_dir: Path
    version: str
    on_failure: Failed
    tasks: set[asyncio.Task[Any]] = attrs.field(factory=set)
    failure: BaseException | None = None
    closing: bool = False

    @property
    def plugin(self) -> PluginInfo:
        return self.record.info()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        if self.closing:
            work.close()
            self.log.warning("background_task_refused", task=name, reason="the plugin is stopping")
            return
        task = asyncio.get_running_loop().create_task(contain(work), name=f"{self.record.name}:{name}")
        self.tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.error("background_task_failed", task=task.get_name(), exc_info=error)
            self.failure = error.error if isinstance(error, ForeignError) else error
            if not self.closing:
                self.on_failure(self.record, self.failure)

    async def cancel_tasks(self) -> None:
        """End what was spawned and wait for it, though not for ever."""
        self.closing = True
        tasks = set(self.tasks)
        for task in tasks:
            task.cancel()
        late = (await asyncio.wait(tasks, timeout=CANCEL_S))[1] if tasks else set()
        if late:
            self.log.warning("background_tasks_do_not_end", tasks=sorted(task.get_name() for task in late))
