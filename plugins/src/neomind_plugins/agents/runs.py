"""Runs of agents: started, limited, recorded, and ended whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import attrs

from neomind_sdk import (
    AgentExecutionCompleted,
    AgentExecutionStarted,
    Clock,
    Conflict,
    Database,
    EventBus,
    LanguageModels,
    Logger,
    ModelInfo,
)
from neomind_sdk.units import seconds

from . import tables
from .approvals import Approvals
from .calling import Caller
from .collecting import Collector, Row
from .errors import unknown_agent
from .gate import Gate
from .journal import remembered
from .keeping import Keeper
from .kept import FAILED, FOCUSED, INTERRUPTED, Agent, Execution
from .live import Live
from .masking import masked, text
from .masking import reason as reason_of
from .models import AgentSettings
from .prompts import Briefing, opening
from .quoting import Quoter
from .recorder import Recorder
from .run import AgentRun, Bounds, Ending, RunFailed, RunParts
from .starting import Cause
from .toolbox import Toolbox

GRACE_S = 1.0
NOTES_SHOWN = 5


@attrs.frozen(kw_only=True)
class Parts:
    """What runs are made of."""

    database: Database
    clock: Clock
    log: Logger
    bus: EventBus
    settings: Callable[[], AgentSettings]
    models: Callable[[], LanguageModels | None]
    toolbox: Toolbox
    caller: Caller
    collector: Collector
    approvals: Approvals


@attrs.define(eq=False)
class LiveRun:
    """A run that goes on. ``begun`` is set when it is recorded, ``done`` has the execution when its end is.

    ``enough`` is set when nobody waits for the storage any longer.
    """

    live: Live
    cause: Cause
    recorder: Recorder
    begun: asyncio.Future[None]
    done: asyncio.Future[Execution]
    started: float
    work: asyncio.Task[Ending] | None = None
    loop: AgentRun | None = None
    rows: list[Row] = attrs.field(factory=list)
    stopping: str | None = None
    enough: asyncio.Event = attrs.field(factory=asyncio.Event)


class Runs:
    """All runs that go on; an agent has one at a time. ``ended`` is told of each."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.running: dict[str, LiveRun] = {}
        self.ended: Callable[[LiveRun, Execution], None] = lambda run, execution: None
        settings = parts.settings
        self._gate = Gate(lambda: settings().max_concurrent, lambda: settings().max_concurrent_per_backend)
        self._keeper = Keeper(parts.database, parts.clock, parts.log)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def begin(self, live: Live, cause: Cause) -> LiveRun:
        """Begin a run in the background; raises ``Conflict`` while another of this agent goes on."""
        if live.id in self.running:
            raise Conflict(f"The agent '{live.agent.name}' is executing already")
        if self._closed:
            raise Conflict("The platform is stopping")
        execution = Execution(
            id=str(uuid4()),
            agent_id=live.id,
            started_ms=self.parts.clock.now_ms(),
            trigger_type=cause.kind,
            cause=cause.cause,
            hops=cause.hops,
        )
        loop = asyncio.get_running_loop()
        recorder = Recorder(execution, self.parts.database, self.parts.clock, self.parts.bus)
        run = LiveRun(live, cause, recorder, loop.create_future(), loop.create_future(), self.parts.clock.monotonic())
        run.begun.add_done_callback(lambda future: future.exception())
        self.running[live.id] = run
        task = asyncio.create_task(self._live(run), name=f"agent:{live.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def start(self, live: Live, cause: Cause) -> LiveRun:
        """Begin a run, and wait until it is recorded; raises ``NotFound`` for an agent that was deleted meanwhile."""
        run = self.begin(live, cause)
        await asyncio.shield(run.begun)
        return run

    async def stop(self, agent_id: str, reason: str) -> None:
        """End a run that goes on, and wait for it."""
        run = self.running.get(agent_id)
        if run is None:
            return
        run.stopping = run.stopping or reason
        run.enough.set()
        if run.work is not None:
            run.work.cancel()
        await asyncio.wait({run.done})

    async def close(self) -> None:
        """End all runs."""
        self._closed = True
        await asyncio.gather(*(self.stop(agent_id, INTERRUPTED) for agent_id in list(self.running)))

    # ---- inside ----

    async def _live(self, run: LiveRun) -> None:
        parts, execution = self.parts, run.recorder.execution
        try:
            if not await parts.database.write(lambda: tables.begin(execution)):
                raise unknown_agent(execution.agent_id)
        except Exception as error:
            self.running.pop(run.live.id, None)
            run.begun.set_exception(error)
            run.done.set_result(attrs.evolve(execution, status=FAILED, error=text(str(error))))
            return
        run.begun.set_result(None)
        self._say_started(run)
        run.work = asyncio.create_task(self._placed(run))
        if run.stopping is not None:
            run.work.cancel()
        await asyncio.wait({run.work})
        await self._end(run, *outcome_of(run))

    def _say_started(self, run: LiveRun) -> None:
        execution = run.recorder.execution
        self.parts.bus.publish(
            AgentExecutionStarted(
                agent_id=run.live.id,
                agent_name=run.live.agent.name,
                execution_id=execution.id,
                trigger_type=execution.trigger_type,
                cause=execution.cause,
                hops=execution.hops,
            )
        )

    async def _placed(self, run: LiveRun) -> Ending:
        """Wait for a place, then run within the time limit. Raises ``RunFailed``."""
        agent = run.live.agent
        models = self.parts.models()
        info = model_of(models, agent)
        assert models is not None
        async with self._gate.place(info.backend_id, agent.priority):
            limit_s = agent.limits.timeout_secs or self.parts.settings().execution_timeout_secs
            return await self._timed(run, self._work(run, models, info), limit_s)

    async def _timed(self, run: LiveRun, work: Coroutine[Any, Any, Ending], limit_s: float) -> Ending:
        inner = asyncio.create_task(work)
        inner.add_done_callback(lambda task: task.cancelled() or task.exception())
        limit = asyncio.ensure_future(self.parts.clock.sleep(limit_s))
        try:
            await asyncio.wait({inner, limit}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            late = not inner.done()
            limit.cancel()
            if late:
                # Whoever does not heed the cancellation takes no further step, for each is recorded first.
                run.recorder.close()
                inner.cancel()
                await asyncio.wait({inner}, timeout=GRACE_S)
        if late:
            raise RunFailed("timeout", f"the run took longer than {limit_s:g} s")
        return inner.result()

    async def _work(self, run: LiveRun, models: LanguageModels, info: ModelInfo) -> Ending:
        parts, agent, quoter = self.parts, run.live.agent, Quoter()
        offer = parts.toolbox.offer(agent)
        brief = await self._brief(run, info)
        tools = info.capabilities.tools and bool(offer.specs)
        run.loop = AgentRun(
            RunParts(
                models=models,
                model=info,
                offer=offer,
                caller=parts.caller,
                recorder=run.recorder,
                quoter=quoter,
                clock=parts.clock,
                bounds=bounds_of(agent, parts.settings()),
                agent=lambda: run.live.agent,
                ask_approval=lambda wish: parts.approvals.ask(agent, run.recorder.execution, wish),
            ),
            opening(brief, quoter, tools=tools),
        )
        return await run.loop.go()

    async def _brief(self, run: LiveRun, info: ModelInfo) -> Briefing:
        """Collect the data, and keep what was collected."""
        parts, agent, cause, now_ms = self.parts, run.live.agent, run.cause, self.parts.clock.now_ms()
        run.recorder.stage("collecting")
        extra = list(cause.rows)
        if cause.data is not None:
            extra.append(
                Row(source="invocation", data_type="data", values=masked(cause.data), timestamp=seconds(now_ms))
            )
        run.rows = await parts.collector.collect(agent, extra, now_ms)
        await run.recorder.note(
            record={"data_collected": [attrs.asdict(row) for row in run.rows], "input": text(cause.text)}
        )
        return Briefing(
            agent=agent,
            rows=run.rows,
            images=await parts.collector.pictures(run.rows) if info.capabilities.multimodal else (),
            journal=run.live.state.journal[-agent.context_window_size :],
            notes=await parts.database.read(lambda: tables.notes(agent.id, NOTES_SHOWN)),
            request=cause.text,
            trigger=cause.kind,
            now_ms=now_ms,
        )

    async def _end(self, run: LiveRun, ending: Ending, error: str | None) -> None:
        """Whatever happens, the run is over for the platform."""
        run.recorder.close()
        execution = self._final(run, ending, error)
        live = run.live
        live.state = remembered(live.state, execution, ending.conclusion, run.recorder.actions)
        try:
            await self._keep_end(run, execution)
        except Exception:
            self.parts.log.exception("agent_run_not_recorded", agent_id=live.id, execution_id=execution.id)
        finally:
            self.running.pop(live.id, None)
            run.done.set_result(execution)
        run.recorder.stage("completed")
        self.parts.bus.publish(
            AgentExecutionCompleted(
                agent_id=live.id,
                execution_id=execution.id,
                success=execution.status != FAILED,
                duration_ms=execution.duration_ms,
                error=error,
                cause=execution.cause,
                hops=execution.hops,
            )
        )
        self.ended(run, execution)

    async def _keep_end(self, run: LiveRun, execution: Execution) -> None:
        """With the agent's state as it is when the storage takes it."""
        live = run.live
        await self._keeper.surely(
            lambda: tables.end(execution, live.state), run.enough, agent_id=live.id, execution_id=execution.id
        )

    def _final(self, run: LiveRun, ending: Ending, error: str | None) -> Execution:
        loop = run.loop
        used: dict[str, Any] = {
            "rounds": loop.rounds if loop else 0,
            "prompt_tokens": loop.prompt_tokens if loop else 0,
            "completion_tokens": loop.completion_tokens if loop else 0,
        }
        record = {
            **run.recorder.execution.record,
            "situation_analysis": error or f"{len(run.rows)} sources looked at",
            "conclusion": ending.conclusion,
            "confidence": loop.confidence if loop else 0.5,
        }
        return attrs.evolve(
            run.recorder.execution,
            **used,
            status=ending.status,
            stop_reason=ending.stop_reason,
            error=error,
            duration_ms=round((self.parts.clock.monotonic() - run.started) * 1000, 3),
            record=record,
        )


def outcome_of(run: LiveRun) -> tuple[Ending, str | None]:
    """How the work ended, and the error when it failed."""
    work = run.work
    assert work is not None
    reason, message = "error", ""
    if run.stopping is not None or work.cancelled():
        reason = message = run.stopping or INTERRUPTED
    elif (error := work.exception()) is None:
        return work.result(), None
    else:
        reason = error.reason if isinstance(error, RunFailed) else "error"
        message = reason_of(error)
    return Ending(status=FAILED, stop_reason=reason, conclusion=message), message


def model_of(models: LanguageModels | None, agent: Agent) -> ModelInfo:
    """The model that an agent asks; raises ``RunFailed`` when there is none."""
    info = None if models is None else models.find(agent.llm_backend_id)
    if info is None:
        which = f"the language model backend '{agent.llm_backend_id}' is gone" if agent.llm_backend_id else ""
        raise RunFailed("no-model", which or "no language model is configured")
    return info


def bounds_of(agent: Agent, settings: AgentSettings) -> Bounds:
    limits = agent.limits
    rounds = agent.max_chain_depth if agent.execution_mode == FOCUSED else settings.max_rounds
    acts = settings.max_actuations if limits.max_actuations is None else limits.max_actuations
    return Bounds(
        max_rounds=limits.max_rounds or rounds,
        max_tokens=limits.max_tokens or settings.max_tokens,
        max_actuations=acts,
        tool_concurrency=settings.tool_concurrency,
        temperature=settings.default_temperature,
        top_p=settings.default_top_p,
        thinking=settings.default_thinking_enabled,
    )
