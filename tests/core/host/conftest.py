"""Hosts that find nothing but what the test installed."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import attrs
import pytest
import structlog
import structlog.testing
from packaging.utils import canonicalize_name

from neomind_core.contracts import Status
from neomind_core.host.config import HostConfig, PluginsConfig, StorageConfig
from neomind_core.host.discovery import Candidate, hooks_of, scan
from neomind_core.host.host import Host
from neomind_sdk.testing.dist import FakeDist, fake_dist
from neomind_sdk.testing.memory import memory_storage_plugin

FIRST_PARTY = "neomind-plugins"


def source(name: str, body: str = "", **manifest: Any) -> str:
    """The text of a single-module plugin: its metadata, then ``body``."""
    fields = {"name": name, "summary": f"The plugin {name}.", **manifest}
    given = ", ".join(f"{key}={value!r}" for key, value in fields.items())
    head = "import asyncio\nimport attrs\nfrom neomind_sdk import *\n"
    return f"{head}plugin = Plugin({given})\n\n{textwrap.dedent(body)}"


@attrs.define
class House:
    """Installs fake distributions and starts hosts that see only them (and the extensions directory)."""

    path: Any
    stack: ExitStack
    make: Callable[..., Any]
    storage: bool = False
    dists: dict[str, FakeDist] = attrs.field(factory=dict)
    shelves: int = 0

    def install(self, dist: str, *, plugins: dict[str, str], modules: dict[str, str], **more: Any) -> FakeDist:
        self.shelves += 1
        where = self.path / f"site{self.shelves}"
        where.mkdir()
        found = self.stack.enter_context(fake_dist(where, dist, plugins=plugins, modules=modules, **more))
        self.dists[dist] = found
        return found

    def add(self, name: str, body: str = "", *, dist: str | None = None, requires_dist: Any = None, **manifest: Any):
        """One distribution with one plugin in one module, ``fake_<name>``."""
        more = {} if requires_dist is None else {"requires": requires_dist}
        module = f"fake_{name}"
        return self.install(
            dist or f"dist-{name}",
            plugins={name: f"{module}:plugin"},
            modules={module: source(name, body, **manifest)},
            **more,
        )

    def first_party(self, **plugins: str) -> FakeDist:
        """The first-party distribution, in front of the real one: plugin name to body."""
        modules = {f"ours_{name}": source(name, body) for name, body in plugins.items()}
        return self.install(FIRST_PARTY, plugins={name: f"ours_{name}:plugin" for name in plugins}, modules=modules)

    def find(self) -> list[Any]:
        mine = {canonicalize_name(name) for name in self.dists}
        found = [one for one in scan(self.extensions) if one.distribution in mine or one.location in self.files]
        if self.storage:
            memory = memory_storage_plugin()
            found.append(
                Candidate(
                    name=memory.name,
                    distribution="the-house",
                    version="1",
                    location=None,
                    load=lambda: (memory, hooks_of(memory)),
                )
            )
        return found

    @property
    def extensions(self):
        return self.path / "data" / "extensions"

    @property
    def files(self) -> set[str]:
        return {str(path) for path in self.extensions.rglob("*.py")} if self.extensions.is_dir() else set()

    @asynccontextmanager
    async def host(self, **options: Any):
        """A started host; see ``_make``."""
        host = self.make(self, **options)
        try:
            await host.start()
            yield host
        finally:
            async with asyncio.timeout(20):
                await host.stop()


def _make(house, *, safe=None, plugin=None, environment=None, engine=None, clock=None, safe_config=False, **plugins):
    """A host of this house; ``plugin`` is the configuration's, ``plugins`` are fields of ``PluginsConfig``."""
    config = HostConfig(
        data_dir=house.path / "data",
        plugins=PluginsConfig(safe=safe_config, **plugins),
        storage=StorageConfig(engine=engine),
        plugin=plugin or {},
        environment=environment or {},
    )
    return Host(config, find=house.find, safe=safe, clock=clock)


@pytest.fixture(autouse=True)
def quiet():
    """Failures are the subject here: their tracebacks are not for the terminal."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def house(tmp_path):
    with ExitStack() as stack:
        yield House(tmp_path, stack, _make)


def statuses(host) -> dict[str, str]:
    return {info.name: info.status.value for info in host.plugins()}


def reason(host, name: str, status: Status | str) -> str:
    """The reason of the one plugin of that name, which has that status."""
    (info,) = [info for info in host.plugins() if info.name == name]
    assert info.status == Status(status), f"{info.status.value}: {info.reason}"
    return info.reason


@pytest.fixture(name="statuses")
def _statuses():
    return statuses


@pytest.fixture(name="reason")
def _reason():
    return reason


@pytest.fixture(name="source")
def _source():
    return source


async def until(condition: Callable[[], Any], cap_s: float = 5.0) -> None:
    """Let the loop run until ``condition()`` holds."""
    for _ in range(int(cap_s / 0.002)):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise TimeoutError(f"not within {cap_s:g} s")


@pytest.fixture(name="until")
def _until():
    return until
