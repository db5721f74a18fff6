"""A real host with the first-party plugins as they are installed, some of them left out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx2
import pytest

from neomind_core.contracts import Plugin
from neomind_core.host.config import load
from neomind_core.host.discovery import Candidate, scan
from neomind_core.host.host import Host

GROUP = "neomind.plugins"
FIRST_PARTY = "neomind-plugins"
LOOPBACK = {
    "NEOMIND_HOST": "127.0.0.1",
    "NEOMIND_PORT": "0",
    "NEOMIND_MQTT_BROKER__LISTEN": "127.0.0.1",
    "NEOMIND_MQTT_BROKER__PORT": "0",
}


def first_party() -> dict[str, Plugin]:
    """The metadata of every first-party plugin that is installed, by name."""
    points = (point for point in entry_points(group=GROUP) if point.dist and point.dist.name == FIRST_PARTY)
    return {point.name: point.load() for point in sorted(points, key=lambda point: point.name)}


def can_run(plugins: Mapping[str, Plugin], wanted: Iterable[str]) -> set[str]:
    """Those of ``wanted`` whose requirements are met by the others, to the last link."""
    running = set(wanted)
    while True:
        offered = {name for one in running for name in (one, *plugins[one].provides)}
        stuck = {one for one in running if not set(plugins[one].requires) <= offered}
        if not stuck:
            return running
        running -= stuck


def with_requirements(plugins: Mapping[str, Plugin], name: str) -> set[str]:
    """``name`` and everything it cannot do without."""
    found, waiting = set[str](), [name]
    while waiting:
        one = waiting.pop()
        providers = [other for other, plugin in plugins.items() if one in (other, *plugin.provides)]
        for provider in set(providers) - found:
            found.add(provider)
            waiting += plugins[provider].requires
    return found


class Running:
    """A started host; ``get`` asks it over HTTP without a credential."""

    def __init__(self, host: Host, client: httpx2.AsyncClient) -> None:
        self.host = host
        self._client = client

    async def get(self, path: str) -> httpx2.Response:
        return await self._client.get(path)

    @property
    def statuses(self) -> dict[str, str]:
        return {info.name: info.status.value for info in self.host.plugins()}

    @property
    def reasons(self) -> dict[str, str]:
        return {info.name: info.reason for info in self.host.plugins()}


@asynccontextmanager
async def running(data_dir: Path, **environment: str) -> AsyncIterator[Running]:
    """Start a host as the command line does, from the environment, and stop it again."""
    config = load(data_dir=data_dir, environment={**LOOPBACK, **environment})
    host = Host(config, find=installed_first_party)
    transport = httpx2.ASGITransport(host.api, client=("127.0.0.1", 40_000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://neomind.test") as client:
        try:
            await host.start()
            yield Running(host, client)
        finally:
            await host.stop()


def installed_first_party() -> list[Candidate]:
    return [candidate for candidate in scan(None) if candidate.first_party]


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """``async with start(NEOMIND_BLOCK="devices") as running``."""
    return lambda **environment: running(tmp_path / "data", **environment)


@pytest.fixture(scope="session")
def plugins() -> dict[str, Plugin]:
    return first_party()


@pytest.fixture
def rules() -> Any:
    """What follows from the plugins' ``requires``: ``can_run`` and ``with_requirements``."""
    return can_run, with_requirements


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``name`` is run for every first-party plugin, those of tomorrow too."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", sorted(point.name for point in _points()))


def _points() -> list[Any]:
    return [point for point in entry_points(group=GROUP) if point.dist and point.dist.name == FIRST_PARTY]
