"""The outbox as the contracts of its extension points want it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from neomind_plugins.outbox import hooks
from neomind_plugins.outbox import plugin as outbox
from neomind_plugins.outbox.models import OutboxSettings
from neomind_sdk import Database, Event, ExtensionStateChanged, Outbox, Platform
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import (
    HealthContract,
    JobContract,
    ListenerContract,
    RouteContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)


class TestTables(TablesContract):
    def make(self) -> Any:
        return hooks.neomind_tables(None)[0]


class TestRoutes(RouteContract):
    def make(self) -> Any:
        return hooks.neomind_routes(None)


class TestSettings(SettingsContract):
    def make(self) -> Any:
        return hooks.neomind_settings(None)


async def contributed(kind: str) -> AsyncIterator[Any]:
    async with make_host(outbox) as host:
        yield [item for owner, item in host.services[Platform].contributions(kind) if owner == "outbox"]


class TestJobs(JobContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Any]:
        async for found in contributed("jobs"):
            yield found


class TestHealth(HealthContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Any]:
        async for found in contributed("health"):
            yield found


class TestListeners(ListenerContract):
    def events(self) -> list[Event]:
        return [ExtensionStateChanged(extension_id="x", state="started")]

    @pytest.fixture
    async def subject(self) -> AsyncIterator[Any]:
        async for found in contributed("listeners"):
            yield found


class TestServices(ServiceContract):
    @pytest.fixture
    async def subject(self, tmp_path: Any) -> AsyncIterator[Any]:
        async with make_host(outbox) as host:
            services = hooks.neomind_services(None)
            self.ctx = SimpleNamespace(
                services={key: host.services[key] for key in (Database, *(service.key for service in services))},
                settings={OutboxSettings: OutboxSettings()},
                bus=host.bus,
                clock=host.clock,
                egress=host.host.egress,
                log=None,
                spawn=None,
                data_dir=tmp_path,
                plugin=SimpleNamespace(name="outbox"),
            )
            yield services

    def context(self) -> Any:
        return self.ctx

    async def test_it_is_the_outbox_of_the_contract(self, subject: Any) -> None:
        assert isinstance(self.ctx.services[Outbox], Outbox)
