"""Platforms that push readings at each other: what has passed too many of them goes no further."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_plugins.transport_webhook import plugin as transport_webhook
from neomind_sdk import Device, DeviceDirectory, DeviceType, Listener, MetricsStored, Plugin, hookimpl
from neomind_sdk.testing import make_host

URL = "/api/devices/boiler/webhook"
HEADER = "X-NeoMind-Hops"
LIMIT = 8


async def platform(stack: AsyncExitStack, *more: Plugin) -> Any:
    """A host with the device ``boiler``."""
    host = await stack.enter_async_context(make_host(devices, telemetry, transport_webhook, *more))
    directory = host.services[DeviceDirectory]
    await directory.register_type(DeviceType(device_type="heater", name="Heater", store_raw=False))
    await directory.register(Device(device_id="boiler", name="Boiler", device_type="heater"))
    return host


async def stored(host: Any) -> list[MetricsStored]:
    await host.settle()
    return list(host.events.of(MetricsStored))


@pytest.mark.parametrize(
    ("text", "hops"),
    [
        (None, 0),
        ("0", 0),
        ("1", 1),
        ("007", 7),
        ("8", LIMIT),
        ("9", LIMIT),
        ("99999999999999999999", LIMIT),
        ("9" * 5000, LIMIT),
        ("0" * 5000, 0),
        ("-1", 0),
        ("+1", 0),
        ("1.5", 0),
        ("1, 2", 0),
        ("", 0),
        ("many", 0),
        ("0x8", 0),
        ("²".encode(), 0),
        ("٣".encode(), 0),
    ],
)
@pytest.mark.parametrize("path", [URL, "/api/devices/webhook"])
async def test_the_header_is_read_into_the_batch(text: Any, hops: int, path: str) -> None:
    async with AsyncExitStack() as stack:
        host = await platform(stack)
        headers = {} if text is None else {HEADER: text}
        answer = await host.client(None).post(path, json={"t": 1, "device_id": "boiler"}, headers=headers)
        assert answer.status_code == 200, answer.text
        [event] = await stored(host)
        assert (event.hops, event.cause) == (hops, "adapter:webhook:boiler" if hops else None)


async def test_it_is_of_every_message_of_a_body_and_of_no_other() -> None:
    async with AsyncExitStack() as stack:
        host = await platform(stack)
        for headers in ({HEADER: "3"}, {}):
            await host.client(None).post(URL, json=[{"t": 1}, {"t": 2}], headers=headers)
        first, second = await stored(host)
        assert [(len(event.points), event.hops) for event in (first, second)] == [(2, 3), (2, 0)]


class Pushing:
    """Pushes on whatever is stored, unless it has passed too many platforms already; ``limit`` may be none."""

    def __init__(self, limit: int | None = LIMIT) -> None:
        self.limit = limit
        self.neighbour: Any = None
        self.sent = 0

    def plugin(self) -> Plugin:
        return Plugin(name="pushing", summary="Pushes samples on, for tests.", requires=("telemetry",), hooks=self)

    @hookimpl
    def neomind_listeners(self, ctx: Any) -> list[Listener]:
        return [Listener(name="pushing.all", events=(MetricsStored,), handle=self.push)]

    async def push(self, notices: Any) -> None:
        for notice in notices:
            event = notice.event
            if event.hops < LIMIT if self.limit is not None else self.sent < 3 * LIMIT:
                self.sent += 1
                body = {point.series.split(":")[-1]: point.value for point in event.points}
                await self.neighbour.client(None).post(URL, json=body, headers={HEADER: str(event.hops + 1)})


async def ring(pushing: list[Pushing]) -> list[Any]:
    """Platforms in a ring, each of which pushes to the next, with one reading of a device sent to the first."""
    async with AsyncExitStack() as stack:
        hosts = [await platform(stack, one.plugin()) for one in pushing]
        for one, neighbour in zip(pushing, [*hosts[1:], hosts[0]], strict=True):
            one.neighbour = neighbour
        await hosts[0].client(None).post(URL, json={"t": 1})
        for _ in range(4 * LIMIT):
            for host in hosts:
                await host.settle()
        return [event.hops for host in hosts for event in host.events.of(MetricsStored)]


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_ring_comes_to_an_end(size: int) -> None:
    pushing = [Pushing() for _ in range(size)]
    assert sorted(await ring(pushing)) == list(range(LIMIT + 1))
    assert sum(one.sent for one in pushing) == LIMIT


async def test_one_that_counts_nothing_would_go_round_and_round() -> None:
    """Negative control: just the test's own limit ends it, and the count stays where it need not go on."""
    hops = await ring([Pushing(limit=None), Pushing(limit=None)])
    assert len(hops) > 4 * LIMIT
    assert max(hops) == LIMIT
