"""What an agent remembers of its runs."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .kept import COMPLETED, FAILED, AgentState, Execution, JournalEntry

RECORDS = 10
OUTCOME_MAX = 300


def cleared(state: AgentState, now_ms: int) -> AgentState:
    """The state without what is remembered."""
    return attrs.evolve(state, journal=(), journal_ms=now_ms)


def recalled(state: AgentState, before: AgentState) -> AgentState:
    """The state when it could not be cleared: what was remembered ``before``, then what came meanwhile."""
    journal_ms = state.journal_ms if state.journal else before.journal_ms
    return attrs.evolve(state, journal=(*before.journal, *state.journal)[-RECORDS:], journal_ms=journal_ms)


def remembered(state: AgentState, execution: Execution, conclusion: str, actions: Sequence[str]) -> AgentState:
    """The state after a run."""
    failed = execution.status == FAILED
    entry = JournalEntry(
        at_ms=execution.started_ms,
        execution_id=execution.id,
        outcome=conclusion[:OUTCOME_MAX],
        action_taken=", ".join(actions)[:OUTCOME_MAX],
        success=execution.status == COMPLETED,
    )
    return attrs.evolve(
        state,
        total=state.total + 1,
        successful=state.successful + (not failed),
        failed=state.failed + failed,
        total_ms=state.total_ms + execution.duration_ms,
        last_ms=execution.started_ms,
        error_message=execution.error if failed else None,
        journal=(*state.journal, entry)[-RECORDS:],
        journal_ms=execution.started_ms,
    )
