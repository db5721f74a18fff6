"""What a model is told at the begin of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from neomind_sdk import ChatMessage, ImagePart

from .collecting import Row
from .kept import FREE, Agent, JournalEntry, Note
from .masking import text
from .quoting import Quoter

NOTES_SHOWN = 5
ROLE = "You are an agent of an edge platform for devices. You look at data, decide, and act with the tools you have."
ACTING = (
    "Use tools only for your task. A call that is refused is not permitted: do not try it in other words. "
    "When you have done what there is to do, answer with a short conclusion and no more calls."
)
FREE_HINT = "Choose by yourself which devices and tools your task needs."
FOCUSED_HINT = "Keep to the resources that are listed in the data; they are what this task is about."
NO_TOOLS = "You have no tools: say what you conclude from the data, and what should be done."


@attrs.frozen(kw_only=True)
class Briefing:
    """What goes into the first messages of a run; ``request`` is what a person asked this time."""

    agent: Agent
    rows: Sequence[Row] = ()
    images: tuple[ImagePart, ...] = ()
    journal: Sequence[JournalEntry] = ()
    notes: Sequence[Note] = ()
    request: str = ""
    trigger: str = "manual"
    now_ms: int = 0


def opening(brief: Briefing, quoter: Quoter, *, tools: bool) -> list[ChatMessage]:
    """The system's message and the user's."""
    return [
        ChatMessage(role="system", text=system(brief, quoter, tools=tools)),
        ChatMessage(role="user", text=situation(brief, quoter), images=brief.images),
    ]


def system(brief: Briefing, quoter: Quoter, *, tools: bool) -> str:
    """Only what the agent's owner wrote, and we: nothing that came from devices."""
    agent = brief.agent
    hint = FREE_HINT if agent.execution_mode == FREE else FOCUSED_HINT
    parts = [ROLE, text(agent.system_prompt or ""), quoter.rule, f"{hint} {ACTING}" if tools else NO_TOOLS]
    parts.append(f"Your task:\n{long_text(agent.user_prompt)}")
    shown = [f"- {long_text(note.content)}" for note in brief.notes[-NOTES_SHOWN:]]
    if shown:
        parts.append("Notes of the people who look after you, the newest last:\n" + "\n".join(shown))
    return "\n\n".join(part for part in parts if part)


def situation(brief: Briefing, quoter: Quoter) -> str:
    """The time, what is asked, and all data as one block."""
    now = datetime.fromtimestamp(brief.now_ms / 1000, UTC).isoformat(timespec="seconds")
    parts = [f"It is {now}. This run was started by: {brief.trigger.partition(':')[0]}."]
    if brief.request:
        parts.append(f"Asked this time:\n{long_text(brief.request)}")
    entries: list[tuple[str, Any]] = [
        (row.source, {"type": row.data_type, "time": row.timestamp, "values": row.values}) for row in brief.rows
    ]
    bound = [{"id": each.resource_id, "type": each.resource_type, "name": each.name} for each in brief.agent.resources]
    entries += [("resources", bound)] if bound else []
    entries += [("journal", attrs.asdict(entry)) for entry in brief.journal]
    return "\n\n".join([*parts, "Data:", quoter.block(*entries)])


def long_text(value: str) -> str:
    """A person's text: whole, but without secrets."""
    return "".join(text(value[start : start + 4000]) for start in range(0, len(value), 4000))
