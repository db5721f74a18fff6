"""The suite for ways in: the same message has the same effects, whatever brought it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from neomind_core.contracts import (
    Device,
    DeviceDirectory,
    DeviceOnline,
    DeviceType,
    MetricDef,
    MetricsStored,
    Plugin,
    Point,
    StorageBusy,
    TelemetryStore,
)

from . import base

DEVICE_ID = "boiler"
UNKNOWN_ID = "nobody"
SERIES = f"device:{DEVICE_ID}:temperature"


class IngestContract(base.Contract):
    """For everything that brings samples of devices in: transports, the REST write, plugins.

    ``plugins``       what the host runs: the plugins ``devices`` and ``telemetry``, and the one under test
    ``source``        ``MetricsStored.source`` of a message of the device ``boiler``
    ``adapter_type``  of that device
    ``unknown``       the error code for a device that nobody registered and nobody keeps drafts of

    ``send`` hands one message in and returns when the sender knows: ``None`` when it was acknowledged, else the error
    code. A way in that cannot tell the sender returns ``None`` once it is done with the message.
    """

    plugins: Sequence[Plugin] = ()
    source = ""
    adapter_type = "webhook"
    unknown: str | None = "DEVICE_NOT_FOUND"

    async def send(self, host: Any, device_id: str, metric: str, value: Any) -> str | None:
        raise NotImplementedError(f"{type(self).__name__} must override send(host, device_id, metric, value)")

    @pytest.fixture
    async def subject(self) -> AsyncIterator[Any]:
        """A running host with the device ``boiler``, whose type has ``temperature`` and keeps no raw messages."""
        from neomind_sdk.testing import make_host

        metrics = (MetricDef(name="temperature", data_type="float"),)
        async with make_host(*self.plugins) as host:
            directory = host.services[DeviceDirectory]
            await directory.register_type(
                DeviceType(device_type="heater", name="Heater", metrics=metrics, store_raw=False)
            )
            await directory.register(
                Device(device_id=DEVICE_ID, name="Boiler", device_type="heater", adapter_type=self.adapter_type)
            )
            yield host

    async def test_a_value_is_stored_with_the_time_of_receipt(self, subject: Any) -> None:
        assert await self.send(subject, DEVICE_ID, "temperature", 21.5) is None
        newest = (await subject.services[TelemetryStore].latest([SERIES])).get(SERIES)
        assert newest is not None, f"the message was acknowledged, and {SERIES} has no sample"
        assert (newest.value, newest.ts_ms) == (21.5, subject.clock.now_ms())

    @pytest.mark.parametrize("value", [0, -(2**63), 2**63 - 1, 1e300, 0.1, True, False, "", "warm °C", "123"])
    async def test_values_keep_their_type(self, subject: Any, value: Any) -> None:
        assert await self.send(subject, DEVICE_ID, "temperature", value) is None
        stored = (await subject.services[TelemetryStore].latest([SERIES]))[SERIES].value
        assert (stored, type(stored)) == (value, type(value))

    async def test_every_message_is_told_once(self, subject: Any) -> None:
        for value in (1, 2):
            await self.send(subject, DEVICE_ID, "temperature", value)
        await subject.settle()
        events = subject.events.of(MetricsStored)
        now_ms = subject.clock.now_ms()
        assert [list(event.points) for event in events] == [[Point(SERIES, now_ms, 1)], [Point(SERIES, now_ms, 2)]]
        assert {(event.source, event.virtual) for event in events} == {(self.source, False)}

    async def test_a_message_is_a_sign_of_life(self, subject: Any) -> None:
        directory = subject.services[DeviceDirectory]
        assert directory.status(DEVICE_ID) == "disconnected"
        for _ in range(2):
            await self.send(subject, DEVICE_ID, "temperature", 1)
        await subject.settle()
        assert directory.status(DEVICE_ID) == "online"
        assert directory.last_seen(DEVICE_ID) == subject.clock.now_ms()
        assert len(subject.events.of(DeviceOnline)) == 1, "DeviceOnline is for the transition, not for every message"

    async def test_unknown_devices_have_no_history(self, subject: Any) -> None:
        assert await self.send(subject, UNKNOWN_ID, "temperature", 1) == self.unknown
        await subject.settle()
        assert await subject.services[TelemetryStore].series(f"device:{UNKNOWN_ID}") == []
        assert subject.events.of(MetricsStored) == []

    async def test_an_acknowledgement_means_stored(self, subject: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        store, begun, released = subject.services[TelemetryStore], asyncio.Event(), asyncio.Event()
        append = store.append

        async def slow(points: Sequence[Point]) -> None:
            begun.set()
            await released.wait()
            await append(points)

        monkeypatch.setattr(store, "append", slow)
        sending = asyncio.create_task(self.send(subject, DEVICE_ID, "temperature", 1))
        await asyncio.wait_for(begun.wait(), 5)
        assert not sending.done(), "the sender was told before the sample was stored"
        assert subject.events.of(MetricsStored) == [], "listeners were told before the sample was stored"
        released.set()
        assert await sending is None
        assert SERIES in await store.latest([SERIES])

    async def test_what_is_not_stored_is_not_acknowledged(self, subject: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        async def refuse(points: Sequence[Point]) -> None:
            raise StorageBusy("the queue is full")

        monkeypatch.setattr(subject.services[TelemetryStore], "append", refuse)
        assert await self.send(subject, DEVICE_ID, "temperature", 1) == "SERVICE_UNAVAILABLE"
        await subject.settle()
        assert subject.events.of(MetricsStored) == []
        assert subject.services[DeviceDirectory].status(DEVICE_ID) == "disconnected"
