"""How the platform is reached, and what it is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from neomind_sdk import DiscoveryInbox, OpenStorage, Platform, Status, TransportStatus
from neomind_sdk.addresses import ANY_ADDRESS, ServerUrl, lan_address, server_url
from neomind_sdk.foreign import HEALTH_S, ForeignError, call

from .models import (
    DeviceConnection,
    MqttConnection,
    MqttInfo,
    NetworkInfo,
    NetworkPart,
    PluginProblem,
    PluginsPart,
    StoragePart,
    SystemInfo,
    WebhookConnection,
)
from .readiness import mqtt_statuses
from .uptime import Uptime

MASK = "***"
FINE = (Status.ENABLED, Status.BLOCKED, Status.FOUND)
NO_STORAGE = "no storage is open"
ANONYMOUS = "MQTT devices need no credential: whoever reaches the broker may send as any device"
FAST = "The storage's durability is 'fast': the last moments before a power cut may be lost"
Headers = Mapping[str, str]


class Information:
    """Collects what ``/system`` shows; ``find_storage`` returns the open storage, if any."""

    def __init__(self, platform: Platform, uptime: Uptime, find_storage: Callable[[], OpenStorage | None]) -> None:
        self._platform = platform
        self._uptime = uptime
        self._find_storage = find_storage

    def network(self, headers: Headers) -> NetworkInfo:
        """What everybody may know."""
        server = self._server(headers)
        return NetworkInfo(ip=self._ip(), server_url=server.url, server_url_source=server.source)

    async def system(self, headers: Headers) -> SystemInfo:
        server, ip = self._server(headers), self._ip()
        mqtt, storage = mqtt_info(await mqtt_statuses(self._platform), ip), await self._storage()
        return SystemInfo(
            version=self._platform.version,
            started_at=self._platform.started_ms // 1000,
            uptime=self._uptime.seconds(),
            safe_mode=self._platform.safe_mode,
            mqtt=mqtt,
            network=self._network(server, ip),
            device_connection=DeviceConnection(mqtt=self._mqtt(mqtt), webhook=self._webhook(server)),
            storage=storage,
            plugins=plugins_part(self._platform),
            listeners=self._platform.listener_stats(),
            warnings=warnings(mqtt, storage, self._platform.safe_mode),
        )

    def _server(self, headers: Headers) -> ServerUrl:
        return server_url(headers, self._platform.server_address())

    def _ip(self) -> str:
        bound = self._platform.server_address()[0]
        return lan_address() if bound in ANY_ADDRESS else bound

    def _network(self, server: ServerUrl, ip: str) -> NetworkPart:
        host, port = self._platform.server_address()
        return NetworkPart(
            server_ip=ip, api_url=f"{server.url}/api", url_source=server.source, bound_to=f"{host}:{port}"
        )

    def _mqtt(self, mqtt: MqttInfo) -> MqttConnection:
        services = self._platform.contributions("services")
        return MqttConnection(
            available=mqtt.connected,
            broker=mqtt.broker_url,
            auto_discovery=any(service.key is DiscoveryInbox for _, service in services),
            tls=mqtt.tls_enabled,
            auth_required=mqtt.auth_enabled and not mqtt.anonymous,
        )

    def _webhook(self, server: ServerUrl) -> WebhookConnection:
        there = any("webhook" in one.adapter_types for _, one in self._platform.contributions("transports"))
        url = f"{server.url}/api/devices/{{device_id}}/webhook" if there else None
        return WebhookConnection(available=there, url=url, url_source=server.source)

    async def _storage(self) -> StoragePart:
        storage = self._find_storage()
        if storage is None:
            return StoragePart(ok=False, detail=NO_STORAGE)
        try:
            health = await call(storage.health, HEALTH_S)
            info = await call(storage.info, HEALTH_S)
        except ForeignError as error:
            return StoragePart(ok=False, detail=str(error))
        return StoragePart(ok=health.ok, detail=health.detail, **attrs.asdict(info))


def mqtt_info(statuses: Any, ip: str) -> MqttInfo:
    """The transport that says where its broker is stands for all; connected is whether any is."""
    if not statuses:
        return MqttInfo(connected=False, detail="no MQTT transport is running")
    first: TransportStatus = next((status for status in statuses if "port" in status.details), statuses[0])
    names = {field.name for field in attrs.fields(MqttInfo)} - {"connected", "detail", "credentials"}
    told = {name: value for name, value in first.details.items() if name in names}
    detail = "; ".join(status.detail for status in statuses if status.detail)
    connected = any(status.connected for status in statuses)
    return MqttInfo(connected=connected, detail=detail, **{**addresses(told, ip), **told}, credentials=masked(first))


def addresses(told: Mapping[str, Any], ip: str) -> dict[str, str]:
    """Where the broker is reached, from its port: it listens on this machine unless it says otherwise."""
    if not told.get("port"):
        return {}
    address = str(told.get("broker_address") or f"{ip}:{told['port']}")
    return {"broker_address": address, "broker_url": f"mqtt{'s' if told.get('tls_enabled') else ''}://{address}"}


def masked(status: TransportStatus) -> list[dict[str, str]]:
    """Who may log in, never with what."""
    users = status.details.get("credentials") or ()
    return [
        {"username": str(user.get("username", "")), "password": MASK} for user in users if isinstance(user, Mapping)
    ]


def plugins_part(platform: Platform) -> PluginsPart:
    found = platform.plugins()
    return PluginsPart(
        total=len(found),
        enabled=sum(info.status is Status.ENABLED for info in found),
        by_status=dict(Counter(info.status.value for info in found)),
        problems=[
            PluginProblem(id=info.name, status=info.status.value, reason=info.reason)
            for info in found
            if info.status not in FINE
        ],
    )


def warnings(mqtt: MqttInfo, storage: StoragePart, safe_mode: str | None) -> list[str]:
    said = (
        (safe_mode is not None, f"Safe mode: only first-party plugins run ({safe_mode})"),
        (mqtt.anonymous, ANONYMOUS),
        (storage.durability == "fast", FAST),
        (not storage.ok, f"The storage is not well: {storage.detail}"),
    )
    return [text for holds, text in said if holds]
