"""What every plugin must keep to."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.extension_admin import hooks, plugin
from neomind_plugins.extension_admin.assets import Assets
from neomind_plugins.extension_admin.capabilities import Capabilities
from neomind_plugins.extension_admin.runner import CommandRunner
from neomind_plugins.extension_admin.service import Discovery
from neomind_sdk.testing.suites import RouteContract, ServiceContract


@pytest.fixture
def context(host: Any) -> Any:
    return host.host.board.get(plugin.name).context


class TestRoutes(RouteContract):
    @pytest.fixture
    def subject(self, context: Any) -> Any:
        return hooks.neomind_routes(context)


class TestServices(ServiceContract):
    @pytest.fixture(autouse=True)
    def built_in_a_host(self, context: Any) -> None:
        self._context = context

    def make(self) -> Any:
        return hooks.neomind_services(self._context)

    def context(self) -> Any:
        return self._context


def test_it_needs_nobody() -> None:
    assert plugin.requires == ()


async def test_its_services_are_there(host: Any) -> None:
    for key in (Assets, Capabilities, CommandRunner, Discovery):
        assert isinstance(host.services[key], key)
