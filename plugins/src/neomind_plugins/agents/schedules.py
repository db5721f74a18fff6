"""The jobs of agents that run by the clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from neomind_sdk import ApiError, BadRequest, Every, Job, Logger, Scheduling

from .forms import trigger_of
from .kept import CRON, INTERVAL, Agent, Schedule
from .live import Live

NO_SCHEDULER = "the plugin scheduler does not run"


def timing_of(schedule: Schedule) -> Every | None:
    seconds = schedule.interval_seconds
    return Every(seconds=float(seconds)) if schedule.schedule_type == INTERVAL and seconds else None


async def nothing() -> None:
    """What a job does that is only checked."""


@attrs.frozen
class Schedules:
    """``due`` is awaited with the id of an agent whose time has come."""

    scheduling: Callable[[], Scheduling | None]
    due: Callable[[str], Awaitable[None]]
    log: Logger

    def check(self, agent: Agent) -> None:
        """Raise ``BadRequest`` for a cron expression that cannot be."""
        scheduling = self.scheduling()
        if scheduling is None or agent.schedule.schedule_type != CRON:
            return
        try:
            scheduling.check(Job(name=f"agents.{agent.id}", trigger=trigger_of(agent.schedule), run=nothing))
        except ApiError as error:
            raise BadRequest(f"schedule.cron_expression: {error.message}") from error

    def apply(self, live: Live) -> None:
        """Have the agent run at its times, or no longer; what keeps it from that is its ``problem``."""
        self.drop(live)
        schedule = live.agent.schedule
        trigger = trigger_of(schedule) if schedule.schedule_type == CRON else timing_of(schedule)
        if trigger is None or not live.active:
            return
        scheduling = self.scheduling()
        if scheduling is None:
            live.problem = NO_SCHEDULER
            return
        try:
            live.unschedule = scheduling.add(Job(name=f"agents.{live.id}", trigger=trigger, run=self._run(live.id)))
        except ApiError as error:
            live.problem = error.message
            self.log.error("agent_cannot_be_scheduled", agent_id=live.id, reason=error.message)

    def drop(self, live: Live) -> None:
        """Take the agent's job away."""
        unschedule, live.unschedule, live.problem = live.unschedule, None, None
        if unschedule is not None:
            unschedule()

    def _run(self, agent_id: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.due(agent_id)

        return run
