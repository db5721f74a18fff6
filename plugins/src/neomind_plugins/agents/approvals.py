"""Calls that wait for somebody's word, and what becomes of them: each runs once at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from uuid import uuid4

import attrs

from neomind_sdk import AgentStepTaken, Conflict, EventBus, Forbidden, Principal

from . import tables
from .calling import Caller, Outcome, Wish, weigh
from .digests import digest
from .errors import unknown_approval
from .grants import area_of
from .keeping import Keeper
from .kept import Agent, Approval, Execution, Step
from .live import Live
from .masking import masked, reason
from .models import AgentSettings
from .run import outcome_view
from .toolbox import Toolbox

T = TypeVar("T")
APPROVED, DENIED, EXECUTED, FAILED, PENDING = "approved", "denied", "executed", "failed", "pending"


class Approvals:
    """``find`` gives an agent as it is now; ``rest`` waits until no run of the agent with that id goes on."""

    find: Callable[[str], Live | None]
    rest: Callable[[str, str], Awaitable[None]]

    def __init__(
        self,
        keeper: Keeper,
        bus: EventBus,
        toolbox: Toolbox,
        caller: Caller,
        settings: Callable[[], AgentSettings],
    ) -> None:
        self._keeper = keeper
        self._database = keeper.database
        self._clock = keeper.clock
        self._bus = bus
        self._toolbox = toolbox
        self._caller = caller
        self._settings = settings
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = asyncio.Event()

    async def ask(self, agent: Agent, execution: Execution, wish: Wish) -> Approval | None:
        """Queue a call; ``None`` when too many wait."""
        now_ms = self._clock.now_ms()
        approval = Approval(
            id=str(uuid4()),
            agent_id=agent.id,
            execution_id=execution.id,
            tool=wish.tool.name,
            arguments=wish.arguments,
            targets=wish.targets,
            digest=digest(agent.id, wish.tool.name, wish.arguments),
            created_ms=now_ms,
            expires_ms=now_ms + round(self._settings().approval_minutes * 60_000),
            reason=wish.reason,
        )
        return await self._database.write(lambda: tables.ask(approval))

    async def all(self, agent_id: str | None = None, state: str | None = None) -> list[Approval]:
        """Newest first, as they are now."""
        found = await self._database.read(lambda: tables.approvals(agent_id))
        now = [tables.expired(each, self._clock.now_ms()) for each in found]
        return [each for each in now if state in (None, each.state)]

    async def get(self, approval_id: str) -> Approval:
        """Raises ``NotFound``."""
        found = await self._database.read(lambda: tables.approval(approval_id))
        if found is None:
            raise unknown_approval(approval_id)
        return tables.expired(found, self._clock.now_ms())

    async def approve(self, approval_id: str, principal: Principal, seen: str | None) -> Approval:
        """Run a call that waits; returns when it has run. Raises ``NotFound``, ``Conflict``, and ``Forbidden``."""
        approval = await self._may(approval_id, principal)
        return await self._finished(self._approve(approval, principal.name or principal.id, seen))

    async def deny(self, approval_id: str, principal: Principal, seen: str | None) -> Approval:
        """The call will not run; raises as ``approve``."""
        approval = await self._may(approval_id, principal)
        denied, _ = await self._finished(self._decide(approval, DENIED, principal.name or principal.id, seen))
        return denied

    async def close(self) -> None:
        """Wait for calls that run, but not for ever: they have their own limit."""
        self._closing.set()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=2)
        for task in self._tasks:
            task.cancel()

    # ---- inside ----

    async def _finished(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work, which comes to its end even when who asked for it goes away."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _may(self, approval_id: str, principal: Principal) -> Approval:
        """The approval; nobody decides on what they may not do themselves."""
        approval = await self.get(approval_id)
        scope = f"{area_of(self._toolbox.find(approval.tool))}:write"
        if not principal.may(scope):
            raise Forbidden(f"to decide this, you must be permitted {scope}")
        return approval

    async def _decide(self, asked: Approval, state: str, by: str, seen: str | None) -> tuple[Approval, int]:
        """Decide, and say so in the record of the run: both, or neither. The number is of the step that says it.

        What counts is when it was asked for, although a run that goes on must rest first.
        """
        now_ms = self._clock.now_ms()
        require_pending(asked, seen)
        await self.rest(asked.agent_id, asked.execution_id)  # a run that goes on numbers its steps itself
        at_ms = self._clock.now_ms()

        def decide() -> tuple[Approval | None, int | None]:
            approval, decided = tables.decide(asked.id, state, now_ms, by, seen)
            if approval is None or not decided:
                return approval, None
            data, begun = decision(approval)
            return approval, tables.append_step(approval.execution_id, "tool_call", at_ms, data, begun)

        approval, number = await self._database.write(decide)
        if approval is None:
            raise unknown_approval(asked.id)
        if number is None:
            require_pending(approval, seen)
            raise AssertionError("what is pending and as it was shown is decided")
        return approval, number

    async def _approve(self, asked: Approval, by: str, seen: str | None) -> Approval:
        hops = await self._hops(asked)
        approval, number = await self._decide(asked, APPROVED, by, seen)
        outcome = await self._outcome(approval, hops)
        state = EXECUTED if outcome.ok else FAILED
        now_ms = self._clock.now_ms()
        ended = attrs.evolve(approval, state=state, finished_ms=now_ms, result=outcome.result, error=outcome.error)
        data = {**described(approval), "decided_by": by, **outcome_view(outcome)}
        await self._settle(ended, Step(number=number, kind="tool_call", at_ms=now_ms, data=data))
        self._say(ended, by)
        return ended

    async def _settle(self, ended: Approval, step: Step) -> None:
        """Keep what came of a call, which has happened whatever the storage says."""

        def settle() -> None:
            tables.settle(ended)
            tables.put_step(ended.execution_id, step)
            tables.finish_waiting(ended.execution_id, step.at_ms, succeeded=ended.state == EXECUTED)

        await self._keeper.surely(settle, self._closing, agent_id=ended.agent_id, approval_id=ended.id)

    async def _hops(self, approval: Approval) -> int:
        found = await self._database.read(lambda: tables.execution(approval.agent_id, approval.execution_id))
        return found[0].hops if found else 0

    async def _outcome(self, approval: Approval, hops: int) -> Outcome:
        """What came of the call: what was approved has an end, whatever goes wrong."""
        try:
            return await self._run(approval, hops)
        except Exception as error:
            return Outcome(verdict=FAILED, error=reason(error))

    async def _run(self, approval: Approval, hops: int) -> Outcome:
        """The call, judged once more: by the agent's grants as they are now, and against its hash."""
        live, tool = self.find(approval.agent_id), self._toolbox.find(approval.tool)
        if live is None:
            return Outcome(verdict=FAILED, error="the agent is gone")
        if digest(approval.agent_id, approval.tool, approval.arguments) != approval.digest:
            return Outcome(verdict=FAILED, error="the call is not the one that was asked for")
        wish = await weigh(live.agent, tool, approval.tool, approval.arguments, "")
        if isinstance(wish, Outcome):
            return wish
        return await self._caller.run(wish, live.agent, approval.execution_id, hops, approved=True)

    def _say(self, approval: Approval, by: str) -> None:
        self._bus.publish(
            AgentStepTaken(
                agent_id=approval.agent_id,
                execution_id=approval.execution_id,
                kind="decision",
                data={
                    "description": f"{approval.tool}: {approval.state}",
                    "rationale": f"approved by {by}",
                    "action": approval.tool,
                    "confidence": 1.0,
                },
                cause=f"agent:{approval.agent_id}",
            )
        )


def require_pending(approval: Approval, seen: str | None) -> None:
    """Raise ``Conflict`` for a call that does not wait, or is not the one that was seen."""
    if approval.state != PENDING:
        raise Conflict(f"The approval is {approval.state} already")
    if seen not in (None, approval.digest):
        raise Conflict("The call is not the one that was shown: its digest is another")


def decision(approval: Approval) -> tuple[dict[str, Any], str]:
    """The step that says how a call was decided, and its state: one that is approved is about to run."""
    data = {**described(approval), "decided_by": approval.decided_by}
    if approval.state == APPROVED:
        return data, "started"
    return {**data, "verdict": DENIED, "success": False}, "done"


def described(approval: Approval) -> dict[str, Any]:
    """The call, for the record."""
    return {
        "tool": approval.tool,
        "arguments": masked(approval.arguments),
        "targets": list(approval.targets),
        "grant": approval.reason,
        "approval_id": approval.id,
        "effect": "actuate",
        "rationale": "",
    }
