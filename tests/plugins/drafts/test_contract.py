"""Drafts as the contracts of their extension points want them, and a webhook that has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from neomind_plugins.drafts import hooks
from neomind_plugins.drafts.models import DraftSettings
from neomind_sdk import (
    Database,
    DeviceDirectory,
    DiscoveryInbox,
    Platform,
    SettingsRegistry,
    TelemetryStore,
)
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import (
    IngestContract,
    JobContract,
    RouteContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)

from .conftest import PLUGINS


class TestTables(TablesContract):
    def make(self) -> Any:
        return hooks.neomind_tables(None)[0]  # type: ignore[arg-type]


class TestRoutes(RouteContract):
    def make(self) -> Any:
        return hooks.neomind_routes(None)  # type: ignore[arg-type]


class TestSettings(SettingsContract):
    def make(self) -> Any:
        return hooks.neomind_settings(None)  # type: ignore[arg-type]


class TestJobs(JobContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Any]:
        async with make_host(*PLUGINS) as host:
            yield [job for owner, job in host.services[Platform].contributions("jobs") if owner == "drafts"]


class TestServices(ServiceContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Any]:
        async with make_host(*PLUGINS) as host:
            foreign = (Database, TelemetryStore, DeviceDirectory, SettingsRegistry)
            services = hooks.neomind_services(None)  # type: ignore[arg-type]
            keys = (*foreign, *(service.key for service in services))
            self.ctx = SimpleNamespace(
                services={key: host.services[key] for key in keys},
                settings={DraftSettings: DraftSettings()},
                bus=host.bus,
                clock=host.clock,
                log=None,
            )
            yield services

    def context(self) -> Any:
        return self.ctx


class TestWebhookWithDrafts(IngestContract):
    """Drafts change nothing for devices that are registered; who is not gets an acknowledgement and no history."""

    plugins = PLUGINS
    source = "adapter:webhook:boiler"
    unknown = None

    async def send(self, host: Any, device_id: str, metric: str, value: Any) -> str | None:
        answer = await host.client(role=None).post(f"/api/devices/{device_id}/webhook", json={metric: value})
        return None if answer.status_code == 200 else answer.json()["error"]["code"]

    def test_there_is_an_inbox(self, subject: Any) -> None:
        assert isinstance(subject.services[DiscoveryInbox], DiscoveryInbox)
