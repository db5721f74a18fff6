"""Agents and their runs as clients see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from neomind_sdk.units import seconds

from .journal import RECORDS
from .kept import CONFIRM, EXECUTING, FAILED, Agent, Approval, Execution, Note, Schedule, Step
from .live import Live
from .masking import masked

WAITING = "waiting_approval"
SAID_MAX = 2000
STEP_TYPES = {"thought": "thought", "llm_analysis": "llm_analysis", "tool_call": "tool_call"}


def iso(ms: int | None) -> str | None:
    """RFC 3339, with milliseconds."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def status_word(live: Live, executing: bool) -> str:
    return EXECUTING if executing else live.agent.status


def summary(live: Live, executing: bool) -> dict[str, Any]:
    return {"id": live.id, "name": live.agent.name, "status": status_word(live, executing)}


def item(live: Live, executing: bool) -> dict[str, Any]:
    """An agent in a list."""
    agent, state = live.agent, live.state
    described = {} if agent.description is None else {"description": agent.description}
    return {
        **summary(live, executing),
        **described,
        "created_at": iso(agent.created_ms),
        "last_execution_at": iso(state.last_ms),
        "execution_count": state.total,
        "success_count": state.successful,
        "error_count": state.failed,
        "avg_duration_ms": average(live),
        **common(agent),
    }


def common(agent: Agent) -> dict[str, Any]:
    names = ("enable_tool_chaining", "max_chain_depth", "priority", "context_window_size", "execution_mode")
    return {name: getattr(agent, name) for name in names}


def average(live: Live) -> float:
    return round(live.state.total_ms / live.state.total, 3) if live.state.total else 0.0


def stats(live: Live) -> dict[str, Any]:
    state = live.state
    return {
        "total_executions": state.total,
        "successful_executions": state.successful,
        "failed_executions": state.failed,
        "avg_duration_ms": average(live),
    }


def detail(live: Live, executing: bool) -> dict[str, Any]:
    """An agent as a whole; the configuration of its resources is left out."""
    agent, state = live.agent, live.state
    optional = {
        "description": agent.description,
        "llm_backend_id": agent.llm_backend_id,
        "system_prompt": agent.system_prompt,
        "tool_config": attrs.asdict(agent.tool_config) if agent.tool_config else None,
        "schedule_problem": live.problem,
    }
    return {
        **summary(live, executing),
        **{name: value for name, value in optional.items() if value is not None},
        "user_prompt": agent.user_prompt,
        "memory": memory(live),
        "resources": [
            {"resource_type": each.resource_type, "resource_id": each.resource_id, "name": each.name}
            for each in agent.resources
        ],
        "schedule": schedule(agent.schedule),
        "stats": stats(live),
        "created_at": iso(agent.created_ms),
        "updated_at": iso(agent.updated_ms),
        "last_execution_at": iso(state.last_ms),
        "error_message": state.error_message,
        "grants": [attrs.asdict(grant) for grant in agent.grants],
        "limits": attrs.asdict(agent.limits),
        **common(agent),
    }


def schedule(found: Schedule) -> dict[str, Any]:
    view = {name: value for name, value in attrs.asdict(found).items() if name != "event_filter"}
    return view if found.event_filter is None else {**view, "event_filter": found.event_filter}


def memory(live: Live) -> dict[str, Any]:
    records = [
        {
            "timestamp": iso(entry.at_ms),
            "execution_id": entry.execution_id,
            "outcome": entry.outcome,
            "action_taken": entry.action_taken,
            "success": entry.success,
        }
        for entry in live.state.journal
    ]
    updated = iso(live.state.journal_ms or live.agent.created_ms)
    return {"journal": {"records": records, "max_records": RECORDS}, "knowledge_files": [], "updated_at": updated}


# ---- runs ----


def execution_item(execution: Execution) -> dict[str, Any]:
    found = {
        "id": execution.id,
        "agent_id": execution.agent_id,
        "timestamp": iso(execution.started_ms),
        "trigger_type": execution.trigger_type,
        "status": execution.status,
        "duration_ms": execution.duration_ms,
        "stop_reason": execution.stop_reason,
        "token_usage": tokens(execution),
    }
    return found if execution.error is None else {**found, "error": execution.error}


def tokens(execution: Execution) -> dict[str, int]:
    used = {"prompt_tokens": execution.prompt_tokens, "completion_tokens": execution.completion_tokens}
    return {**used, "total_tokens": sum(used.values())}


def execution_detail(execution: Execution, steps: Sequence[Step]) -> dict[str, Any]:
    """The complete record of a run."""
    calls = [call_view(step) for step in steps if step.kind == "tool_call"]
    record, confidence = execution.record, execution.record.get("confidence", 0.5)
    process = {
        "situation_analysis": record.get("situation_analysis", ""),
        "data_collected": record.get("data_collected", []),
        "reasoning_steps": [reasoning(number, step, confidence) for number, step in enumerate(steps, 1)],
        "decisions": [decision(call) for call in calls if call["effect"] == "actuate"],
        "conclusion": record.get("conclusion", ""),
        "confidence": confidence,
    }
    more = {"rounds": execution.rounds, "cause": execution.cause, "hops": execution.hops}
    found = {**execution_item(execution), **more, "input": record.get("input", ""), "tool_calls": calls}
    found["decision_process"] = process
    return found if execution.status == FAILED else {**found, "result": result(process["conclusion"], steps, calls)}


