"""Whatever a type does with a delivery, there is one answer, and it shows no secret."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

from neomind_sdk import Delivery, EgressBlocked, EgressFailed
from neomind_sdk.attempts import DETAIL_MAX, attempt
from neomind_sdk.kinds import Ready

SECRET = "t0ken-nobody-may-see"


@attrs.frozen
class Pager:
    name: str = "pager"
    config: Any = None


READY = Ready(Pager(), None, (SECRET,))


def doing(result: Any) -> Callable[[], Awaitable[Any]]:
    async def send() -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    return send


async def test_what_a_type_says_is_what_came_of_it() -> None:
    said = Delivery(ok=False, detail="HTTP 410", retry=False, retry_after=3.0, gone=True)
    assert await attempt(READY, doing(said), 1.0) == said


@pytest.mark.parametrize(
    ("result", "detail"),
    [
        (EgressFailed("the target did not answer in time"), "the target did not answer in time"),
        (EgressBlocked("http://10.0.0.1/ is not allowed"), "http://10.0.0.1/ is not allowed"),
        (ValueError("no /etc/ssl/key.pem"), "ValueError: no …/key.pem"),
        (SystemExit(1), "SystemExit: 1"),
        (None, "'pager' returned a NoneType, no Delivery"),
        (Delivery(ok=False, detail=f"no\n {SECRET}  here"), "no *** here"),
        (RuntimeError(f"https://x/?t={SECRET}"), "RuntimeError: https://x/?t=***"),
        (Delivery(ok=False, detail=None), "None"),  # type: ignore[arg-type]
    ],
    ids=repr,
)
async def test_whatever_else_it_does_is_a_failure_that_says_why(result: Any, detail: str) -> None:
    delivery = await attempt(READY, doing(result), 1.0)
    assert (delivery.ok, delivery.retry, delivery.gone, delivery.detail) == (False, True, False, detail)


async def test_it_has_its_time() -> None:
    delivery = await attempt(READY, asyncio.Event().wait, 0.01)  # type: ignore[arg-type]
    assert (delivery.ok, delivery.retry, "took over 0.01 s" in delivery.detail) == (False, True, True)


async def test_a_detail_is_cut() -> None:
    delivery = await attempt(READY, doing(Delivery(ok=True, detail="x" * 9999)), 1.0)
    assert (delivery.ok, len(delivery.detail)) == (True, DETAIL_MAX)


async def test_the_cancellation_of_the_caller_passes() -> None:
    task = asyncio.create_task(attempt(READY, asyncio.Event().wait, 10.0))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
