"""Reading the stream of a backend, in time whatever it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import attrs

from neomind_sdk import Chunk, Clock, CompletionRequest, LLMError
from neomind_sdk.foreign import ForeignError, call
from neomind_sdk.waiting import NEVER_S, TooSlow, done_within, ended, watched

Item = Chunk | ForeignError | None


class Pump:
    """Draws from a stream in a task of its own.

    All of a stream is read by one task, which its time-outs and connections may depend on; and closing the stream is
    cancelling that task. It is at most one chunk ahead.
    """

    def __init__(self, stream: Callable[[], AsyncIterator[Chunk]]) -> None:
        self._stream = stream
        self._queue: asyncio.Queue[Item] = asyncio.Queue(maxsize=1)
        self._task = watched(self._run())

    async def next(self, clock: Clock, seconds: float) -> Item:
        """The next chunk, ``None`` at the end, what the stream raised; ``TooSlow`` after so many seconds."""
        if not self._queue.empty():
            return self._queue.get_nowait()
        getting = asyncio.ensure_future(self._queue.get())
        try:
            if await done_within(clock, seconds, getting):
                return getting.result()
        finally:
            getting.cancel()
        raise TooSlow(f"nothing within {seconds:g} s")

    async def close(self) -> None:
        """End the stream, wherever it is."""
        await ended(self._task)

    async def _run(self) -> None:
        try:
            await call(self._draw, NEVER_S)
        except ForeignError as error:
            await self._queue.put(error)
        else:
            await self._queue.put(None)

    async def _draw(self) -> None:
        chunks = self._stream()
        try:
            async for chunk in chunks:
                await self._queue.put(chunk)
        finally:
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()


@attrs.define(eq=False)
class Reading:
    """The chunks of an answer. ``ends`` is the monotonic time at which all of it must be over."""

    pump: Pump
    clock: Clock
    request: CompletionRequest
    ends: float
    _finished: bool = attrs.field(default=False, init=False)
    _spoke: bool = attrs.field(default=False, init=False)
    _token_due: float = attrs.field(default=0.0, init=False)
    _connected: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._token_due = self.clock.monotonic() + self.request.connect_s + self.request.first_token_s

    async def next(self) -> Chunk | None:
        """The next chunk that says something, ``None`` after the last one; raises ``LLMError``, ``ForeignError``."""
        while not self._finished:
            chunk = await self._drawn()
            self._note(chunk)
            if says_something(chunk):
                return chunk
        return None

    async def _drawn(self) -> Chunk:
        due, why = self._due()
        left = min(due, self.ends) - self.clock.monotonic()
        try:
            item = await self.pump.next(self.clock, left)
        except TooSlow:
            raise LLMError("timeout", why if due <= self.ends else self._total()) from None
        if self.clock.monotonic() > self.ends:
            raise LLMError("timeout", self._total())
        if isinstance(item, ForeignError):
            raise item
        if item is None:
            raise LLMError("malformed", "the answer ended before it was finished")
        if not isinstance(item, Chunk):
            raise LLMError("malformed", f"the backend sent a {type(item).__name__} instead of a Chunk")
        return item

    def _due(self) -> tuple[float, str]:
        """Until when the next chunk must be there, and what to say when it is not."""
        if self._spoke:
            return self.clock.monotonic() + self.request.chunk_s, f"nothing more within {self.request.chunk_s:g} s"
        if self._connected:
            return self._token_due, f"no first token within {self.request.first_token_s:g} s"
        both = self.request.connect_s + self.request.first_token_s
        return self._token_due, f"neither a connection nor a first token within {both:g} s"

    def _total(self) -> str:
        return f"the answer took over {self.request.total_s:g} s in total"

    def _note(self, chunk: Chunk) -> None:
        if not self._connected:
            self._connected = True
            self._token_due = self.clock.monotonic() + self.request.first_token_s
        self._spoke = self._spoke or says_something(chunk)
        self._finished = chunk.finish is not None


def says_something(chunk: Chunk) -> bool:
    """Whether a chunk is more than a sign of life."""
    return bool(chunk.text or chunk.thinking or chunk.tool_calls or chunk.finish or chunk.usage)
