"""All links to brokers: which there are, what they subscribe to, and how commands leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from neomind_sdk import (
    BadRequest,
    Device,
    DeviceDirectory,
    DeviceTransportOffline,
    DeviceTransportOnline,
    Downlink,
    Egress,
    EmbeddedBroker,
    EventBus,
    Logger,
    NotFound,
)

from . import topics
from .intake import Intake, Surroundings
from .link import Link, Parts
from .models import Subscription, TransportSettings
from .packets import Login
from .records import Broker
from .routing import ADAPTER_TYPE, EMBEDDED, Route, Router, command_topic, telemetry_topic
from .seam import Connect, Target
from .seen import Seen
from .targets import embedded_target, external_target, login_of

QOS = 1
EVERYTHING = "#"
# EMQX says who comes and goes; Mosquitto and the broker that comes along do not.
PRESENCE = ("$SYS/brokers/+/clients/+/connected", "$SYS/brokers/+/clients/+/disconnected")
OWN_CLIENTS = "neomind-"


@attrs.frozen(kw_only=True)
class Needs:
    """What the links are made with."""

    directory: DeviceDirectory
    bus: EventBus
    egress: Egress
    log: Logger
    folder: Path
    connect: Connect
    around: Callable[[Callable[[Route], None]], Surroundings]
    settings: Callable[[], TransportSettings]
    embedded: Callable[[], EmbeddedBroker | None]


class Links:
    """The links by adapter id. ``topics`` and ``muted`` are what people asked for; who keeps them calls ``refresh``."""

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._around = needs.around(self._presence)
        self._links: dict[str, Link] = {}
        self.topics: dict[str, int] = {}
        self.muted: frozenset[str] = frozenset()

    @property
    def embedded(self) -> EmbeddedBroker | None:
        """The broker that comes along; ``None`` where there is none, or it is switched off."""
        found = self._needs.embedded()
        return found if found is not None and found.state().enabled else None

    @property
    def all(self) -> Sequence[Link]:
        return list(self._links.values())

    def find(self, adapter_id: str) -> Link | None:
        return self._links.get(adapter_id)

    # ---- coming and going

    async def start_embedded(self) -> None:
        async def target() -> Target:
            return embedded_target(self._needs.embedded(), self._keep_alive())

        if self.embedded is not None:
            await self._start(EMBEDDED, target, (EVERYTHING,))

    async def start_external(self, broker: Broker) -> None:
        target = partial(self.target, broker, None)
        await self._start(broker.adapter_id, target, (*broker.subscribe_topics, *PRESENCE))

    async def stop(self, adapter_id: str) -> None:
        """Nothing when there is no such link."""
        link = self._links.pop(adapter_id, None)
        if link is not None:
            await link.stop()

    async def close(self) -> None:
        links, self._links = self.all, {}
        await asyncio.gather(*(link.stop() for link in links))

    async def target(self, broker: Broker, login: Login | None) -> Target:
        """Where an external broker is; raises ``ConnectionError`` and ``ValueError``."""
        embedded = self.embedded
        own = embedded.state() if embedded is not None else None
        return await external_target(broker, own, login or login_of(broker, self._keep_alive()), self._needs.egress)

    def seen_path(self, adapter_id: str) -> Path:
        return self._needs.folder / f"{adapter_id}.seen"

    async def try_out(self, broker: Broker, login: Login) -> None:
        """Connect, and disconnect; raises ``ConnectionError``, ``OSError`` and ``ValueError``."""
        connection = await self._needs.connect(await self.target(broker, login), lambda _messages: None)
        await connection.close()

    async def _start(self, adapter_id: str, target: Callable[[], Awaitable[Target]], filters: Sequence[str]) -> None:
        needs = self._needs
        seen = await asyncio.to_thread(Seen, self.seen_path(adapter_id))
        router = Router(needs.directory, adapter_id, lambda: self.muted)
        link = Link(
            Parts(
                adapter_id=adapter_id,
                target=target,
                wanted=lambda: self._wanted(router, filters),
                connect=needs.connect,
                intake=Intake(self._around, router, seen, adapter_id),
                router=router,
                seen=seen,
                log=needs.log,
            )
        )
        self._links[adapter_id] = link
        link.start()

    def _wanted(self, router: Router, filters: Iterable[str]) -> dict[str, int]:
        """Filters and QoS: those of the link, the devices' own topics, and what people asked for."""
        fitting = [topic for topic in router.topics() if topics.topic_problem(topic) is None]
        return {**dict.fromkeys((*filters, *fitting), QOS), **self.topics}

    def _keep_alive(self) -> int:
        return self._needs.settings().keep_alive_s

    # ---- subscriptions

    async def refresh(self) -> None:
        """Devices, topics or muted ones have changed; a link that is down catches up when it connects."""
        found = await asyncio.gather(*(link.refresh() for link in self.all), return_exceptions=True)
        for error in found:
            if isinstance(error, Exception):
                self._needs.log.warning("mqtt_subscriptions_not_changed", reason=str(error))

    def subscriptions(self) -> list[Subscription]:
        """What the brokers granted."""
        return [
            Subscription(topic=topic, qos=qos, device_id=_device_at(link, topic), adapter_id=link.adapter_id)
            for link in self.all
            for topic, qos in sorted(link.active.items())
        ]

    def covering(self, topic: str) -> list[Link]:
        """The links that get what is published to ``topic``, a filter."""
        return [link for link in self.all if any(topics.covers(one, topic) for one in link.active)]

    def device(self, device_id: str) -> Device:
        """A device that speaks MQTT; raises ``NotFound`` and ``BadRequest``."""
        device = self._needs.directory.get(device_id)
        if device is None:
            raise NotFound("DEVICE", device_id)
        if device.adapter_type != ADAPTER_TYPE:
            raise BadRequest(f"Device '{device_id}' does not speak MQTT but '{device.adapter_type}'")
        return device

    def devices(self) -> list[Device]:
        return [device for device in self._needs.directory.devices() if device.adapter_type == ADAPTER_TYPE]

    def topic_of(self, device_id: str) -> str:
        return telemetry_topic(self.device(device_id))

    # ---- commands

    async def send(self, downlink: Downlink) -> None:
        """Publish to the device's command topic through every link that serves it; one that takes it is enough.

        Raises ``ConnectionError`` when none does.
        """
        device = downlink.device
        type_known = self._needs.directory.get_type(device.device_type) is not None
        topic = command_topic(device, downlink.command, type_known=type_known)
        problem = topics.topic_problem(topic)
        if problem:
            raise ConnectionError(f"'{topic}' is no topic to publish to: it {problem}")
        links = [link for link in self.all if link.router.serves(device)]
        sending = (link.publish(topic, downlink.payload) for link in links)
        found = await asyncio.gather(*sending, return_exceptions=True)
        if all(found):
            reasons = [f"{link.adapter_id}: {error}" for link, error in zip(links, found, strict=True)]
            raise ConnectionError("; ".join(reasons) or f"no MQTT broker serves device '{device.device_id}'")

    # ---- presence

    def _presence(self, route: Route) -> None:
        """A client's id is taken for a device's; the brokers do not say which client published what."""
        client = route.ident
        if client.startswith(OWN_CLIENTS) or self._needs.directory.get(client) is None:
            return
        event: Any = DeviceTransportOnline if route.online else DeviceTransportOffline
        self._needs.bus.publish(event(device_id=client, client_id=client))


def _device_at(link: Link, topic: str) -> str | None:
    route = link.router.topics().get(topic)
    return route.ident if route is not None else None
