"""Regular expressions of device types, tried on what strangers send.

Python's own engine can take for ever on a short text, and holds the interpreter while it does. ``regex`` understands
the same expressions, can be told to stop, and lets others run meanwhile, so it is used in a thread with a time limit.
A linear engine would need no limit, but knows neither look-around nor back references, which types may have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import attrs

TEXT_MAX = 10_000
LIMIT_S = 0.1
"""How long one expression may take on one text."""


@attrs.frozen
class Trial:
    """A value of a parameter, and the expression that has to be found in it."""

    name: str
    text: str
    pattern: str
    error_message: str | None


async def first_failure(trials: Sequence[Trial]) -> tuple[str, str] | None:
    """``(parameter, problem)`` of the first that fails, if any does."""
    return await asyncio.to_thread(_first_failure, trials) if trials else None


def _first_failure(trials: Sequence[Trial]) -> tuple[str, str] | None:
    found = ((trial.name, problem_of(trial)) for trial in trials)
    return next(((name, problem) for name, problem in found if problem is not None), None)


def problem_of(trial: Trial) -> str | None:
    """What is wrong, in words; a text that cannot be checked is wrong too."""
    import regex  # loaded when a type wants it

    if len(trial.text) > TEXT_MAX:
        return f"must have at most {TEXT_MAX} characters to be checked against {trial.pattern}"
    try:
        found = compiled(trial.pattern).search(trial.text, timeout=LIMIT_S, concurrent=True)
    except TimeoutError:
        return f"cannot be checked against {trial.pattern} in reasonable time"
    except (regex.error, OverflowError, RecursionError) as error:
        return f"cannot be checked against {trial.pattern}: {error}"
    return None if found else trial.error_message or f"must match {trial.pattern}"


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    import regex

    return regex.compile(pattern)
