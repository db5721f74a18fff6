"""Which device a topic is of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from neomind_sdk import Device, DeviceDirectory

EMBEDDED = "internal-mqtt"
ADAPTER_TYPE = "mqtt"
CACHED = 50_000
OWN_TOPICS = 1000
MAX_ID = 128
# Not an uplink, and no device to discover: presence, last wills, and what goes the other way.
_QUIET_ENDS = frozenset({"online", "offline", "connected", "disconnected", "lwt", "will", "downlink", "ack"})
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
_PRESENCE = re.compile(r"\$SYS/brokers/[^/]+/clients/([^/]+)/(connected|disconnected)")


class Route(NamedTuple):
    """What becomes of the messages of a topic: ``device``, ``ack``, ``unknown``, ``presence`` or ``ignored``.

    ``ident`` is the device's id, the id to propose for an unknown one, or the client's id.
    """

    kind: str
    ident: str = ""
    online: bool = False


IGNORED = Route("ignored")


def standard_topic(device: Device, way: str = "uplink") -> str:
    return f"device/{device.device_type}/{device.device_id}/{way}"


def telemetry_topic(device: Device) -> str:
    """Where a device publishes."""
    return str(device.connection_config.get("telemetry_topic") or standard_topic(device))


def ack_topic(device: Device) -> str:
    """Where a device says what became of a command."""
    return str(device.connection_config.get("ack_topic") or standard_topic(device, "ack"))


def command_topic(device: Device, command: str, *, type_known: bool = True) -> str:
    """Where a device listens."""
    own = device.connection_config.get("command_topic")
    if own:
        return str(own)
    return standard_topic(device, "downlink") if type_known else f"{device.device_id}/command/{command}"


class Router:
    """The topics of one adapter. ``muted`` are devices that nobody listens to at the moment."""

    def __init__(
        self,
        directory: DeviceDirectory,
        adapter_id: str,
        muted: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._directory = directory
        self._adapter_id = adapter_id
        self._muted = muted
        self._cache: dict[bytes, Route] = {}
        self._topics: dict[str, Route] | None = None
        self._own: dict[str, None] = {}

    def serves(self, device: Device) -> bool:
        """Whether the device is reached through this adapter: it is bound to it, or to none."""
        return device.adapter_type == ADAPTER_TYPE and device.adapter_id in (None, self._adapter_id)

    def forget(self) -> None:
        """Devices or muted ones have changed."""
        self._cache.clear()
        self._topics = None

    def published(self, topic: str) -> None:
        """We published this ourselves; what comes back of it is no news."""
        if topic not in self._own:
            self._own[topic] = None
            self._cache.pop(topic.encode(), None)
            if len(self._own) > OWN_TOPICS:
                del self._own[next(iter(self._own))]

    def find(self, topic: bytes) -> Route:
        """The route of a topic; looked up once, then remembered."""
        route = self._cache.get(topic)
        if route is None:
            if len(self._cache) >= CACHED:
                self._cache.clear()
            route = self._cache[topic] = self._resolve(topic.decode(errors="replace"))
        return route

    def topics(self) -> dict[str, Route]:
        """The topics of all devices that this adapter serves and that nobody muted."""
        if self._topics is None:
            muted = self._muted()
            devices = [one for one in self._directory.devices() if self.serves(one) and one.device_id not in muted]
            acks = {ack_topic(device): Route("ack", device.device_id) for device in devices}
            self._topics = acks | {telemetry_topic(device): Route("device", device.device_id) for device in devices}
        return self._topics

    def _resolve(self, topic: str) -> Route:
        if topic.startswith("$"):
            return presence(topic)
        if topic in self._own:
            return IGNORED
        route = self.topics().get(topic)
        if route is not None:
            return route
        proposed = None if quiet(topic) else discovered_id(topic)
        # A device that is registered may have other topics too; they are not its telemetry.
        known = proposed is None or self._directory.get(proposed) is not None
        return IGNORED if proposed is None or known else Route("unknown", proposed)


def presence(topic: str) -> Route:
    found = _PRESENCE.fullmatch(topic)
    return Route("presence", found[1], found[2] == "connected") if found else IGNORED


def quiet(topic: str) -> bool:
    """Whether a topic is none that readings of unknown devices would come on."""
    levels = topic.lower().split("/")
    return "status" in levels or levels[-1] in _QUIET_ENDS or (len(levels) > 2 and levels[-2] == "command")


def discovered_id(topic: str) -> str:
    """The id to propose for who publishes to an unknown topic: the third level below ``device``, else the second."""
    levels = topic.split("/")
    found = ""
    if levels[0] == "device" and len(levels) > 3:
        found = levels[2]
    elif len(levels) > 1:
        found = levels[1]
    found = _UNFIT.sub("", found)[:MAX_ID]
    return found if found.strip(".") else f"mqtt_{hashlib.sha256(topic.encode()).hexdigest()[:12]}"
