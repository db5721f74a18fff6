"""One platform with everything that is installed, served on loopback, and an integrator with an API key."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points

import attrs
import httpx2
import pytest
import pytest_asyncio

from neomind_core.host.clock import SystemClock
from neomind_sdk.pytest_plugin import GROUP, available
from neomind_sdk.testing import make_host
from neomind_sdk.testing.sink import Sink

LOOPBACK = {"mqtt_broker": {"listen": "127.0.0.1", "port": 0}}
ADMIN = {"username": "integrator", "password": "kitchen-1"}
TIMEOUT_S = 30.0


@cache
def installed():
    """The metadata of every plugin that is installed and not blocked, by name."""
    return {point.name: point.load() for point in entry_points(group=GROUP) if point.name in available()}


@cache
def _known():
    return {point.name: point.load() for point in entry_points(group=GROUP)}


def with_requirements(names: Iterable[str]) -> list[str]:
    """The plugins of these names and all that they cannot do without; storage is always there."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name != "storage":
            found.add(name)
            waiting += _known()[name].requires if name in _known() else ()
    return sorted(found)


def pytest_collection_modifyitems(items):
    """Whatever names plugins needs their requirements as well, and everything here needs an API key."""
    for item in items:
        if item.path.parent.name == "contract" and "platform" in getattr(item, "fixturenames", ()):
            named = [name for mark in item.iter_markers("needs") for name in mark.args]
            item.add_marker(pytest.mark.needs(*with_requirements([*named, "api_keys"])))


@attrs.frozen
class Platform:
    """``api`` has the API key of an integrator, ``stranger`` has no credential; ``sink`` takes what goes out."""

    address: str
    host: object
    key: str
    api: httpx2.AsyncClient
    stranger: httpx2.AsyncClient
    sink: Sink

    @property
    def plugins(self):
        """The names of those that run."""
        return {info.name for info in self.host.host.plugins() if info.status.value == "enabled"}

    async def say(self, method, path, body=None, **query):
        """The payload of a success; an error says which."""
        answer = await self.api.request(method, path, json=body, params=query or None)
        return data(answer)


def data(answer):
    """As on the page: look at ``success``, then take ``data``."""
    body = answer.json()
    assert body["success"], f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {body['error']}"
    return body["data"]


def error(answer, status, code):
    body = answer.json()
    assert (answer.status_code, body["success"], body.get("error", {}).get("code")) == (status, False, code), body
    assert body["error"]["message"]
    return body["error"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(tmp_path_factory):
    key = f"nmk_{secrets.token_hex(16)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEOMIND_API_KEY", key)
        directory = tmp_path_factory.mktemp("platform")
        plugins = installed().values()
        clock = SystemClock()
        async with (
            Sink() as sink,
            make_host(*plugins, settings=LOOPBACK, clock=clock, data_dir=directory, strict=False) as host,
            host.served() as address,
            httpx2.AsyncClient(base_url=f"{address}/api", timeout=TIMEOUT_S, trust_env=False) as stranger,
            httpx2.AsyncClient(
                base_url=f"{address}/api", headers={"X-API-Key": key}, timeout=TIMEOUT_S, trust_env=False
            ) as api,
        ):
            yield Platform(address, host, key, api, stranger, sink)
