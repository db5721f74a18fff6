"""Errors of agents."""

from __future__ import annotations

from neomind_sdk import ApiError, NotFound


def unknown_agent(agent_id: str) -> NotFound:
    """404 ``AGENT_NOT_FOUND``."""
    return NotFound("AGENT", agent_id)


def unknown_execution(execution_id: str) -> NotFound:
    """404 ``EXECUTION_NOT_FOUND``."""
    return NotFound("EXECUTION", execution_id)


def unknown_approval(approval_id: str) -> NotFound:
    """404 ``APPROVAL_NOT_FOUND``."""
    return NotFound("APPROVAL", approval_id)


class ExecutionFailed(ApiError):
    """500 ``AGENT_EXECUTION_FAILED``: the run that somebody waited for has failed; ``details`` names it."""

    def __init__(self, execution_id: str, message: str) -> None:
        super().__init__("AGENT_EXECUTION_FAILED", message, status=500, details={"execution_id": execution_id})


class ExecutionTimeout(ApiError):
    """504 ``AGENT_EXECUTION_TIMEOUT``: the run goes on, and nobody waits for it any longer."""

    def __init__(self, execution_id: str, seconds: float) -> None:
        text = f"The run has not ended after {seconds:g} s; it goes on"
        super().__init__("AGENT_EXECUTION_TIMEOUT", text, status=504, details={"execution_id": execution_id})
