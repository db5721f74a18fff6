"""Devices of the tests: another client library than ours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

HOST = "127.0.0.1"
WAIT_S = 10.0


class Device:
    """A client that publishes and listens.

    ``received`` are topics and payloads, ``acknowledged`` the ids of messages that the broker has.
    """

    def __init__(self, port: int, client_id: str = "", **login: Any) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.max_inflight_messages_set(100)
        self._client.max_queued_messages_set(0)
        if login:
            self._client.username_pw_set(login["username"], login["password"])
        if "cafile" in login:
            self._client.tls_set(login["cafile"])
        self._port = port
        self.connected = threading.Event()
        self.refused: list[str] = []
        self.received: list[tuple[str, bytes]] = []
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = lambda _client, _data, message: self.received.append((message.topic, message.payload))
        self.acknowledged: set[int] = set()
        self._client.on_publish = lambda _client, _data, mid, *_: self.acknowledged.add(mid)
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.refused.append(str(reason))
        self.connected.set()

    def _on_disconnect(self, *_: Any) -> None:
        if not self.connected.is_set():  # the embedded broker does not say why
            self.refused.append("closed")
            self.connected.set()

    def start(self) -> None:
        self._client.connect(HOST, self._port)
        self._client.loop_start()
        assert self.connected.wait(WAIT_S), "the device could not connect"

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False) -> None:
        """Returns when the broker has it, at QoS 1."""
        self._client.publish(topic, payload, qos=qos, retain=retain).wait_for_publish(WAIT_S)

    def send(self, topic: str, payload: bytes | str, *, qos: int = 1) -> paho.MQTTMessageInfo:
        """Does not wait."""
        return self._client.publish(topic, payload, qos=qos)

    def listen(self, topic: str) -> None:
        self._subscribed.clear()
        self._client.subscribe(topic, 1)
        assert self._subscribed.wait(WAIT_S)


@contextmanager
def device(port: int, client_id: str = "", **login: Any) -> Iterator[Device]:
    one = Device(port, client_id, **login)
    one.start()
    try:
        yield one
    finally:
        one.stop()


async def eventually(check: Callable[[], Any], timeout: float = 10.0) -> Any:
    """The first true value of ``check``; what it looks at happens in another process."""
    until = asyncio.get_running_loop().time() + timeout
    while not (found := check()):
        assert asyncio.get_running_loop().time() < until, "it did not happen in time"
        await asyncio.sleep(0.01)
    return found
