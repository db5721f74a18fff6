"""Tables of agents and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import orjson
from peewee import BigIntegerField, IntegerField, TextField, fn

from neomind_sdk.tables import Model

from .kept import (
    COMPLETED,
    FAILED,
    INTERRUPTED,
    PARTIAL,
    RUNNING,
    Agent,
    AgentState,
    Approval,
    Execution,
    Grant,
    JournalEntry,
    Limits,
    Note,
    Resource,
    Schedule,
    Step,
    ToolConfig,
)

KEPT = 1000
"""How many runs of an agent are kept at most."""
NOTES = 50
APPROVALS = 1000


class AgentRow(Model):
    """An agent; ``definition`` and ``state`` are the whole of it as JSON."""

    id = TextField(primary_key=True)
    definition = TextField()
    state = TextField()
    created_ms = BigIntegerField()

    class Meta:
        table_name = "agents_agent"


class ExecutionRow(Model):
    id = TextField(primary_key=True)
    agent_id = TextField()
    started_ms = BigIntegerField(index=True)
    status = TextField(index=True)
    values = TextField()

    class Meta:
        table_name = "agents_executions"
        indexes = ((("agent_id", "started_ms"), False),)


class StepRow(Model):
    execution_id = TextField()
    number = IntegerField()
    kind = TextField()
    at_ms = BigIntegerField()
    state = TextField()
    data = TextField()

    class Meta:
        table_name = "agents_steps"
        indexes = ((("execution_id", "number"), True),)


class ApprovalRow(Model):
    id = TextField(primary_key=True)
    agent_id = TextField(index=True)
    execution_id = TextField(index=True)
    state = TextField(index=True)
    digest = TextField(index=True)
    created_ms = BigIntegerField(index=True)
    expires_ms = BigIntegerField()
    values = TextField()

    class Meta:
        table_name = "agents_approvals"


class NoteRow(Model):
    id = TextField(primary_key=True)
    agent_id = TextField()
    at_ms = BigIntegerField()
    number = BigIntegerField()
    content = TextField()
    message_type = TextField(null=True)

    class Meta:
        table_name = "agents_notes"
        indexes = ((("agent_id", "number"), False),)


MODELS = (AgentRow, ExecutionRow, StepRow, ApprovalRow, NoteRow)


def dumped(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


# ---- agents ----


def put_agent(agent: Agent, state: AgentState) -> None:
    """Insert or replace."""
    row = {"id": agent.id, "definition": dumped(attrs.asdict(agent)), "created_ms": agent.created_ms}
    AgentRow.insert(**row, state=dumped(attrs.asdict(state))).on_conflict(
        conflict_target=[AgentRow.id], update={"definition": row["definition"], "state": dumped(attrs.asdict(state))}
    ).execute()


def put_definition(agent: Agent) -> None:
    AgentRow.update(definition=dumped(attrs.asdict(agent))).where(AgentRow.id == agent.id).execute()


def put_state(agent_id: str, state: AgentState) -> None:
    AgentRow.update(state=dumped(attrs.asdict(state))).where(AgentRow.id == agent_id).execute()


def all_agents() -> list[tuple[Agent, AgentState]]:
    """In the order they were made."""
    rows = AgentRow.select().order_by(AgentRow.created_ms, AgentRow.id)
    return [(agent_of(orjson.loads(row.definition)), state_of(orjson.loads(row.state))) for row in rows]


def has_agent(agent_id: str) -> bool:
    return bool(AgentRow.select(AgentRow.id).where(AgentRow.id == agent_id).exists())


def delete_agent(agent_id: str) -> None:
    """The agent and everything of it."""
    mine = ExecutionRow.select(ExecutionRow.id).where(ExecutionRow.agent_id == agent_id)
    StepRow.delete().where(StepRow.execution_id.in_(mine)).execute()
    for model in (ExecutionRow, ApprovalRow, NoteRow):
        model.delete().where(model.agent_id == agent_id).execute()
    AgentRow.delete().where(AgentRow.id == agent_id).execute()


# ---- runs ----


def begin(execution: Execution) -> bool:
    """Insert a run; ``False``: its agent was deleted meanwhile."""
    if not has_agent(execution.agent_id):
        return False
    ExecutionRow.insert(**execution_columns(execution)).execute()
    return True


def progress(execution: Execution) -> None:
    """Keep what is known of a run by now; nothing when it was deleted meanwhile."""
    columns = execution_columns(execution)
    ExecutionRow.update(status=columns["status"], values=columns["values"]).where(
        ExecutionRow.id == execution.id
    ).execute()


def end(execution: Execution, state: AgentState) -> None:
    """A run has ended."""
    progress(execution)
    put_state(execution.agent_id, state)


def put_step(execution_id: str, step: Step) -> None:
    """Insert or replace; nothing when the run was deleted meanwhile."""
    if ExecutionRow.get_or_none(ExecutionRow.id == execution_id) is None:
        return
    row: dict[str, Any] = {"kind": step.kind, "at_ms": step.at_ms, "state": step.state, "data": dumped(step.data)}
    key = {"execution_id": execution_id, "number": step.number}
    StepRow.insert(**key, **row).on_conflict(
        conflict_target=[StepRow.execution_id, StepRow.number], update=row
    ).execute()


def append_step(execution_id: str, kind: str, at_ms: int, data: Mapping[str, Any], state: str = "done") -> int:
    """A step after the last one; returns its number."""
    last = StepRow.select(fn.MAX(StepRow.number)).where(StepRow.execution_id == execution_id).scalar()
    step = Step(number=int(last or 0) + 1, kind=kind, at_ms=at_ms, state=state, data=data)
    put_step(execution_id, step)
    return step.number


def executions(agent_id: str, limit: int) -> list[Execution]:
    """Newest first."""
    rows = ExecutionRow.select().where(ExecutionRow.agent_id == agent_id)
    rows = rows.order_by(ExecutionRow.started_ms.desc(), ExecutionRow.id).limit(limit)
    return [execution_of(row) for row in rows]


def latest(agent_id: str) -> Execution | None:
    """The newest run that has ended."""
    which = (ExecutionRow.agent_id == agent_id) & (ExecutionRow.status != RUNNING)
    row = ExecutionRow.select().where(which).order_by(ExecutionRow.started_ms.desc()).first()
    return None if row is None else execution_of(row)


def execution(agent_id: str, execution_id: str) -> tuple[Execution, list[Step]] | None:
    """A run of the agent, with its steps."""
    row = ExecutionRow.get_or_none((ExecutionRow.id == execution_id) & (ExecutionRow.agent_id == agent_id))
    return None if row is None else (execution_of(row), steps(execution_id))


def steps(execution_id: str) -> list[Step]:
    rows = StepRow.select().where(StepRow.execution_id == execution_id).order_by(StepRow.number)
    return [step_of(row) for row in rows]


def interrupt(now_ms: int) -> list[Execution]:
    """Whatever was under way when the platform ended has failed; returns those runs, oldest first."""
    under_way = [execution_of(row) for row in ExecutionRow.select().where(ExecutionRow.status == RUNNING)]
    ended = [
        attrs.evolve(each, status=FAILED, error=INTERRUPTED, stop_reason=INTERRUPTED, duration_ms=known_ms(each))
        for each in sorted(under_way, key=lambda each: each.started_ms)
    ]
    for each in ended:
        progress(each)
    StepRow.update(state=INTERRUPTED).where(StepRow.state == "started").execute()
    for row in ApprovalRow.select().where(ApprovalRow.state == "approved"):
        put_approval(attrs.evolve(approval_of(row), state=INTERRUPTED, finished_ms=now_ms, error=INTERRUPTED))
    return ended


def known_ms(execution: Execution) -> float:
    """How long a run is known to have gone on."""
    last = StepRow.select(fn.MAX(StepRow.at_ms)).where(StepRow.execution_id == execution.id).scalar()
    return float(max(0, int(last or execution.started_ms) - execution.started_ms))


def prune(before_ms: int) -> int:
    """Delete runs that are older, all but the newest of each agent, and what was decided long ago."""
    over = ExecutionRow.status != RUNNING
    old = list(ExecutionRow.select(ExecutionRow.id).where(over & (ExecutionRow.started_ms < before_ms)))
    for row in list(ExecutionRow.select(ExecutionRow.agent_id).distinct()):
        mine = ExecutionRow.select(ExecutionRow.id).where((ExecutionRow.agent_id == row.agent_id) & over)
        old += list(mine.order_by(ExecutionRow.started_ms.desc()).offset(KEPT).limit(-1))
    ids = sorted({row.id for row in old})
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        StepRow.delete().where(StepRow.execution_id.in_(some)).execute()
        ExecutionRow.delete().where(ExecutionRow.id.in_(some)).execute()
    ApprovalRow.delete().where(ApprovalRow.created_ms < before_ms).execute()
    return len(ids)


# ---- approvals ----


def ask(approval: Approval) -> Approval | None:
    """Queue a call; the same call of the same agent waits once only. ``None``: too many wait.

    Nothing is kept when the agent was deleted meanwhile.
    """
    pending = (ApprovalRow.state == "pending") & (ApprovalRow.expires_ms > approval.created_ms)
    same = ApprovalRow.get_or_none(pending & (ApprovalRow.digest == approval.digest))
    if same is not None:
        return approval_of(same)
    if ApprovalRow.select().where(pending).count() >= APPROVALS:
        return None
    if has_agent(approval.agent_id):
        put_approval(approval)
    return approval


def put_approval(approval: Approval) -> None:
    """Insert or replace."""
    names = ("id", "agent_id", "execution_id", "state", "digest", "created_ms", "expires_ms")
    row: dict[str, Any] = {name: getattr(approval, name) for name in names}
    row["values"] = dumped(attrs.asdict(approval))
    rest = {name: value for name, value in row.items() if name != "id"}
    ApprovalRow.insert(**row).on_conflict(conflict_target=[ApprovalRow.id], update=rest).execute()


def decide(approval_id: str, state: str, now_ms: int, by: str, digest: str | None) -> tuple[Approval | None, bool]:
    """Decide a call that waits, once: the approval as it is then, and whether this was the decision."""
    row = ApprovalRow.get_or_none(ApprovalRow.id == approval_id)
    if row is None:
        return None, False
    approval = expired(approval_of(row), now_ms)
    if approval.state != "pending" or digest not in (None, approval.digest):
        return approval, False
    approval = attrs.evolve(approval, state=state, decided_ms=now_ms, decided_by=by)
    put_approval(approval)
    return approval, True


def settle(approval: Approval) -> None:
    """Keep what came of an approval; nothing when its agent was deleted meanwhile."""
    if ApprovalRow.get_or_none(ApprovalRow.id == approval.id) is not None:
        put_approval(approval)


def approval(approval_id: str) -> Approval | None:
    row = ApprovalRow.get_or_none(ApprovalRow.id == approval_id)
    return None if row is None else approval_of(row)


def approvals(agent_id: str | None = None, execution_id: str | None = None) -> list[Approval]:
    """Newest first."""
    rows = ApprovalRow.select().order_by(ApprovalRow.created_ms.desc(), ApprovalRow.id)
    if agent_id is not None:
        rows = rows.where(ApprovalRow.agent_id == agent_id)
    if execution_id is not None:
        rows = rows.where(ApprovalRow.execution_id == execution_id)
    return [approval_of(row) for row in rows.limit(APPROVALS)]


def finish_waiting(execution_id: str, now_ms: int, *, succeeded: bool) -> None:
    """A call that a run waited for has had its end: when no other waits, the run is complete."""
    row = ExecutionRow.get_or_none(ExecutionRow.id == execution_id)
    waiting = any(expired(each, now_ms).state in ("pending", "approved") for each in approvals(None, execution_id))
    if row is None or waiting or not succeeded or row.status != PARTIAL:
        return
    progress(attrs.evolve(execution_of(row), status=COMPLETED))


def expired(approval: Approval, now_ms: int) -> Approval:
    """The approval as it is now: one that waited too long has expired."""
    late = approval.state == "pending" and now_ms >= approval.expires_ms
    return attrs.evolve(approval, state="expired") if late else approval


# ---- notes ----


def add_note(note: Note) -> bool:
    """Keep a note; the oldest beyond the limit go. ``False``: the agent was deleted meanwhile."""
    if not has_agent(note.agent_id):
        return False
    last = NoteRow.select(fn.MAX(NoteRow.number)).scalar()
    NoteRow.insert(**attrs.asdict(note), number=int(last or 0) + 1).execute()
    mine = NoteRow.select(NoteRow.id).where(NoteRow.agent_id == note.agent_id).order_by(NoteRow.number.desc())
    for row in list(mine.offset(NOTES).limit(-1)):
        NoteRow.delete().where(NoteRow.id == row.id).execute()
    return True


def notes(agent_id: str, limit: int = NOTES) -> list[Note]:
    """Oldest first."""
    rows = NoteRow.select().where(NoteRow.agent_id == agent_id).order_by(NoteRow.number.desc()).limit(limit)
    found = [Note(**{field.name: getattr(row, field.name) for field in attrs.fields(Note)}) for row in rows]
    return found[::-1]


def delete_notes(agent_id: str, note_id: str | None = None) -> int:
    which = NoteRow.agent_id == agent_id
    which = which if note_id is None else which & (NoteRow.id == note_id)
    return int(NoteRow.delete().where(which).execute())


# ---- from rows ----


def agent_of(found: Mapping[str, Any]) -> Agent:
    config = found["tool_config"]
    parts = {
        "schedule": Schedule(**found["schedule"]),
        "resources": tuple(Resource(**each) for each in found["resources"]),
        "tool_config": None
        if config is None
        else ToolConfig(**{**config, "allowed_tools": tuple(config["allowed_tools"])}),
        "grants": tuple(Grant(**{**each, "targets": tuple(each["targets"])}) for each in found["grants"]),
        "limits": Limits(**found["limits"]),
    }
    return Agent(**{**found, **parts})


def state_of(found: Mapping[str, Any]) -> AgentState:
    return AgentState(**{**found, "journal": tuple(JournalEntry(**each) for each in found["journal"])})


def execution_columns(execution: Execution) -> dict[str, Any]:
    names = ("id", "agent_id", "started_ms", "status")
    return {name: getattr(execution, name) for name in names} | {"values": dumped(attrs.asdict(execution))}


def execution_of(row: Any) -> Execution:
    return Execution(**orjson.loads(row.values))


def step_of(row: Any) -> Step:
    return Step(number=row.number, kind=row.kind, at_ms=row.at_ms, state=row.state, data=orjson.loads(row.data))


def approval_of(row: Any) -> Approval:
    found = orjson.loads(row.values)
    return Approval(**{**found, "targets": tuple(found["targets"])})
