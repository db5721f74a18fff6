"""The jobs of targets that are served at intervals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from neomind_sdk import ApiError, Every, Job, Logger, Scheduling

from .live import Live
from .records import INTERVAL

NO_SCHEDULER = "the plugin scheduler does not run"


@attrs.frozen
class Schedules:
    """``due`` is awaited with a target whose time has come."""

    scheduling: Callable[[], Scheduling | None]
    due: Callable[[Live], Awaitable[None]]
    log: Logger

    def apply(self, live: Live) -> None:
        """Have the target come at its times; what keeps it from that is its ``problem``."""
        if live.target.schedule.kind != INTERVAL or live.unschedule is not None:
            return
        scheduling = self.scheduling()
        if scheduling is None:
            live.problem = NO_SCHEDULER
            return

        async def run() -> None:
            await self.due(live)

        timing = Every(seconds=live.target.schedule.interval_secs)
        try:
            live.unschedule = scheduling.add(Job(name=f"data_push.{live.id}", trigger=timing, run=run))
            live.problem = None
        except ApiError as error:
            live.problem = error.message
            self.log.error("push_cannot_be_scheduled", target=live.id, reason=error.message)
