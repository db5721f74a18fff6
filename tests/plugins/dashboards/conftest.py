"""A platform with a dashboard that shows a little of it, and much beside that nobody may see through a link."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from neomind_plugins.commands import plugin as commands
from neomind_plugins.dashboards import plugin as dashboards
from neomind_plugins.devices import plugin as devices
from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_plugins.settings import plugin as settings
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import (
    AgentRuns,
    CommandDef,
    DashboardComponent,
    Device,
    DeviceDirectory,
    DeviceType,
    Downlink,
    ExtensionCommand,
    MetricDef,
    ParamDef,
    Plugin,
    Point,
    Service,
    TelemetryStore,
    TransportStatus,
    hookimpl,
)
from neomind_sdk.testing import make_host

SECRET = "s3cr3t-marker"
"""Stands in everything that the dashboard does not show."""
COMPONENT: dict[str, Any] = {"id": "c1", "type": "value-card", "position": {"x": 0, "y": 0, "w": 2, "h": 1}}
LAYOUT: dict[str, Any] = {
    "columns": 12,
    "rows": "auto",
    "breakpoints": {"lg": 1200, "md": 996, "sm": 768, "xs": 480},
}
SHOWN = [
    {"type": "device", "sourceId": "boiler", "property": "temperature"},
    {"type": "telemetry", "sourceId": "boiler", "metricId": "flow", "timeWindow": {"type": "last_1hour"}},
    {"type": "device-info", "sourceId": "boiler", "infoProperty": "online"},
    {"type": "extension", "extensionId": "weather", "extensionMetric": "wind"},
    {"type": "transform", "transformId": "t1", "metricId": "mean"},
    {"type": "system", "systemMetric": "cpu_count"},
    {"type": "agent", "agentId": "a1"},
    {"type": "command", "sourceId": "boiler", "command": "heat", "commandParams": {"level": 3}},
    {"type": "extension-command", "extensionId": "weather", "extensionCommand": "roll"},
]
IDS = [
    "device:boiler:temperature",
    "device:boiler:flow",
    "device-info:boiler:online",
    "extension:weather:wind",
    "transform:t1:mean",
    "system:cpu_count",
    "agent:a1",
    "command:boiler:heat",
    "extension-command:weather:roll",
]
HEAT = CommandDef(
    name="heat",
    payload_template='{"level": ${level}, "for": ${minutes}}',
    parameters=(
        ParamDef(name="level", data_type="integer"),
        ParamDef(name="minutes", data_type="integer", default_value=1),
    ),
)
BOILER = DeviceType(
    device_type="boiler",
    name="Boiler",
    metrics=(MetricDef(name="temperature", data_type="float", unit="°C"), MetricDef(name=SECRET)),
    commands=(HEAT, CommandDef(name="drain")),
)
RECORD = {
    "id": "x1",
    "agent_id": "a1",
    "status": "Completed",
    "decision_process": {"conclusion": "all is well", "data_collected": [SECRET], "situation_analysis": SECRET},
    "result": {"summary": "well", "report": "# Well", "actions_executed": [SECRET]},
}


class Runs:
    """An agent that has run."""

    async def latest(self, agent_id: str) -> Mapping[str, Any] | None:
        return {"a1": RECORD, "a2": {"result": {"summary": SECRET}}}.get(agent_id)

    def exists(self, agent_id: str) -> bool:
        return True

    async def start(self, agent_id: str, **more: Any) -> str:
        raise AssertionError("nobody starts agents through dashboards")


class Weather:
    """An extension, a transport and a provider of agents, that remember what they were told."""

    name = "wire"
    adapter_types = ("mqtt",)

    def __init__(self) -> None:
        self.sent: list[Downlink] = []
        self.ran: list[tuple[Mapping[str, Any], Any]] = []

    async def status(self) -> TransportStatus:
        return TransportStatus(connected=True)

    async def send(self, downlink: Downlink) -> None:
        self.sent.append(downlink)

    async def roll(self, args: Mapping[str, Any], call: Any) -> Any:
        self.ran.append((args, call))
        return {"eyes": 4}

    async def secret(self, args: Mapping[str, Any], call: Any) -> Any:
        raise AssertionError("no dashboard has a control for it")

    @hookimpl
    def neomind_transports(self, ctx: Any) -> Any:
        return [self]

    @hookimpl
    def neomind_services(self, ctx: Any) -> Any:
        return [Service(key=AgentRuns, build=lambda ctx: Runs())]

    @hookimpl
    def neomind_commands(self, ctx: Any) -> Any:
        return [ExtensionCommand(name="roll", run=self.roll), ExtensionCommand(name="secret", run=self.secret)]

    @hookimpl
    def neomind_dashboard_components(self, ctx: Any) -> Any:
        return [DashboardComponent(type="wind-rose", name="Wind rose")]

    def plugin(self) -> Plugin:
        return Plugin(name="weather", summary="The weather.", provides=("agents",), hooks=self)


@attrs.define
class World:
    """The platform, its owner, and a stranger who has but a link."""

    host: Any
    weather: Weather
    owner: Any
    stranger: Any

    async def dashboard(self, **members: Any) -> Any:
        return data(await self.owner.post("/api/dashboards", json={"name": "Cellar", **members}))

    async def shared(self, sources: Any = None, *, interactive: bool = False, **body: Any) -> str:
        """The token of a new dashboard that shows ``SHOWN``, or these sources."""
        component = {**COMPONENT, "data_source": SHOWN if sources is None else sources}
        made = await self.dashboard(components=[component])
        body = {"permissions": {"allow_interactive": interactive}, **body}
        return data(await self.owner.post(f"/api/dashboards/{made['id']}/share", json=body))["token"]

    async def look(self, token: str, path: str = "", **more: Any) -> Any:
        return await self.stranger.get(f"/api/dashboards/shared/{token}{path}", **more)

    async def store(self, series: str, value: Any, *, ago_s: float = 1) -> None:
        at_ms = self.host.clock.now_ms() - round(ago_s * 1000)
        await self.host.services[TelemetryStore].append([Point(series, at_ms, value)])


@asynccontextmanager
async def a_world(*more: Plugin, **options: Any) -> AsyncIterator[World]:
    weather = Weather()
    plugins = (dashboards, devices, telemetry, commands, extension_admin, settings, weather.plugin(), *more)
    async with make_host(*plugins, **options) as host:
        yield World(host, weather, host.client(), host.client(None))


async def furnish(world: World) -> None:
    """Devices, and values of what is shown and of what is not."""
    directory = world.host.services[DeviceDirectory]
    await directory.register_type(BOILER)
    for ident, name in (("boiler", SECRET), ("vault", SECRET)):
        config = {"note": SECRET}
        await directory.register(Device(device_id=ident, name=name, device_type="boiler", connection_config=config))
    await world.store("device:boiler:temperature", 20.5, ago_s=60)
    await world.store("device:boiler:temperature", 21.5)
    for hours in (0.5, 2):
        await world.store("device:boiler:flow", hours, ago_s=hours * 3600)
    await world.store("extension:weather:wind", 7)
    await world.store("transform:t1:mean", 1.25)
    for series in ("device:boiler:_raw", f"device:boiler:{SECRET}", "device:vault:temperature", "extension:weather:x"):
        await world.store(series, SECRET)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as world:
        await furnish(world)
        yield world


def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]
