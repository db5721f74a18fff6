"""Plugins that are made for a test: ``part("mqtt", transports=[…])``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.system import plugin as system
from neomind_sdk import Health, HealthCheck, Plugin, hookimpl
from neomind_sdk.testing import make_host


class Hooks:
    """Contributes what it was given."""

    def __init__(self, contributed: dict[str, Any]) -> None:
        self._contributed = contributed

    @hookimpl
    def neomind_health(self, ctx: Any) -> Any:
        return self._contributed.get("health", [])

    @hookimpl
    def neomind_transports(self, ctx: Any) -> Any:
        return self._contributed.get("transports", [])

    @hookimpl
    def neomind_services(self, ctx: Any) -> Any:
        return self._contributed.get("services", [])

    @hookimpl
    def neomind_storages(self, ctx: Any) -> Any:
        return self._contributed.get("storages", [])

    @hookimpl
    def neomind_listeners(self, ctx: Any) -> Any:
        return self._contributed.get("listeners", [])

    @hookimpl
    def neomind_start(self, ctx: Any) -> Any:
        return self._contributed.get("start", [])


def part(name: str, *, provides: tuple[str, ...] = (), **contributed: Any) -> Plugin:
    return Plugin(name=name, summary=f"The {name}.", provides=provides, hooks=Hooks(contributed))


def check(name: str, health: Any, *, vital: bool = False) -> HealthCheck:
    """A check that answers ``health``, or raises it."""

    async def answer() -> Any:
        if isinstance(health, BaseException):
            raise health
        return health

    return HealthCheck(name=name, check=answer, vital=vital)


WELL, ILL = Health(ok=True), Health(ok=False, detail="it is cold")


class Link:
    """A transport that says what it was told to."""

    def __init__(self, name: str, status: Any, adapter_types: tuple[str, ...] = ("mqtt",)) -> None:
        self.name = name
        self.adapter_types = adapter_types
        self._status = status

    async def status(self) -> Any:
        if isinstance(self._status, BaseException):
            raise self._status
        return self._status

    async def send(self, downlink: Any) -> None:
        raise AssertionError


def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    """A host with nothing but the plugin itself, not even a storage."""
    async with make_host(system, storage=False) as host:
        yield host
