"""Whatever foreign code does, its caller gets an answer or one kind of exception."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from neomind_sdk import Health, HealthCheck, foreign


async def never() -> Any:
    await asyncio.Event().wait()


def raising(error: BaseException) -> Any:
    async def work() -> None:
        raise error

    return work


async def test_a_result_comes_back() -> None:
    async def work() -> int:
        return 7

    assert await foreign.call(work, 1.0) == 7


async def test_what_takes_too_long_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await never()
        finally:
            cancelled.set()

    with pytest.raises(foreign.TookTooLong, match=r"took over 0\.01 s"):
        await foreign.call(work, 0.01)
    assert cancelled.is_set()


async def test_what_does_not_heed_its_cancellation_is_left_behind() -> None:
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()

    with pytest.raises(foreign.TookTooLong):
        await foreign.call(stubborn, 0.01)
    released.set()


@pytest.mark.parametrize(
    "error", [ValueError("no"), SystemExit(1), asyncio.CancelledError(), TimeoutError("its own")], ids=repr
)
async def test_whatever_is_raised_becomes_one_exception(error: BaseException) -> None:
    with pytest.raises(foreign.ForeignError) as caught:
        await foreign.call(raising(error), 1.0)
    assert caught.value.error is error
    assert not isinstance(caught.value, foreign.TookTooLong)


async def test_the_cancellation_of_the_caller_passes() -> None:
    task = asyncio.create_task(foreign.call(never, 10.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_no_coroutine_is_an_error_of_its_author() -> None:
    with pytest.raises(foreign.ForeignError, match="TypeError"):
        await foreign.call(lambda: 5, 1.0)  # type: ignore[arg-type,return-value]


async def test_checks_are_asked_at_once_and_answer_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "HEALTH_S", 0.01)

    async def well() -> Health:
        return Health(ok=True, detail="fine")

    async def odd() -> Any:
        return True

    checks = [well, odd, never, raising(OSError("gone"))]
    answers = await foreign.ask(HealthCheck(name=str(number), check=check) for number, check in enumerate(checks))
    assert answers == [
        Health(ok=True, detail="fine"),
        Health(ok=False, detail="the check returned a bool instead of a Health"),
        Health(ok=False, detail="TimeoutError: took over 0.01 s"),
        Health(ok=False, detail="OSError: gone"),
    ]
