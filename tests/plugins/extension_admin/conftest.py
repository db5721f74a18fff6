"""Plugins that are made for a test: ``extension("dice", commands=[…])``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_sdk import ExtensionCommand, Plugin, hookimpl
from neomind_sdk.testing import make_host


class Hooks:
    """Contributes what it was given; nothing of the kinds it was not."""

    def __init__(self, contributed: dict[str, Any]) -> None:
        self._contributed = contributed

    @hookimpl
    def neomind_commands(self, ctx: Any) -> Any:
        return self._contributed.get("commands", [])

    @hookimpl
    def neomind_dashboard_components(self, ctx: Any) -> Any:
        return self._contributed.get("components", [])

    @hookimpl
    def neomind_health(self, ctx: Any) -> Any:
        return self._contributed.get("health", [])

    @hookimpl
    def neomind_agent_tools(self, ctx: Any) -> Any:
        return self._contributed.get("tools", [])

    @hookimpl
    def neomind_services(self, ctx: Any) -> Any:
        return self._contributed.get("services", [])

    @hookimpl
    def neomind_start(self, ctx: Any) -> Any:
        return self._contributed.get("start", [])


def extension(name: str = "dice", *, provides: tuple[str, ...] = (), **contributed: Any) -> Plugin:
    return Plugin(name=name, summary=f"The {name}.", provides=provides, hooks=Hooks(contributed))


def command(name: str, run: Any, **more: Any) -> ExtensionCommand:
    return ExtensionCommand(name=name, run=run, **more)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    """A host with nothing but the plugin itself, not even a storage."""
    async with make_host(extension_admin, storage=False) as host:
        yield host
