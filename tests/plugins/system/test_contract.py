"""What every plugin must keep to."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.system import hooks, plugin
from neomind_sdk.testing.suites import HealthContract, RouteContract, ServiceContract


@pytest.fixture
def context(host: Any) -> Any:
    return host.host.board.get(plugin.name).context


class TestRoutes(RouteContract):
    @pytest.fixture
    def subject(self, context: Any) -> Any:
        return hooks.neomind_routes(context)


class TestHealth(HealthContract):
    @pytest.fixture
    def subject(self, context: Any) -> Any:
        return hooks.neomind_health(context)


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
