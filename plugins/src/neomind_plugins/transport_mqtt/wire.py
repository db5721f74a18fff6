"""MQTT over asyncio: whole socket buffers are taken apart at once, acknowledgements leave in one piece."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from . import packets
from .packets import CONNACK, PINGRESP, PUBACK, SUBACK, UNSUBACK, Control, Message, Parser, ProtocolError
from .seam import Received, Target

CONNECT_S = 5.0
ANSWER_S = 10.0
CLOSE_S = 0.5
REFUSALS = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker refuses the client id",
    3: "the broker is not available",
    4: "the user name or password is wrong",
    5: "the broker does not authorize this client",
}


class Refused(ConnectionError):
    """The broker answered, and does not want us."""


class Wire(asyncio.Protocol):
    """A ``Connection``."""

    def __init__(self, target: Target, received: Received) -> None:
        self._loop = asyncio.get_running_loop()
        self._login = target.login
        self._received = received
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._accepted: asyncio.Future[bytes] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._waiting: dict[tuple[int, int], asyncio.Future[bytes]] = {}
        self._last_id = 0
        self._heard = self._loop.time()
        self._pinging: asyncio.TimerHandle | None = None
        self._paused = False
        self.session_present = False

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # that of uvloop is no subclass
        self._transport.write(packets.connect(self._login))

    def data_received(self, data: bytes) -> None:
        messages: list[Message] = []
        controls: list[Control] = []
        self._heard = self._loop.time()
        try:
            self._parser.feed(data, messages, controls)
            for control in controls:
                self._control(control)
        except (ProtocolError, ValueError, IndexError) as error:
            self._drop(f"the broker sent what is no MQTT 3.1.1: {error}")
            return
        if messages:
            self._received(messages)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the connection was lost: {exc}" if exc else "the broker closed the connection")

    # ---- Connection

    async def open(self) -> None:
        """Until the broker accepted; raises ``ConnectionError``."""
        try:
            answer = await asyncio.wait_for(self._accepted, CONNECT_S)
        except TimeoutError as error:
            self._drop("the broker did not answer")
            raise ConnectionError("the broker did not answer") from error
        if answer[1]:
            reason = REFUSALS.get(answer[1], f"the broker refused with code {answer[1]}")
            self._drop(reason)
            raise Refused(reason)
        self.session_present = bool(answer[0] & 1)
        self._ping()

    async def closed(self) -> str:
        return await asyncio.shield(self._lost)

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> list[bool]:
        packet_id = self._next_id()
        answer = await self._ask(SUBACK, packet_id, packets.subscribe(packet_id, list(filters)))
        return [code < packets.REFUSED for code in answer]

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        packet_id = self._next_id()
        await self._ask(UNSUBACK, packet_id, packets.unsubscribe(packet_id, list(filters)))

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        packet_id = self._next_id()
        await self._ask(PUBACK, packet_id, packets.publish(topic, payload, packet_id, retain=retain))

    def ack(self, packet_ids: list[int]) -> None:
        if self._transport is not None and not self._lost.done():
            self._transport.write(packets.pubacks(packet_ids))

    def pause(self) -> None:
        if self._transport is not None and not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and self._paused:
            self._paused = False
            self._heard = self._loop.time()
            if not self._transport.is_closing():
                self._transport.resume_reading()

    async def close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packets.DISCONNECT)
            self._transport.close()
        try:
            await asyncio.wait_for(self.closed(), CLOSE_S)
        except TimeoutError:
            self._drop("closed")

    # ---- inside

    def _control(self, control: Control) -> None:
        kind, body = control
        if kind == CONNACK and not self._accepted.done():
            self._accepted.set_result(body[:2].ljust(2, b"\x03"))
        elif kind in (SUBACK, UNSUBACK, PUBACK):
            waiting = self._waiting.pop((kind, int.from_bytes(body[:2], "big")), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(body[2:])
        elif kind != PINGRESP:
            raise ProtocolError(f"a packet of kind {kind}")

    async def _ask(self, kind: int, packet_id: int, packet: bytes) -> bytes:
        if self._transport is None or self._lost.done():
            raise ConnectionError("there is no connection to the broker")
        waiting = self._waiting[kind, packet_id] = self._loop.create_future()
        self._transport.write(packet)
        try:
            return await asyncio.wait_for(waiting, ANSWER_S)
        except TimeoutError as error:
            raise ConnectionError(f"the broker did not answer within {ANSWER_S:g} s") from error
        finally:
            self._waiting.pop((kind, packet_id), None)

    def _next_id(self) -> int:
        self._last_id = self._last_id % 0xFFFF + 1
        return self._last_id

    def _ping(self) -> None:
        """Twice per keep-alive time say that we are here, and see whether the broker is."""
        silence, most = self._loop.time() - self._heard, self._login.keep_alive_s * 1.5
        if silence > most and not self._paused:  # while nothing is read, nothing can be heard
            self._drop(f"the broker was silent for {silence:.0f} s")
        elif self._transport is not None and not self._lost.done():
            self._transport.write(packets.PING)
            self._pinging = self._loop.call_later(self._login.keep_alive_s / 2, self._ping)

    def _drop(self, reason: str) -> None:
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, reason: str) -> None:
        if self._lost.done():
            return
        self._lost.set_result(reason)
        if self._pinging is not None:
            self._pinging.cancel()
        for waiting in (self._accepted, *self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(ConnectionError(reason))
        self._accepted.exception() if self._accepted.done() and not self._accepted.cancelled() else None


async def connect(target: Target, received: Received) -> Wire:
    """See ``seam.Connect``."""
    loop = asyncio.get_running_loop()
    name = target.name if target.tls is not None else None
    opening = loop.create_connection(
        lambda: Wire(target, received), target.host, target.port, ssl=target.tls, server_hostname=name
    )
    try:
        _, wire = await asyncio.wait_for(opening, CONNECT_S)
    except TimeoutError as error:
        raise ConnectionError(f"no connection within {CONNECT_S:g} s") from error
    await wire.open()
    return wire
