"""Running a coroutine as far as it goes without waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

_DONE = object()


def begin(work: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run ``work`` up to where it must wait; ``None`` when it is done, else what awaits the rest of it.

    To wake a task for each of 200 clients costs as much as writing to them, and a write that fits into the client's
    window never waits. What ``work`` raises is raised by the rest, so that it reaches the client's own task.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    except Exception as error:
        return Failed(error)
    return Rest(work, waits_for)


class Failed:
    """Awaiting it raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __await__(self) -> Generator[Any, Any, None]:
        raise self._error
        yield  # makes it a generator


class Rest:
    """Awaiting it goes on with a coroutine that waits for something already."""

    def __init__(self, work: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while waits_for is not _DONE:
            try:
                yield waits_for
            except BaseException as error:
                waits_for = _next(self._work.throw, error)
            else:
                waits_for = _next(self._work.send, None)


def _next(step: Callable[[Any], Any], value: Any) -> Any:
    try:
        return step(value)
    except StopIteration:
        return _DONE
