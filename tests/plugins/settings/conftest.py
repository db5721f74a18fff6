"""Settings on a storage in memory, beside a plugin with a section of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
import structlog

from neomind_plugins.settings import plugin as settings
from neomind_plugins.settings.service import KeptSettings
from neomind_sdk import Plugin, SettingsSection, fields, hookimpl
from neomind_sdk.testing import make_host


@attrs.frozen(kw_only=True)
class Boiler:
    """A section with everything that a field can be."""

    limit: int = fields.number(ge=1, le=100, default=60)
    name: str = fields.text(max=20, default="boiler")
    mode: str = fields.one_of(("eco", "full"), default="eco")
    stop_after: int | None = fields.number(ge=1, default=10)
    enabled: bool = True
    topics: list[str] = attrs.field(factory=lambda: ["a", "b"])
    token: str = fields.secret(default="")


@attrs.frozen(kw_only=True)
class Hidden:
    """A section that the API does not show."""

    depth: int = 1


def boiler_plugin(cls: type[Any] = Boiler) -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_settings(self, ctx: Any) -> list[SettingsSection]:
            return [
                SettingsSection(name="boiler", cls=cls, editable=True, summary="The boiler"),
                SettingsSection(name="hidden", cls=Hidden),
            ]

    return Plugin(name="boiler", summary="Boils.", hooks=Hooks())


@attrs.frozen
class House:
    """Makes hosts that have settings and a boiler."""

    cls: type[Any] = Boiler

    def host(self, *plugins: Plugin, **more: Any) -> Any:
        return make_host(settings, boiler_plugin(self.cls), *plugins, **more)

    def kept(self, host: Any) -> KeptSettings:
        return host.services[KeptSettings]

    def boiler(self, host: Any) -> Any:
        """The instance that the boiler sees."""
        return host.host.settings.value(self.cls)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def make_house() -> type[House]:
    return House


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """As the platform writes them: without the local variables of every frame."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    yield
    structlog.reset_defaults()
