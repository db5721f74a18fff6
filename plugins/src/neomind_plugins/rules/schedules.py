"""The jobs of rules that fire by the clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from neomind_sdk import ApiError, Job, Logger, Scheduling

from .live import Live

NO_SCHEDULER = "the plugin scheduler does not run"


@attrs.frozen
class Schedules:
    """``due`` is awaited with the id of a rule whose time has come."""

    scheduling: Callable[[], Scheduling | None]
    due: Callable[[str], Awaitable[None]]
    log: Logger

    def apply(self, live: Live) -> None:
        """Have the rule come at its times, or no longer; what keeps it from that is its ``problem``."""
        self.drop(live)
        timing = live.rule.trigger.timing
        if timing is None or not live.active:
            return
        scheduling = self.scheduling()
        if scheduling is None:
            live.problem = NO_SCHEDULER
            return
        try:
            live.unschedule = scheduling.add(Job(name=f"rules.{live.id}", trigger=timing, run=self._run(live.id)))
        except ApiError as error:
            live.problem = error.message
            self.log.error("rule_cannot_be_scheduled", rule_id=live.id, reason=error.message)

    def drop(self, live: Live) -> None:
        """Take the rule's job away."""
        unschedule, live.unschedule, live.problem = live.unschedule, None, None
        if unschedule is not None:
            unschedule()

    def _run(self, rule_id: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.due(rule_id)

        return run
