"""Accounts as the contracts of their extension points want them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from neomind_plugins.accounts import hooks
from neomind_plugins.accounts import plugin as accounts
from neomind_plugins.accounts.scheme import JwtScheme
from neomind_plugins.accounts.service import Accounts
from neomind_sdk import Clock, Credentials, Database, EventBus, Platform
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import (
    AuthSchemeContract,
    CliContract,
    JobContract,
    RouteContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)


class Scheme(AuthSchemeContract):
    """The scheme on a platform where somebody is logged in."""

    @pytest.fixture
    async def subject(self, world: Any) -> JwtScheme:
        self.token = (await world.register()).token
        ctx: Any = SimpleNamespace(services={Accounts: world.accounts})
        return JwtScheme(ctx)

    def good(self, subject: Any) -> Credentials:
        return self.bearing(subject, self.token)


class TestBearer(Scheme):
    async def test_api_keys_are_left_to_their_own_scheme(self, subject: Any) -> None:
        assert await self.ask(subject, Credentials(bearer="nmk_0123456789abcdef0123456789abcdef")) is None


class TestQuery(Scheme):
    """Streams: a browser cannot send headers there."""

    def bearing(self, subject: Any, token: str) -> Credentials:
        return Credentials(query={"token": token})


class Contributed:
    """What the running plugin contributes of one kind."""

    kind = ""

    @pytest.fixture
    async def subject(self) -> AsyncIterator[list[Any]]:
        async with make_host(accounts) as host:
            every = host.services[Platform].contributions(self.kind)
            yield [item for owner, item in every if owner == "accounts"]


class TestRoutes(Contributed, RouteContract):
    kind = "routes"


class TestTables(TablesContract):
    def make(self) -> Any:
        return hooks.neomind_tables(None)[0]


class TestSettings(Contributed, SettingsContract):
    kind = "settings"


class TestJobs(Contributed, JobContract):
    kind = "jobs"


class TestCli(CliContract):
    def make(self) -> Any:
        return hooks.neomind_cli(None)


class TestServices(ServiceContract):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Sequence[Any]]:
        async with make_host(accounts) as host:
            self.services = {key: host.services[key] for key in (Database, Clock, EventBus)}
            yield hooks.neomind_services(None)

    def context(self) -> Any:
        bus, clock = self.services[EventBus], self.services[Clock]
        return SimpleNamespace(services=self.services, bus=bus, clock=clock, settings={})
