"""The event bus: a bounded queue and one task per listener; publishing never waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from ..contracts import Clock, Event, Lagged, Listener, Logger, Notice
from .threads import contain


class ListenerQueue:
    """The notices that wait for one listener, and the task that hands them over."""

    def __init__(self, listener: Listener, clock: Clock, log: Logger) -> None:
        self.listener = listener
        self.waiting: deque[Notice] = deque()
        self.handled = self.dropped = self.errors = self._lost = 0
        self._clock = clock
        self._log = log
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.create_task(self._run(), name=f"listener:{listener.name}")

    def put(self, notice: Notice) -> None:
        if len(self.waiting) >= self.listener.queue:
            self.waiting.popleft()
            self._lost += 1
            self.dropped += 1
        self.waiting.append(notice)
        if not self._wake.is_set():
            self._wake.set()
            self._idle.clear()

    async def settled(self) -> None:
        """Wait until everything published so far was handled."""
        await self._idle.wait()

    async def close(self) -> None:
        """End the task; what still waits is dropped, and nobody waits for it any longer."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.waiting.clear()
        self._idle.set()

    def _take(self) -> list[Notice]:
        batch: list[Notice] = []
        if self._lost:
            first = self.waiting[0]
            batch.append(Notice(first.seq - 1, first.at_ms, Lagged(dropped=self._lost)))
            self._lost = 0
        while self.waiting and len(batch) < self.listener.batch:
            batch.append(self.waiting.popleft())
        return batch

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            while self.waiting:
                await self._hand_over(self._take())
            self._wake.clear()
            self._idle.set()

    async def _hand_over(self, batch: list[Notice]) -> None:
        try:
            await contain(self.listener.handle(batch))
            self.handled += len(batch)
        except Exception:
            self.errors += 1
            self._log.exception("listener_failed", listener=self.listener.name, notices=len(batch))


class Bus:
    """The ``EventBus`` of the platform; used from the event loop's thread only.

    Sequence numbers start from the wall clock, so that they keep rising across restarts.
    """

    def __init__(self, clock: Clock, log: Logger) -> None:
        self._clock = clock
        self._log = log
        self._seq = clock.now_ms() * 1000
        self._queues: list[ListenerQueue] = []
        self._index: dict[type[Event], tuple[ListenerQueue, ...]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def publish(self, event: Event) -> int:
        self._seq += 1
        queues = self._index.get(type(event))
        if queues is None:
            queues = self._index[type(event)] = self._wanting(type(event))
        if queues:
            notice = Notice(self._seq, self._clock.now_ms(), event)
            for queue in queues:
                queue.put(notice)
        return self._seq

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        queue = ListenerQueue(listener, self._clock, self._log)
        self._queues.append(queue)
        self._index.clear()
        loop = asyncio.get_running_loop()

        def leave() -> None:
            if queue in self._queues:
                self._queues.remove(queue)
                self._index.clear()
                self._closing.add(task := loop.create_task(queue.close()))
                task.add_done_callback(self._closing.discard)

        return leave

    async def settle(self) -> None:
        """Wait until no listener has anything waiting (for tests and for stopping)."""
        while any(queue.waiting or not queue._idle.is_set() for queue in self._queues):
            await asyncio.gather(*(queue.settled() for queue in self._queues))

    async def close(self) -> None:
        queues, self._queues = self._queues, []
        self._index.clear()
        await asyncio.gather(*(queue.close() for queue in queues), *self._closing)

    def stats(self) -> Mapping[str, Mapping[str, int]]:
        """Per listener: ``queued``, ``handled``, ``dropped``, ``errors``."""
        return {
            queue.listener.name: {
                "queued": len(queue.waiting),
                "handled": queue.handled,
                "dropped": queue.dropped,
                "errors": queue.errors,
            }
            for queue in self._queues
        }

    def _wanting(self, kind: type[Event]) -> tuple[ListenerQueue, ...]:
        return tuple(queue for queue in self._queues if issubclass(kind, queue.listener.events))
