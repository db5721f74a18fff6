"""The host for tests."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import attrs
import httpx2
import pytest

from neomind_core.host.config import HostConfig
from neomind_core.host.http.app import HttpConfig
from neomind_core.host.records import PluginFailed
from neomind_sdk import (
    ADMIN,
    Clock,
    DeviceOnline,
    Egress,
    Event,
    EventBus,
    ExtensionStateChanged,
    Listener,
    Notice,
    Plugin,
    Raw,
    Route,
    Service,
    SettingsSection,
    Status,
    Step,
    TelemetryStore,
    hookimpl,
)
from neomind_sdk.testing import VirtualClock, make_host
from neomind_sdk.testing.egress import FakeEgress


class Greeter:
    """A service of a plugin of tests."""

    def __init__(self, word: str) -> None:
        self.word = word


ONLINE = DeviceOnline(device_id="boiler", device_type="heater")


@attrs.frozen
class GreeterSettings:
    word: str = "Hello"


async def hello(request: Any) -> dict[str, Any]:
    principal = request.principal
    word = request.services[Greeter].word
    return {
        "says": word,
        "name": principal.name,
        "kind": principal.kind,
        "role": principal.role,
        "from": request.client,
    }


async def drip(_request: Any) -> Raw:
    async def chunks() -> Any:
        yield b"first"
        await asyncio.Event().wait()

    return Raw(content=chunks(), media_type="text/plain")


class Hooks:
    """Everything that a small plugin has."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.ticks = 0
        self.ended = False

    @hookimpl
    def neomind_settings(self, ctx: Any) -> list[SettingsSection]:
        return [SettingsSection(name="greeter", cls=GreeterSettings)]

    @hookimpl
    def neomind_services(self, ctx: Any) -> list[Service]:
        return [Service(key=Greeter, build=lambda ctx: Greeter(ctx.settings[GreeterSettings].word))]

    @hookimpl
    def neomind_routes(self, ctx: Any) -> list[Route]:
        more = {"method": "GET", "summary": "x"}
        return [
            Route(path="/hello", handler=hello, scope="public", identify=True, **more),
            Route(path="/admin", handler=hello, scope=ADMIN, **more),
            Route(path="/drip", handler=drip, scope="public", **more),
        ]

    @hookimpl
    def neomind_listeners(self, ctx: Any) -> list[Listener]:
        async def hear(notices: list[Notice]) -> None:
            self.heard += [notice.event for notice in notices]

        return [Listener(name="greeter.ear", events=(DeviceOnline,), handle=hear)]

    @hookimpl
    def neomind_start(self, ctx: Any) -> list[Step]:
        async def tick() -> None:
            while True:
                await ctx.clock.sleep(60)
                self.ticks += 1

        async def run() -> None:
            ctx.spawn(tick(), "tick")

        return [Step(name="greeter.tick", run=run)]

    @hookimpl
    def neomind_stop(self, ctx: Any) -> list[Step]:
        async def run() -> None:
            self.ended = True

        return [Step(name="greeter.end", run=run)]


@pytest.fixture
def hooks():
    return Hooks()


@pytest.fixture
def greeter(hooks):
    return Plugin(name="greeter", summary="Greets.", hooks=hooks)


def failing(error: BaseException, **more: Any) -> Plugin:
    class Broken:
        @hookimpl
        def neomind_start(self, ctx: Any) -> list[Step]:
            async def run() -> None:
                raise error

            return [Step(name="broken.start", run=run)]

    return Plugin(name="broken", summary="Breaks.", hooks=Broken(), **more)


# ---- callers ----


@pytest.mark.parametrize("role", ["admin", "user", "viewer"])
async def test_roles(greeter, role):
    async with make_host(greeter) as host:
        data = (await host.client(role).get("/api/hello")).json()["data"]
        assert (data["name"], data["kind"], data["role"]) == (role, "user", role)
        assert (await host.client(role).get("/api/admin")).status_code == (200 if role == "admin" else 403)


async def test_scopes(greeter):
    async with make_host(greeter) as host:
        data = (await host.client(scopes=["devices:read"]).get("/api/hello")).json()["data"]
        assert (data["name"], data["kind"]) == ("devices:read", "api_key")
        assert (await host.client(scopes=["devices:read"]).get("/api/admin")).status_code == 403
        assert (await host.client(scopes=["*"]).get("/api/admin")).status_code == 200


async def test_anonymous(greeter):
    async with make_host(greeter) as host:
        assert (await host.client(None).get("/api/hello")).json()["data"]["kind"] == "anonymous"
        assert (await host.client(None).get("/api/admin")).status_code == 401
        forged = {"x-test-principal": "root"}
        assert (await host.client(None).get("/api/admin", headers=forged)).status_code == 401


async def test_addresses(greeter):
    async with make_host(greeter) as host:
        assert (await host.client().get("/api/hello")).json()["data"]["from"] == "127.0.0.1"
        assert (await host.client(address="192.0.2.9").get("/api/hello")).json()["data"]["from"] == "192.0.2.9"


async def test_the_context_of_a_plugin(greeter):
    async with make_host(greeter) as host:
        assert host.context("greeter").plugin.name == "greeter"
        with pytest.raises(KeyError, match="this host has no plugin 'stranger'"):
            host.context("stranger")


async def test_one_hosts_callers_are_nobody_elsewhere(greeter):
    async with make_host(greeter) as host, make_host(Plugin(name="greeter", summary="x", hooks=Hooks())) as other:
        assert (await host.client("admin").get("/api/admin")).status_code == 200
        forged = {"x-test-principal": "admin"}
        assert (await other.client(None).get("/api/admin", headers=forged)).status_code == 401


