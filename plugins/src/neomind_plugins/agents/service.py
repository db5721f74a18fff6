"""Agents: kept, changed, and put to work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import attrs

from neomind_sdk import AgentExecutionCompleted, BadRequest, Conflict, Notice, Principal
from neomind_sdk.turns import Turns

from . import forms, tables, views
from .errors import ExecutionFailed, ExecutionTimeout, unknown_agent, unknown_execution
from .grants import area_of
from .journal import cleared, recalled, remembered
from .kept import FAILED, Agent, AgentState, Execution, Note, Step
from .live import Live
from .models import AgentBody, NoteBody, RunBody
from .runs import LiveRun, Runs
from .schedules import Schedules
from .starting import Cause
from .triggers import HOPS_MAX, EventIndex, EventStarter, keys_of

AGENTS_MAX = 10_000
INVOKE_S = 60.0
EXECUTIONS_SHOWN = 50
DEFAULT_BACKEND = ("", "default")


class Agents:
    """All agents. Changes take turns; looking is a matter of memory. It is the platform's ``AgentRuns`` too."""

    schedules: Schedules
    starter: EventStarter

    def __init__(self, runs: Runs, index: EventIndex) -> None:
        self.runs = runs
        self.parts = runs.parts
        self.index = index
        self._agents: dict[str, Live] = {}
        self._turns = Turns()
        runs.ended = self._ended
        runs.parts.approvals.find = self.find
        runs.parts.approvals.rest = self._rest

    async def load(self) -> None:
        """Take up all agents as they were left; runs that were under way have failed."""
        now_ms = self.parts.clock.now_ms()
        interrupted = await self.parts.database.write(lambda: tables.interrupt(now_ms))
        for agent, state in await self.parts.database.read(tables.all_agents):
            await self._install(Live(agent, state), [each for each in interrupted if each.agent_id == agent.id])

    async def close(self) -> None:
        """Start nothing more, and end what runs."""
        for live in self._agents.values():
            self.schedules.drop(live)
            self.index.remove(live.id)
        await self._turns.close()
        await self.runs.close()
        await self.parts.approvals.close()

    # ---- looking ----

    def all(self) -> list[Live]:
        """The newest update first."""
        return sorted(self._agents.values(), key=lambda live: (-live.agent.updated_ms, live.id))

    def find(self, agent_id: str) -> Live | None:
        return self._agents.get(agent_id)

    def get(self, agent_id: str) -> Live:
        """Raises ``NotFound``."""
        live = self._agents.get(agent_id)
        if live is None:
            raise unknown_agent(agent_id)
        return live

    def executing(self, agent_id: str) -> bool:
        return agent_id in self.runs.running

    async def executions(self, agent_id: str) -> list[Execution]:
        """The newest runs of an agent, newest first."""
        self.get(agent_id)
        return await self.parts.database.read(lambda: tables.executions(agent_id, EXECUTIONS_SHOWN))

    async def execution(self, agent_id: str, execution_id: str) -> tuple[Execution, list[Step]]:
        """A run with its steps; raises ``NotFound`` for the agent, and for a run that is not one of its."""
        self.get(agent_id)
        found = await self.parts.database.read(lambda: tables.execution(agent_id, execution_id))
        if found is None:
            raise unknown_execution(execution_id)
        return found

    async def several(self, agent_id: str, ids: Sequence[str]) -> list[tuple[Execution, list[Step]]]:
        """Those of the runs that are there."""
        self.get(agent_id)

        def read() -> list[tuple[Execution, list[Step]]]:
            found = [tables.execution(agent_id, each) for each in dict.fromkeys(ids)]
            return [each for each in found if each is not None]

        return await self.parts.database.read(read)

    # ---- changing ----

    async def create(self, body: AgentBody, principal: Principal) -> Live:
        """A new agent; raises ``ApiError`` for one that cannot be."""
        agent = self._with_backend(forms.new_agent(body, self.parts.clock.now_ms()), body.llm_backend_id or "")
        self._checked(principal, None, agent)
        return await self._turns.run(lambda: self._add(agent))

    async def update(self, agent_id: str, body: AgentBody, principal: Principal) -> Live:
        """Change what the body has."""
        return await self._turns.run(lambda: self._update(agent_id, body, principal))

    async def set_status(self, agent_id: str, status: str) -> Live:
        return await self._turns.run(lambda: self._set_status(agent_id, status))

    async def delete(self, agent_id: str) -> None:
        """The agent, with its runs, approvals, and notes; a run that goes on is ended.

        When the storage refuses, the agent is as it was.
        """
        await self._turns.run(lambda: self._delete(agent_id))

    async def forget(self, agent_id: str) -> None:
        """Clear the journal."""
        await self._turns.run(lambda: self._forget(agent_id))

    # ---- running ----

    async def execute(self, agent_id: str, body: RunBody) -> LiveRun:
        """Begin a run by hand; raises ``NotFound``, and ``Conflict`` while another goes on."""
        live = self.get(agent_id)
        given = bool(body.input) or body.data is not None or bool(live.agent.resources)
        rows = () if given else await self.parts.collector.first_of(sorted(keys_of(live.agent)))
        cause = Cause(kind="manual", text=body.input or "", data=body.data, rows=rows)
        # The agent may have been deleted while its values were read.
        return await self.runs.start(self.get(agent_id), cause)

    async def invoke(self, agent_id: str, body: RunBody) -> tuple[Execution, list[Step]]:
        """Run and wait; raises ``ExecutionFailed`` and ``ExecutionTimeout`` besides what ``execute`` does."""
        run = await self.execute(agent_id, body)
        limit = asyncio.ensure_future(self.parts.clock.sleep(INVOKE_S))
        either: set[asyncio.Future[Any]] = {run.done, limit}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            limit.cancel()
        if not run.done.done():
            raise ExecutionTimeout(run.recorder.execution.id, INVOKE_S)
        execution = run.done.result()
        if execution.status == FAILED:
            raise ExecutionFailed(execution.id, execution.error or "The run has failed")
        return await self.execution(agent_id, execution.id)

    async def due(self, agent_id: str) -> None:
        """The schedule of an agent came; one that still runs is left alone."""
        live = self._agents.get(agent_id)
        if live is not None and live.active:
            self.offer(live, Cause(kind="schedule"))

    def offer(self, live: Live, cause: Cause) -> bool:
        """Begin a run unless one goes on; whether it began."""
        try:
            self.runs.begin(live, cause)
        except Conflict:
            return False
        return True

    def stored(self, notices: Sequence[Notice]) -> None:
        self.starter.handle(notices)

    def reschedule(self) -> None:
        """Try again what could not be scheduled."""
        for live in self._agents.values():
            if live.problem is not None:
                self.schedules.apply(live)

    # ---- for other plugins ----

    def exists(self, agent_id: str) -> bool:
        return agent_id in self._agents

    async def latest(self, agent_id: str) -> Mapping[str, Any] | None:
        """See ``AgentRuns.latest``."""
        found = await self.parts.database.read(lambda: tables.latest(agent_id)) if self.exists(agent_id) else None
        return None if found is None else views.execution_detail(*await self.execution(agent_id, found.id))

    async def start(
        self,
        agent_id: str,
        *,
        text: str = "",
        data: Any = None,
        trigger: str = "rule",
        cause: str | None = None,
        hops: int = 0,
    ) -> str:
        """See ``AgentRuns.start``; raises ``Conflict`` also when too many causes lie behind."""
        live = self.get(agent_id)
        if hops >= HOPS_MAX:
            raise Conflict(f"The agent is not started: {hops} causes lie behind, it may be feeding itself")
        run = await self.runs.start(live, Cause(kind=trigger, text=text, data=data, cause=cause, hops=hops))
        return run.recorder.execution.id

    # ---- notes ----

    async def notes(self, agent_id: str) -> list[Note]:
        self.get(agent_id)
        return await self.parts.database.read(lambda: tables.notes(agent_id))

    async def add_note(self, agent_id: str, body: NoteBody) -> Note:
        """Keep what a person says; the newest are kept."""
        self.get(agent_id)
        note = Note(
            id=str(uuid4()),
            agent_id=agent_id,
            at_ms=self.parts.clock.now_ms(),
            content=body.content,
            message_type=body.message_type,
        )
        if not await self.parts.database.write(lambda: tables.add_note(note)):
            raise unknown_agent(agent_id)
        return note

    async def delete_notes(self, agent_id: str, note_id: str | None = None) -> int:
        self.get(agent_id)
        return await self.parts.database.write(lambda: tables.delete_notes(agent_id, note_id))

    # ---- inside ----

    def _with_backend(self, agent: Agent, given: str) -> Agent:
        """The agent with the backend it is to use: the one that is named, or that is active now."""
        models = self.parts.models()
        if given.strip().lower() in DEFAULT_BACKEND:
            active = None if models is None else models.find()
            return attrs.evolve(agent, llm_backend_id=active.backend_id if active else None)
        if models is None or models.find(given) is None:
            raise BadRequest(f"llm_backend_id: there is no backend '{given}'")
        return attrs.evolve(agent, llm_backend_id=given)

    def _checked(self, principal: Principal, before: Agent | None, agent: Agent) -> None:
        forms.require_authority(principal, before, agent, lambda name: area_of(self.parts.toolbox.find(name)))
        self.schedules.check(agent)

    async def _add(self, agent: Agent) -> Live:
        if len(self._agents) >= AGENTS_MAX:
            raise Conflict(f"There are {AGENTS_MAX} agents already")
        live = Live(agent, AgentState())
        await self.parts.database.write(lambda: tables.put_agent(agent, live.state))
        await self._install(live)
        return live

    async def _update(self, agent_id: str, body: AgentBody, principal: Principal) -> Live:
        live = self.get(agent_id)
        agent = forms.merged(live.agent, body, self.parts.clock.now_ms())
        if body.llm_backend_id is not None:
            agent = self._with_backend(agent, body.llm_backend_id)
        forms.require_resources(live.agent, agent)
        self._checked(principal, live.agent, agent)
        return await self._redefine(live, agent)

    async def _set_status(self, agent_id: str, status: str) -> Live:
        live = self.get(agent_id)
        now_ms = self.parts.clock.now_ms()
        return await self._redefine(live, attrs.evolve(live.agent, status=status.capitalize(), updated_ms=now_ms))

    async def _redefine(self, live: Live, agent: Agent) -> Live:
        await self.parts.database.write(lambda: tables.put_definition(agent))
        again = (agent.schedule, agent.status) != (live.agent.schedule, live.agent.status)
        live.agent = agent
        self.index.put(live)
        if again:
            self.schedules.apply(live)
        return live

    async def _forget(self, agent_id: str) -> None:
        live = self.get(agent_id)
        before, live.state = live.state, cleared(live.state, self.parts.clock.now_ms())
        try:
            # As it is then: a run that ends meanwhile keeps the state as well.
            await self.parts.database.write(lambda: tables.put_state(agent_id, live.state))
        except Exception:
            live.state = recalled(live.state, before)
            raise

    async def _delete(self, agent_id: str) -> None:
        live = self.get(agent_id)
        # First: once it is done, nothing more can be kept of the agent, nor can a run begin.
        await self.parts.database.write(lambda: tables.delete_agent(agent_id))
        del self._agents[agent_id]
        self.schedules.drop(live)
        self.index.remove(agent_id)
        await self.runs.stop(agent_id, "the agent was deleted")

    async def _install(self, live: Live, interrupted: Sequence[Execution] = ()) -> None:
        for execution in interrupted:
            live.state = remembered(live.state, execution, str(execution.error), ())
            await self.parts.database.write(lambda: tables.put_state(live.id, live.state))
            self.parts.bus.publish(completed(execution))
        self._agents[live.id] = live
        self.index.put(live)
        self.schedules.apply(live)

    def _ended(self, run: LiveRun, execution: Execution) -> None:
        if execution.status == FAILED and run.cause.source is not None:
            self.starter.failed(run.live.id, run.cause.source)

    async def _rest(self, agent_id: str, execution_id: str) -> None:
        """Wait until a run has ended."""
        run = self.runs.running.get(agent_id)
        if run is not None and run.recorder.execution.id == execution_id:
            await asyncio.wait({run.done})


def completed(execution: Execution) -> AgentExecutionCompleted:
    return AgentExecutionCompleted(
        agent_id=execution.agent_id,
        execution_id=execution.id,
        success=execution.status != FAILED,
        duration_ms=execution.duration_ms,
        error=execution.error,
        cause=execution.cause,
        hops=execution.hops,
    )
