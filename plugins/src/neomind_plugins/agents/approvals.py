"""Calls that wait for somebody's word, and what becomes of them: each runs once at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import attrs

from neomind_sdk import AgentStepTaken, Clock, Conflict, Database, EventBus, Forbidden, Principal

from . import tables
from .calling import Caller, Outcome, Wish, weigh
from .digests import digest
from .errors import unknown_approval
from .grants import area_of
from .kept import Agent, Approval, Execution, Step
from .live import Live
from .masking import masked
from .models import AgentSettings
from .run import outcome_view
from .toolbox import Toolbox

APPROVED, DENIED, EXECUTED, FAILED, PENDING = "approved", "denied", "executed", "failed", "pending"


class Approvals:
    """``find`` gives an agent as it is now; ``rest`` waits until no run of the agent with that id goes on."""

    find: Callable[[str], Live | None]
    rest: Callable[[str, str], Awaitable[None]]

    def __init__(
        self,
        database: Database,
        clock: Clock,
        bus: EventBus,
        toolbox: Toolbox,
        caller: Caller,
        settings: Callable[[], AgentSettings],
    ) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._toolbox = toolbox
        self._caller = caller
        self._settings = settings
        self._tasks: set[asyncio.Task[Any]] = set()

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
        await self._may(approval_id, principal)
        task = asyncio.create_task(self._approve(approval_id, principal.name or principal.id, seen))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def deny(self, approval_id: str, principal: Principal, seen: str | None) -> Approval:
        """The call will not run; raises as ``approve``."""
        await self._may(approval_id, principal)
        by = principal.name or principal.id
        approval = await self._decide(approval_id, DENIED, by, seen)
        data = {**described(approval), "verdict": DENIED, "decided_by": by, "success": False}
        await self._append(approval, data, "done")
        return approval

    async def close(self) -> None:
        """Wait for calls that run, but not for ever: they have their own limit."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=2)
        for task in self._tasks:
            task.cancel()

    # ---- inside ----

    async def _may(self, approval_id: str, principal: Principal) -> None:
        """Nobody approves what they may not do themselves."""
        tool = self._toolbox.find((await self.get(approval_id)).tool)
        scope = f"{area_of(tool)}:write"
        if not principal.may(scope):
            raise Forbidden(f"to decide this, you must be permitted {scope}")

    async def _decide(self, approval_id: str, state: str, by: str, seen: str | None) -> Approval:
        now_ms = self._clock.now_ms()
        approval, decided = await self._database.write(lambda: tables.decide(approval_id, state, now_ms, by, seen))
        if approval is None:
            raise unknown_approval(approval_id)
        if not decided and approval.state == PENDING:
            raise Conflict("The call is not the one that was shown: its digest is another")
        if not decided:
            raise Conflict(f"The approval is {approval.state} already")
        return approval

    async def _approve(self, approval_id: str, by: str, seen: str | None) -> Approval:
        approval = await self._decide(approval_id, APPROVED, by, seen)
        await self.rest(approval.agent_id, approval.execution_id)
        number = await self._append(approval, {**described(approval), "decided_by": by}, "started")
        outcome = await self._run(approval)
        succeeded = outcome.ok
        state = EXECUTED if succeeded else FAILED
        now_ms = self._clock.now_ms()
        ended = attrs.evolve(approval, state=state, finished_ms=now_ms, result=outcome.result, error=outcome.error)
        data = {**described(approval), "decided_by": by, **outcome_view(outcome)}
        step = Step(number=number, kind="tool_call", at_ms=now_ms, data=data)

        def settle() -> None:
            tables.settle(ended)
            tables.put_step(approval.execution_id, step)
            tables.finish_waiting(approval.execution_id, now_ms, succeeded=succeeded)

        await self._database.write(settle)
        self._say(ended, by)
        return ended

    async def _run(self, approval: Approval) -> Outcome:
        """The call, judged once more: by the agent's grants as they are now, and against its hash."""
        live, tool = self.find(approval.agent_id), self._toolbox.find(approval.tool)
        if live is None:
            return Outcome(verdict=FAILED, error="the agent is gone")
        if digest(approval.agent_id, approval.tool, approval.arguments) != approval.digest:
            return Outcome(verdict=FAILED, error="the call is not the one that was asked for")
        wish = await weigh(live.agent, tool, approval.tool, approval.arguments, "")
        if isinstance(wish, Outcome):
            return wish
        found = await self._database.read(lambda: tables.execution(approval.agent_id, approval.execution_id))
        hops = found[0].hops if found else 0
        return await self._caller.run(wish, live.agent, approval.execution_id, hops, approved=True)

    async def _append(self, approval: Approval, data: dict[str, Any], state: str) -> int:
        now_ms, ident = self._clock.now_ms(), approval.execution_id
        return await self._database.write(lambda: tables.append_step(ident, "tool_call", now_ms, data, state))

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
