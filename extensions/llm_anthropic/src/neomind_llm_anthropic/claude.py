"""What the generations of Claude accept: the limit of an answer, sampling, and how thinking is asked for.

The documentation has it per model; here it follows from the version in the name.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from neomind_sdk import CompletionRequest

_NAME = re.compile(
    r"claude-(?:(?P<old>\d)(?:[-.](?P<old_minor>\d)(?!\d))?(?=-|$)|[a-z]+-(?P<major>\d)(?:[-.](?P<minor>\d{1,2})(?!\d))?)"
)
_ADAPTIVE, _UNSAMPLED, _ONE_OF_TWO = (4, 6), (4, 7), (4, 1)
_NEWEST = (99, 0)
MIN_BUDGET = 1024
_BUDGETS = {"low": 1024, "medium": 4096, "high": 16384, "xhigh": 24576, "max": 32000}


def version(model: str) -> tuple[int, int]:
    """``(major, minor)``; an unknown name counts as newer than all: those get the fields that every model takes."""
    found = _NAME.search(model.lower())
    if not found:
        return _NEWEST
    return int(found["old"] or found["major"]), int(found["old_minor"] or found["minor"] or 0)


def max_tokens(model: str) -> int:
    """How long an answer may be where nobody said so: the API wants to be told."""
    generation = version(model)
    return 4096 if generation < (3, 5) else 8192 if generation < (4, 0) else 16384


@attrs.frozen(kw_only=True)
class Thinking:
    """What is wanted. ``resumes``: the last answer called tools, and the results are what is sent now."""

    wanted: bool | None = None
    effort: str | None = None
    resumes: bool = False


def thinking(model: str, limit: int, wish: Thinking) -> dict[str, Any]:
    """The fields that ask for thinking, ``max_tokens`` among them.

    Models before 4.6 want a budget within the limit, and their own signed thoughts back with the results of tools;
    nobody has kept those, so that they go on without thinking there.
    """
    generation = version(model)
    if generation >= _ADAPTIVE:
        return {"max_tokens": limit} | _adaptive(generation, wish)
    budget = min(_BUDGETS.get(wish.effort or "", 4096), limit - MIN_BUDGET)
    if not wish.wanted or wish.resumes or generation < (3, 7) or budget < MIN_BUDGET:
        return {"max_tokens": limit}
    return {"max_tokens": limit, "thinking": {"type": "enabled", "budget_tokens": budget}}


def _adaptive(generation: tuple[int, int], wish: Thinking) -> dict[str, Any]:
    if not wish.wanted or generation == _NEWEST:
        return {}
    sent: dict[str, Any] = {"thinking": {"type": "adaptive", "display": "summarized"}}
    if wish.effort:
        newer = generation >= _UNSAMPLED
        sent["output_config"] = {"effort": "high" if wish.effort == "xhigh" and not newer else wish.effort}
    return sent


def efforts(model: str) -> tuple[str, ...]:
    """How hard the model can be asked to think."""
    generation = version(model)
    if generation < (3, 7) or generation == _NEWEST:
        return ()
    return ("low", "medium", "high", "xhigh", "max") if generation >= _UNSAMPLED else ("low", "medium", "high", "max")


def sampling(model: str, request: CompletionRequest, *, thinks: bool) -> dict[str, Any]:
    """The fields for sampling: none beside thinking and from 4.7 on, one of temperature and top_p from 4.1 on."""
    generation = version(model)
    if thinks or generation >= _UNSAMPLED:
        return {}
    warmth = None if request.temperature is None else min(request.temperature, 1.0)
    top_p = None if warmth is not None and generation >= _ONE_OF_TWO else request.top_p
    wanted = {"temperature": warmth, "top_p": top_p, "top_k": request.top_k}
    return {name: value for name, value in wanted.items() if value is not None}
