"""What an agent remembers of its runs."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .kept import COMPLETED, FAILED, AgentState, Execution, JournalEntry

RECORDS = 10
OUTCOME_MAX = 300


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