def call_view(step: Step) -> dict[str, Any]:
    """A call of a tool: what was asked, by what it was allowed, what came of it."""
    data = step.data
    verdict = data.get("verdict") or ("running" if step.state == "started" else step.state)
    names = ("arguments", "grant", "result", "error", "old_values", "new_values", "approval_id", "decided_by")
    return {
        "step": step.number,
        "at": iso(step.at_ms),
        "tool": data.get("tool"),
        "effect": data.get("effect", "unknown"),
        "targets": data.get("targets", []),
        "verdict": verdict,
        "success": bool(data.get("success")),
        "duration_ms": data.get("duration_ms", 0),
        "rationale": data.get("rationale", ""),
        **{name: data.get(name) for name in names},
    }


def reasoning(number: int, step: Step, confidence: float) -> dict[str, Any]:
    data = step.data
    if step.kind != "tool_call":
        words = str(data.get("output", ""))
        return {
            "step_number": number,
            "description": words[:200],
            "step_type": STEP_TYPES.get(step.kind, step.kind),
            "output": words,
            "confidence": confidence,
        }
    error = data.get("error")
    return {
        "step_number": number,
        "description": f"{data.get('tool')}: {data.get('verdict') or step.state}",
        "step_type": "error" if error else "tool_call",
        "input": json.dumps(data.get("arguments"), ensure_ascii=False)[:SAID_MAX],
        "output": said(data),
        "confidence": confidence,
    }


def decision(call: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "decision_type": "alert" if call["tool"] == "send_message" else "command",
        "description": f"{call['tool']} on {', '.join(call['targets']) or 'nothing in particular'}: {call['verdict']}",
        "action": call["tool"],
        "rationale": call["rationale"],
        "expected_outcome": "",
    }


def result(conclusion: str, steps: Sequence[Step], calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    actions = [
        {
            "action_type": "tool_call",
            "target": ", ".join(call["targets"]),
            "description": f"{call['tool']}: {call['verdict']}",
            "success": call["success"],
            "parameters": call["arguments"],
            "result": said(call),
        }
        for call in calls
    ]
    done = [action for action, call in zip(actions, calls, strict=True) if call["verdict"] != WAITING]
    rate = sum(action["success"] for action in done) / len(done) if done else 1.0
    sent = [notification(step) for step in steps if step.data.get("tool") == "send_message" and "verdict" in step.data]
    return {"actions_executed": actions, "notifications_sent": sent, "summary": conclusion, "success_rate": rate}


def notification(step: Step) -> dict[str, Any]:
    arguments = step.data.get("arguments") or {}
    channels = ", ".join(map(str, arguments.get("channels") or ())) if isinstance(arguments, Mapping) else ""
    words = str(arguments.get("message", "")) if isinstance(arguments, Mapping) else ""
    sent = {"channel": channels, "recipient": "", "message": words, "sent_at": int(seconds(step.at_ms))}
    return {**sent, "success": bool(step.data.get("success"))}


def said(data: Mapping[str, Any]) -> str:
    """A result, or an error, as text."""
    error = data.get("error")
    return str(error) if error else json.dumps(data.get("result"), ensure_ascii=False)[:SAID_MAX]


def invoked(live: Live, execution: Execution, steps: Sequence[Step]) -> dict[str, Any]:
    """The answer of ``invoke``."""
    calls = [call_view(step) for step in steps if step.kind == "tool_call"]
    acts = [call for call in calls if call["effect"] == "actuate"]
    return {
        "execution_id": execution.id,
        "agent_id": live.id,
        "agent_name": live.agent.name,
        "status": execution.status,
        "duration_ms": execution.duration_ms,
        "conclusion": execution.record.get("conclusion", ""),
        "confidence": execution.record.get("confidence", 0.5),
        "actions": [
            {
                "action": call["tool"],
                "reasoning": call["rationale"],
                "description": f"{call['tool']}: {call['verdict']}",
            }
            for call in acts
        ],
        "has_error": any(call["error"] for call in calls),
        "stop_reason": execution.stop_reason,
    }


# ---- the rest ----


def approval(found: Approval) -> dict[str, Any]:
    """A call that waits, or waited; secrets in its arguments are masked."""
    return {
        "id": found.id,
        "agent_id": found.agent_id,
        "execution_id": found.execution_id,
        "tool": found.tool,
        "arguments": masked(found.arguments),
        "targets": list(found.targets),
        "digest": found.digest,
        "tier": CONFIRM,
        "state": found.state,
        "created_at": iso(found.created_ms),
        "expires_at": iso(found.expires_ms),
        "decided_at": iso(found.decided_ms),
        "decided_by": found.decided_by,
        "finished_at": iso(found.finished_ms),
        "result": found.result,
        "error": found.error,
    }


def note(found: Note) -> dict[str, Any]:
    return {
        "id": found.id,
        "timestamp": int(seconds(found.at_ms)),
        "content": found.content,
        "message_type": found.message_type,
    }
