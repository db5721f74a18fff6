"""API keys as the contracts of their extension points want them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from neomind_plugins.api_keys import hooks
from neomind_plugins.api_keys import plugin as api_keys
from neomind_plugins.api_keys.scheme import ApiKeyScheme
from neomind_plugins.api_keys.service import ApiKeys
from neomind_sdk import Clock, Credentials, Database, EventBus, Platform
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import (
    AuthSchemeContract,
    CliContract,
    RouteContract,
    ServiceContract,
    TablesContract,
)


class Scheme(AuthSchemeContract):
    """The scheme on a platform with one key."""

    @pytest.fixture
    async def subject(self, world: Any) -> ApiKeyScheme:
        self.text = (await world.create()).text
        ctx: Any = SimpleNamespace(services={ApiKeys: world.keys})
        return ApiKeyScheme(ctx)

    def good(self, subject: Any) -> Credentials:
        return self.bearing(subject, self.text)


class TestHeader(Scheme):
    pass


class TestBearer(Scheme):
    """What does not begin as our keys do may be somebody else's bearer: that is not rejected."""

    def bearing(self, subject: Any, token: str) -> Credentials:
        text = token if token.startswith("nmk_") else f"nmk_{token}"
        return Credentials(bearer=text, headers={"authorization": f"Bearer {text}"})

    async def test_other_bearers_are_left_alone(self, subject: Any) -> None:
        assert await self.ask(subject, Credentials(bearer="aaa.bbb.ccc")) is None


class TestQuery(Scheme):
    def bearing(self, subject: Any, token: str) -> Credentials:
        return Credentials(query={"api_key": token})


class TestTables(TablesContract):
    def make(self) -> Any:
        return hooks.neomind_tables(None)[0]


class TestRoutes(RouteContract):
    def make(self) -> Any:
        return hooks.neomind_routes(None)


class TestCli(CliContract):
    def make(self) -> Any:
        return hooks.neomind_cli(None)


class TestServices(ServiceContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Sequence[Any]]:
        async with make_host(api_keys) as host:
            self.services = {key: host.services[key] for key in (Platform, Database, Clock, EventBus, ApiKeys)}
            yield hooks.neomind_services(None)

    def context(self) -> Any:
        clock, bus = self.services[Clock], self.services[EventBus]
        return SimpleNamespace(services=self.services, clock=clock, bus=bus, log=None)
