"""A broker inside the test, behind the seam: what it was told, and what it says."""

from __future__ import annotations

import asyncio
from typing import Any

from neomind_plugins.transport_mqtt.packets import DUP, QOS1, RETAIN, Message


class FakeConnection:
    def __init__(self, broker: FakeBroker, target: Any, received: Any, session_present: bool) -> None:
        self.target, self.received, self.session_present = target, received, session_present
        self.broker = broker
        self.acked: list[int] = []
        self.paused = False
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def closed(self) -> str:
        return await asyncio.shield(self.gone)

    async def subscribe(self, filters: Any) -> list[bool]:
        self.broker.subscribed.update(filters)
        return [topic not in self.broker.denied for topic, _ in filters]

    async def unsubscribe(self, filters: Any) -> None:
        for topic in filters:
            self.broker.subscribed.pop(topic, None)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self.broker.mute:
            raise ConnectionError("the broker does not answer")
        self.broker.published.append((topic, payload, retain))

    def ack(self, packet_ids: list[int]) -> None:
        self.acked += packet_ids
        self.broker.acknowledged.set()

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    async def close(self) -> None:
        if not self.gone.done():
            self.gone.set_result("closed")


class FakeBroker:
    """``connect`` goes where the transport's own would."""

    def __init__(self) -> None:
        self.connections: list[FakeConnection] = []
        self.connected = asyncio.Event()
        self.acknowledged = asyncio.Event()
        self.subscribed: dict[str, int] = {}
        self.denied: set[str] = set()
        self.published: list[tuple[str, bytes, bool]] = []
        self.refuses: str | None = None
        self.mute = False
        self.keeps_sessions = True
        self._last = 0

    async def connect(self, target: Any, received: Any) -> FakeConnection:
        if self.refuses:
            raise ConnectionError(self.refuses)
        known = self.keeps_sessions and bool(self.connections)
        self.connections.append(FakeConnection(self, target, received, known))
        self.connected.set()
        return self.connections[-1]

    @property
    def connection(self) -> FakeConnection:
        return self.connections[-1]

    def send(
        self, topic: str, payload: bytes, *, packet_id: int | None = None, dup: bool = False, retain: bool = False
    ) -> int:
        """At QoS 1; returns the packet id."""
        if packet_id is None:
            self._last += 1
            packet_id = self._last
        flags = QOS1 | (DUP if dup else 0) | (RETAIN if retain else 0)
        self.connection.received([Message(topic.encode(), payload, flags, packet_id)])
        return packet_id

    async def acked(self, packet_id: int, timeout: float = 5.0) -> bool:
        """Whether it is acknowledged in time."""
        try:
            await asyncio.wait_for(self._acked(packet_id), timeout)
        except TimeoutError:
            return False
        return True

    async def _acked(self, packet_id: int) -> None:
        while packet_id not in self.connection.acked:
            self.acknowledged.clear()
            await self.acknowledged.wait()

    def cut(self) -> None:
        self.connected.clear()
        self.connection.gone.set_result("cut")
