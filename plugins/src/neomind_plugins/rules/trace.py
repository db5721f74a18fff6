"""Why a rule fired, or did not: the latest evaluations that matter, a sentence for each step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import attrs

from neomind_sdk import series

from .compiling import LeafResult
from .conditions import Range, need
from .kept import DATA, DURATION, MANUAL, SCHEDULED, TEST, Raised

FIRED, NEAR_MISS, FAILED, CANCELLED = "fired", "near_miss", "failed", "cancelled"
VALUE_MAX = 200
STARTS = {
    DATA: "A value of the condition was stored.",
    SCHEDULED: "The time of the schedule came.",
    MANUAL: "It was triggered by hand.",
    TEST: "It was tested with the request to execute its actions.",
    DURATION: "The time for which the condition has to hold was over.",
}


@attrs.define(kw_only=True, eq=False)
class Entry:
    """An evaluation; ``count`` of the same kind in a row, from ``at_ms`` to ``last_ms``. ``steps`` are the latest's."""

    at_ms: int
    last_ms: int
    outcome: str
    reason: str
    steps: list[str]
    count: int = 1
    number: int | None = None


class Trace:
    """The last ``size`` entries of a rule. What repeats itself is counted, so that it pushes nothing else out."""

    def __init__(self, size: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=size)

    def __iter__(self) -> Iterator[Entry]:
        """Newest first."""
        return reversed(self._entries)

    def repeats(self, reason: str) -> bool:
        """Whether the newest entry is a near miss for the same reason."""
        return bool(self._entries) and self._entries[-1].reason == reason and self._entries[-1].outcome == NEAR_MISS

    def again(self, at_ms: int) -> None:
        """Count the newest entry once more."""
        self._entries[-1].count += 1
        self._entries[-1].last_ms = at_ms

    def add(self, at_ms: int, outcome: str, reason: str, steps: Sequence[str], number: int | None = None) -> None:
        entry = Entry(at_ms=at_ms, last_ms=at_ms, outcome=outcome, reason=reason, steps=list(steps), number=number)
        self._entries.append(entry)

    def ended(self, raised: Raised) -> None:
        """Say at its entry what came of a firing."""
        entry = next((each for each in self if each.number == raised.number), None)
        if entry is None:
            return
        entry.steps += outcome_steps(raised)
        if raised.state == CANCELLED:
            entry.outcome = CANCELLED
        elif not raised.success:
            entry.outcome = FAILED


def outcome_steps(raised: Raised) -> list[str]:
    steps = [
        f"Action {number} ({each.type}) was done: {each.summary}."
        if each.ok
        else f"Action {number} ({each.type}) failed: {each.error}."
        for number, each in enumerate(raised.outcomes, 1)
    ]
    if raised.state == CANCELLED:
        steps.append(f"What was left to do was not done: {raised.error}.")
    elif not raised.actions:
        steps.append("The rule has no actions.")
    return steps


def leaf_step(result: LeafResult) -> str:
    """``device:boiler:temperature is 81.5, which is > 80.``"""
    source = result.leaf.source
    if result.value is None:
        return f"{source} has no value yet, so '{need(result.leaf)}' does not hold."
    value = repr(result.value) if isinstance(result.value, str) else f"{result.value:g}"
    verb = "is" if isinstance(result.leaf, Range) or result.leaf.operator in ("<", ">", "<=", ">=", "==", "!=") else ""
    how = (f"{verb} " if result.met else f"{verb} not " if verb else "does not hold for ").lstrip()
    return f"{source} is {value[:VALUE_MAX]}, which {how}{need(result.leaf)}."


def condition_steps(kind: str, results: Sequence[LeafResult], met: bool) -> list[str]:
    """How the condition came out."""
    steps = [STARTS[kind], *map(leaf_step, results)]
    if not results:
        return [*steps, "It has no condition."]
    held = sum(result.met for result in results)
    parts = f" ({held} of {len(results)} comparisons hold)" if len(results) > 1 else ""
    return [*steps, f"The condition {'holds' if met else 'does not hold'}{parts}."]


def span(seconds: float) -> str:
    return f"{max(0.0, seconds):.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def device_of(source: str) -> str:
    return series.split(source).source_id
