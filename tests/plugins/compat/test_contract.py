"""Compat as the contracts of its extension points want it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from neomind_plugins.compat import hooks
from neomind_plugins.compat import plugin as compat
from neomind_sdk import Authenticator, Platform, PlatformStopping, SessionEnded
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import ListenerContract, RouteContract, ServiceContract


class TestRoutes(RouteContract):
    def make(self):
        return hooks.neomind_routes(None)


class TestListeners(ListenerContract):
    @pytest.fixture
    async def subject(self):
        async with make_host(compat) as host:
            every = host.services[Platform].contributions("listeners")
            yield [item for owner, item in every if owner == "compat"]

    def events(self):
        return [SessionEnded(principal_id="u1"), PlatformStopping()]


class TestServices(ServiceContract):
    @pytest.fixture
    async def subject(self):
        async with make_host(compat) as host:
            self.host = host
            yield hooks.neomind_services(None)

    def context(self):
        services = {Authenticator: self.host.services[Authenticator]}
        return SimpleNamespace(services=services, clock=self.host.clock, log=None)
