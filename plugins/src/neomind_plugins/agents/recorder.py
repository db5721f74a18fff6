"""The record of a run, written while it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import AgentStepTaken, Clock, Database, EventBus

from . import tables
from .kept import Execution, Step

STAGES = {"collecting": "Collecting data", "analyzing": "Analysing", "executing": "Executing", "completed": "Completed"}


class RunOver(Exception):
    """Somebody goes on with a run that has ended."""


class Recorder:
    """Of one run. ``execution`` is as it is known now; steps are durable when ``step`` returns."""

    def __init__(self, execution: Execution, database: Database, clock: Clock, bus: EventBus) -> None:
        self.execution = execution
        self._database = database
        self._clock = clock
        self._bus = bus
        self.actions: list[str] = []
        self._last = 0
        self._closed = False

    def close(self) -> None:
        """The run is over: no further step is taken, and nothing more is kept of it."""
        self._closed = True

    async def step(self, kind: str, data: Mapping[str, Any], *, state: str = "done") -> Step:
        """Keep a step; a tool that is about to run is ``started``. Raises ``RunOver`` after the end."""
        self._require_open()
        self._last += 1
        step = Step(number=self._last, kind=kind, at_ms=self._clock.now_ms(), state=state, data=dict(data))
        await self._put(step)
        return step

    async def amend(self, step: Step, data: Mapping[str, Any]) -> None:
        """What came of a step that was started; raises as ``step``."""
        self._require_open()
        await self._put(attrs.evolve(step, state="done", data={**step.data, **data}))

    async def note(self, **changes: Any) -> None:
        """Keep more of what is known of the run; raises as ``step``, for its end must not be undone."""
        self._require_open()
        self.execution = attrs.evolve(self.execution, **changes)
        await self._database.write(lambda: tables.progress(self.execution))

    def say(self, kind: str, **data: Any) -> None:
        """Tell whoever looks at the run live."""
        execution = self.execution
        self._bus.publish(
            AgentStepTaken(
                agent_id=execution.agent_id,
                execution_id=execution.id,
                kind=kind,
                data=data,
                cause=execution.cause,
                hops=execution.hops,
            )
        )

    def stage(self, stage: str) -> None:
        self.say("progress", stage=stage, stage_label=STAGES[stage], progress=None, details=None)

    def _require_open(self) -> None:
        if self._closed:
            raise RunOver

    async def _put(self, step: Step) -> None:
        await self._database.write(lambda: tables.put_step(self.execution.id, step))
