"""Awaiting what another plugin wrote: it may raise anything, or never come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from neomind_core.contracts import Health, HealthCheck
from neomind_core.host.threads import ForeignError, TooSlow, within

__all__ = ["HEALTH_S", "ForeignError", "TookTooLong", "ask", "call"]

T = TypeVar("T")
HEALTH_S = 2.0
"""How long a health check may take."""


class TookTooLong(ForeignError):
    """It was cancelled because its time was over."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(TimeoutError(f"took over {limit_s:g} s"))


async def call(work: Callable[[], Awaitable[T]], limit_s: float) -> T:
    """The result of ``await work()``, which is cancelled after ``limit_s`` seconds and then no longer waited for.

    Raises ``TookTooLong`` then, and ``ForeignError`` for whatever else comes out of it, be it ``SystemExit`` or a
    cancellation of its own; a cancellation of the caller passes.
    """

    async def begun() -> T:
        return await work()

    try:
        return await within(begun(), limit_s)
    except TooSlow as error:
        raise TookTooLong(limit_s) from error
    except ForeignError:
        raise
    except Exception as error:
        raise ForeignError(error) from error


async def ask(checks: Iterable[HealthCheck]) -> list[Health]:
    """The answers of health checks, in order, all asked at once; a check that fails or is too slow is not well."""
    return await asyncio.gather(*map(_ask, checks))


async def _ask(check: HealthCheck) -> Health:
    try:
        health = await call(check.check, HEALTH_S)
    except ForeignError as failed:
        return Health(ok=False, detail=str(failed))
    if isinstance(health, Health):
        return health
    return Health(ok=False, detail=f"the check returned a {type(health).__name__} instead of a Health")
