"""How the platform is reached, and what it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_core.host.config import HostConfig, PluginsConfig, ServerConfig
from neomind_plugins.system import plugin as system
from neomind_sdk import (
    DiscoveryInbox,
    Event,
    Listener,
    Service,
    Step,
    Storage,
    StorageFailed,
    StorageInfo,
    TransportStatus,
)
from neomind_sdk.testing import make_host
from neomind_sdk.testing.memory import MemoryStorage

from .conftest import Link, data, part

INFO, NETWORK = "/api/system/info", "/api/system/network-info"
ENVIRONMENT = ("NEOMIND_SERVER_URL", "NEOMIND_PUBLIC_HOST")


@pytest.fixture(autouse=True)
def on_a_known_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("neomind_sdk.addresses.lan_address", lambda: "192.0.2.7")
    monkeypatch.setattr("neomind_plugins.system.service.lan_address", lambda: "192.0.2.7")


async def info(*plugins: Any, role: str = "viewer", **more: Any) -> Any:
    async with make_host(system, *plugins, **more) as host:
        return data(await host.client(role).get(INFO))


# ---- the network ----


async def test_the_network_is_for_everybody(host: Any) -> None:
    assert data(await host.client(None).get(NETWORK)) == {
        "ip": "192.0.2.7",
        "server_url": "http://192.0.2.7:9375",
        "server_url_source": "fallback",
        "ssid": None,
    }


async def test_a_proxy_says_where_it_is(host: Any) -> None:
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "home.example.org"}
    answer = data(await host.client(None).get(NETWORK, headers=headers))
    assert (answer["server_url"], answer["server_url_source"]) == ("https://home.example.org", "proxy_header")


async def test_a_bare_host_is_not_believed(host: Any) -> None:
    answer = data(await host.client(None).get(NETWORK, headers={"host": "evil.example.org"}))
    assert answer["server_url_source"] == "fallback"


async def test_the_environment_wins(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOMIND_SERVER_URL", "https://hub.example.org/")
    answer = data(await host.client(None).get(NETWORK, headers={"x-forwarded-host": "x.example.org"}))
    assert (answer["server_url"], answer["server_url_source"]) == ("https://hub.example.org", "env")


async def test_what_is_bound_to_one_address_is_reached_there() -> None:
    config = HostConfig(plugins=PluginsConfig(strict=True), server=ServerConfig(host="127.0.0.1", port=8080))
    async with make_host(system, config=config, storage=False) as host:
        answer = data(await host.client(None).get(NETWORK))
    assert (answer["ip"], answer["server_url"]) == ("127.0.0.1", "http://127.0.0.1:8080")


# ---- the platform ----


@pytest.mark.parametrize(("role", "expected"), [("admin", 200), ("user", 200), ("viewer", 200), (None, 401)])
async def test_who_may_see_it(host: Any, role: str | None, expected: int) -> None:
    for path in (INFO, "/api/stats/system"):
        assert (await host.client(role).get(path)).status_code == expected


@pytest.mark.parametrize(("scopes", "expected"), [(["read"], 200), (["system:read"], 200), (["dashboards:read"], 403)])
async def test_what_a_key_or_a_share_must_be_good_for(host: Any, scopes: list[str], expected: int) -> None:
    assert (await host.client(scopes=scopes).get(INFO)).status_code == expected


async def test_alone_everything_is_honest() -> None:
    answer = await info(storage=False)
    assert answer["mqtt"] == {
        "connected": False,
        "detail": "no MQTT transport is running",
        "broker_address": None,
        "broker_url": None,
        "port": None,
        "protocol": "MQTT 3.1.1",
        "tls_enabled": False,
        "auth_enabled": False,
        "anonymous": False,
        "credentials": [],
        "tls_ca_available": False,
        "devices_connected": 0,
        "discovery_topic": None,
    }
    assert answer["network"] == {
        "server_ip": "192.0.2.7",
        "api_url": "http://192.0.2.7:9375/api",
        "url_source": "fallback",
        "bound_to": "0.0.0.0:9375",
        "wifi_ssid": None,
    }
    connection = answer["device_connection"]
    assert (connection["mqtt"]["available"], connection["mqtt"]["broker"]) == (False, None)
    assert connection["mqtt"]["topic_format"] == "device/{type}/{id}/uplink"
    assert connection["mqtt"]["auto_discovery"] is False
    assert (connection["webhook"]["available"], connection["webhook"]["url"]) == (False, None)
    assert (answer["storage"]["ok"], answer["storage"]["engine"]) == (False, None)
    assert answer["safe_mode"] is None
    assert answer["started_at"] == 1_700_000_000
    assert answer["warnings"] == ["The storage is not well: no storage is open"]


async def test_the_storage_tells_engine_and_durability() -> None:
    answer = await info()
    assert answer["storage"] == {
        "ok": True,
        "detail": "",
        "engine": "memory",
        "durability": "none",
        "size_bytes": 0,
        "version": "",
    }
    assert answer["warnings"] == []


class Told(MemoryStorage):
    """A storage that tells what it was given."""

    told: Any = None

    async def info(self) -> StorageInfo:
        if isinstance(self.told, Exception):
            raise self.told
        return attrs.evolve(await super().info(), durability=self.told)


def telling(told: Any) -> Any:
    async def open_told(data_dir: Path, settings: Any) -> Any:
        storage = Told()
        storage.told = told
        return storage

    return part("telling", provides=("storage",), storages=[Storage(name="told", open=open_told)])


async def test_fast_is_a_warning() -> None:
    answer = await info(telling("fast"))
    assert answer["storage"]["durability"] == "fast"
    assert any("power cut" in text for text in answer["warnings"])


async def test_a_storage_that_does_not_answer_is_no_500() -> None:
    answer = await info(telling(StorageFailed("the disk is gone")))
    assert (answer["storage"]["ok"], answer["storage"]["durability"]) == (False, None)
    assert "the disk is gone" in answer["storage"]["detail"]


async def test_a_broker_on_this_machine() -> None:
    details = {
        "port": 1883,
        "anonymous": True,
        "devices_connected": 3,
        "discovery_topic": "#",
        "credentials": [{"username": "pump", "password": "hunter2"}],
        "something_else": object(),
    }
    broker = Link("broker", TransportStatus(connected=True, detail="listening", details=details))
    answer = await info(part("links", transports=[broker]))
    mqtt = answer["mqtt"]
    assert (mqtt["connected"], mqtt["detail"], mqtt["port"]) == (True, "listening", 1883)
    assert (mqtt["broker_address"], mqtt["broker_url"]) == ("192.0.2.7:1883", "mqtt://192.0.2.7:1883")
    assert mqtt["credentials"] == [{"username": "pump", "password": "***"}]
    assert (mqtt["devices_connected"], mqtt["discovery_topic"], mqtt["anonymous"]) == (3, "#", True)
    assert answer["device_connection"]["mqtt"]["broker"] == "mqtt://192.0.2.7:1883"
    assert answer["device_connection"]["mqtt"]["auth_required"] is False
    assert any("need no credential" in text for text in answer["warnings"])


async def test_a_broker_elsewhere_with_tls_beside_one_that_fails() -> None:
    details = {"port": 8883, "broker_address": "broker.example.org:8883", "tls_enabled": True, "auth_enabled": True}
    links = [
        Link("gone", OSError("no route")),
        Link("broker", TransportStatus(connected=True, details=details)),
    ]
    answer = await info(part("links", transports=links))
    mqtt = answer["mqtt"]
    assert mqtt["connected"] is True
    assert mqtt["detail"] == "gone: OSError: no route"
    assert (mqtt["broker_address"], mqtt["broker_url"]) == (
        "broker.example.org:8883",
        "mqtts://broker.example.org:8883",
    )
    assert answer["device_connection"]["mqtt"]["tls"] is True
    assert answer["device_connection"]["mqtt"]["auth_required"] is True


async def test_a_webhook_and_an_inbox_for_drafts() -> None:
    webhook = Link("webhook", TransportStatus(connected=True), ("webhook",))
    inbox = Service(key=DiscoveryInbox, build=lambda ctx: object())
    answer = await info(part("links", transports=[webhook], services=[inbox]))
    connection = answer["device_connection"]
    assert connection["webhook"]["url"] == "http://192.0.2.7:9375/api/devices/{device_id}/webhook"
    assert connection["webhook"]["available"] is True
    assert connection["mqtt"]["auto_discovery"] is True


async def test_plugins_are_counted_and_problems_named() -> None:
    async def fail() -> None:
        raise RuntimeError("no luck")

    answer = await info(part("unlucky", start=[Step(name="fail", run=fail)]), strict=False, storage=False)
    plugins = answer["plugins"]
    assert (plugins["total"], plugins["enabled"]) == (3, 2)
    assert plugins["by_status"] == {"enabled": 2, "failed_at_run": 1}
    assert plugins["problems"] == [{"id": "unlucky", "status": "failed_at_run", "reason": "RuntimeError: no luck"}]


async def test_listeners_are_counted() -> None:
    async def handle(notices: Any) -> None:
        return None

    listener = Listener(name="audit.all", events=(Event,), handle=handle)
    answer = await info(part("audit", listeners=[listener]), storage=False)
    assert set(answer["listeners"]["audit.all"]) == {"queued", "handled", "dropped", "errors"}


async def test_nothing_public_shows_the_data_directory() -> None:
    async with make_host(system) as host:
        for path in ("/health", "/health/status", "/health/live", "/health/ready", "/system/network-info"):
            assert str(host.host.config.data_dir) not in (await host.client(None).get(f"/api{path}")).text
