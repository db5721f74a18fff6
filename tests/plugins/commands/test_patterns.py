"""Expressions that would take for ever do not."""

from __future__ import annotations

import asyncio
import time

import pytest

from neomind_plugins.commands.patterns import TEXT_MAX, Trial, first_failure, problem_of

EVIL = Trial("p", "a" * 60 + "b", "(a|aa)+$", None)


def test_an_expression_that_runs_away_is_stopped() -> None:
    start = time.perf_counter()
    assert "reasonable time" in str(problem_of(EVIL))
    assert time.perf_counter() - start < 5


async def test_the_event_loop_goes_on_meanwhile() -> None:
    """Ticks of the loop while three runaways are stopped: were it blocked, there would be next to none."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(first_failure([EVIL]) for _ in range(3)))
    ticking.cancel()
    assert ticks > 10


@pytest.mark.parametrize(
    ("text", "pattern", "good"),
    [
        ("a1", r"^(?=.*\d)[a-z0-9]+$", True),
        ("aa", r"^(?=.*\d)[a-z0-9]+$", False),
        ("abab", r"^(ab)\1$", True),
        ("xaby", "ab", True),
        ("", "^$", True),
    ],
)
def test_expressions_are_those_of_python(text: str, pattern: str, good: bool) -> None:
    assert (problem_of(Trial("p", text, pattern, None)) is None) is good


def test_what_cannot_be_checked_is_refused() -> None:
    assert "characters" in str(problem_of(Trial("p", "x" * (TEXT_MAX + 1), "x", None)))
    assert "cannot be checked" in str(problem_of(Trial("p", "x", "(", None)))


async def test_the_first_failure_is_told() -> None:
    trials = [Trial("a", "1", "1", None), Trial("b", "1", "2", "wrong"), Trial("c", "1", "3", None)]
    assert await first_failure(trials) == ("b", "wrong")
    assert await first_failure([]) is None