# ---- what it gives ----


async def test_services(greeter):
    async with make_host(greeter) as host:
        assert host.services[Greeter].word == "Hello"
        assert host.services[Clock] is host.clock
        assert host.services[EventBus] is host.bus
        assert host.services.find(Hooks) is None
        with pytest.raises(LookupError, match="Hooks"):
            host.services[Hooks]


async def test_settings(greeter):
    async with make_host(greeter, settings={"greeter": {"word": "Ahoy"}}) as host:
        assert (await host.client().get("/api/hello")).json()["data"]["says"] == "Ahoy"


async def test_events(greeter, hooks):
    async with make_host(greeter) as host:
        assert {event.extension_id for event in host.events.of(ExtensionStateChanged)} >= {"greeter"}
        host.bus.publish(ONLINE)
        assert host.events.of(DeviceOnline) == [ONLINE]
        assert hooks.heard == []
        await host.settle()
        assert hooks.heard == [ONLINE]


async def test_time(greeter, hooks):
    async with make_host(greeter) as host:
        await host.clock.advance(59)
        assert hooks.ticks == 0
        await host.clock.advance(121)
        assert hooks.ticks == 3


async def test_a_clock_of_ones_own(greeter):
    clock = VirtualClock(now_ms=5)
    async with make_host(greeter, clock=clock) as host:
        assert host.clock is clock
        assert (await host.client().get("/api/hello")).json()["meta"]["timestamp"].startswith("1970-01-01T00:00:00.005")


async def test_egress(greeter):
    egress = FakeEgress()
    async with make_host(greeter, egress=egress) as host:
        assert host.services[Egress] is egress


async def test_storage(greeter):
    needy = Plugin(name="needy", summary="x", requires=("storage",), hooks=object())
    async with make_host(greeter) as host:
        assert host.services.find(TelemetryStore) is not None
    async with make_host(greeter, storage=False) as host:
        assert host.services.find(TelemetryStore) is None
    with pytest.raises(PluginFailed, match="storage"):
        async with make_host(needy, storage=False):
            pass


async def test_the_data_directory_goes_with_the_host(greeter, tmp_path):
    async with make_host(greeter) as host:
        where = host.host.config.data_dir
        assert where.is_dir()
    assert not where.exists()
    async with make_host(greeter, data_dir=tmp_path) as host:
        assert host.host.config.data_dir == tmp_path
    assert tmp_path.exists()


async def test_configuration(greeter):
    config = HostConfig(http=HttpConfig(requests_per_minute=1))
    async with make_host(greeter, config=config) as host:
        assert [(await host.client().get("/api/hello")).status_code for _ in range(2)] == [200, 429]


# ---- failures ----


@pytest.mark.parametrize("config", [None, HostConfig()])
async def test_a_plugin_that_fails_fails_the_test(config):
    with pytest.raises(PluginFailed, match="broken on purpose"):
        async with make_host(failing(RuntimeError("broken on purpose")), config=config):
            pass


@pytest.mark.parametrize("config", [None, HostConfig()])
async def test_unless_that_is_what_is_tested(greeter, config):
    async with make_host(greeter, failing(RuntimeError("on purpose")), config=config, strict=False) as host:
        [info] = [info for info in host.host.plugins() if info.name == "broken"]
        assert (info.status, "on purpose" in info.reason) == (Status.FAILED_AT_RUN, True)
        assert (await host.client().get("/api/hello")).status_code == 200


async def test_it_stops_when_the_test_fails(greeter, hooks):
    with pytest.raises(ZeroDivisionError):
        async with make_host(greeter) as host:
            client = host.client()
            raise ZeroDivisionError
    assert hooks.ended
    assert client.is_closed


async def test_it_stops_what_started_before_the_failure(greeter, hooks):
    with pytest.raises(PluginFailed):
        async with make_host(greeter, failing(RuntimeError(), requires=("greeter",))):
            pass
    assert hooks.ended


async def test_modules_that_are_none_do_no_harm(greeter, monkeypatch):
    monkeypatch.setitem(sys.modules, "not_to_be_imported", None)
    async with make_host(greeter):
        pass


# ---- over a socket ----


async def test_served(greeter):
    async with make_host(greeter) as host:
        async with host.served() as url, httpx2.AsyncClient(base_url=url) as client:
            name = host.principal("viewer")
            answer = await client.get("/api/hello", headers={"x-test-principal": name})
            assert answer.json()["data"]["name"] == "viewer"
        async with httpx2.AsyncClient(base_url=url) as client:
            with pytest.raises(httpx2.ConnectError):
                await client.get("/api/hello")


async def test_a_stream_left_open_does_not_keep_it(greeter):
    async with make_host(greeter) as host, httpx2.AsyncClient() as client:
        async with host.served() as url:
            request = client.build_request("GET", f"{url}/api/drip")
            answer = await client.send(request, stream=True)
            assert await anext(answer.aiter_bytes()) == b"first"
        await answer.aclose()


async def test_a_server_that_cannot_start_is_said_so(greeter, monkeypatch):
    import uvicorn

    async def fail(self, sockets=None):
        raise OSError("no more sockets")

    monkeypatch.setattr(uvicorn.Server, "startup", fail)
    async with make_host(greeter) as host:
        with pytest.raises(RuntimeError, match="did not start") as caught:
            async with host.served():
                pass
    assert isinstance(caught.value.__cause__, OSError)
