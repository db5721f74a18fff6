"""Settings as the contracts of their extension points want them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from neomind_plugins.settings import hooks
from neomind_plugins.settings import plugin as settings
from neomind_sdk import Database, Event, ExtensionStateChanged, Platform, SettingsRegistry
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import (
    ListenerContract,
    RouteContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)


class TestRoutes(RouteContract):
    def make(self) -> Any:
        return hooks.neomind_routes(None)


class TestTables(TablesContract):
    def make(self) -> Any:
        return hooks.neomind_tables(None)[0]


class TestSettings(SettingsContract):
    def make(self) -> Any:
        return hooks.neomind_settings(None)


class TestListeners(ListenerContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[list[Any]]:
        async with make_host(settings) as host:
            every = host.services[Platform].contributions("listeners")
            yield [item for owner, item in every if owner == "settings"]

    def events(self) -> Sequence[Event]:
        return [ExtensionStateChanged(extension_id="boiler", state="started")]


class TestServices(ServiceContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Sequence[Any]]:
        async with make_host(settings) as host:
            self.services = {key: host.services[key] for key in (Database, SettingsRegistry)}
            yield hooks.neomind_services(None)

    def context(self) -> Any:
        return SimpleNamespace(services=self.services, log=None)
