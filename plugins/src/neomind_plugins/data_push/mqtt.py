"""The target type ``mqtt``: the body, published to a topic of a broker.

Where it may connect to is what egress says of each address, so a broker has no other rules than a URL has.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import secrets
import socket
from collections.abc import Callable, Sequence

import attrs

from neomind_sdk import Delivery, Egress, EmbeddedBroker, Label, PushPayload, SendTools, fields
from neomind_sdk.addresses import as_url, public_host, require_reachable

from .errors import SelfLoop
from .publisher import Login, Publication, publish

TOPIC_BYTES = 65_535
OWN_BROKER = "this is the platform's own MQTT broker, and what is published there comes in"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}")


def _host(text: str) -> str | None:
    return None if _HOST.fullmatch(text) else "must be a host name or an address, without a scheme and a port"


def _topic(text: str) -> str | None:
    if not text or "+" in text or "#" in text:
        return "must be a topic, without the wildcards + and #"
    if not fields.clean(text):
        return "must not hold NUL or unpaired surrogates"
    return None if len(text.encode()) <= TOPIC_BYTES else f"must have at most {TOPIC_BYTES} bytes"


@attrs.frozen(kw_only=True)
class MqttConfig:
    """Where values go."""

    broker: str = fields.field(_host, doc="The host of the broker")
    port: int = fields.number(ge=1, le=65_535, default=1883, doc="Its port, without TLS")
    topic: str = fields.field(_topic, doc="What values are published to")
    username: str | None = fields.text(max=256, default=None, doc="Who logs in")
    password: str | None = fields.secret(max=1024, default=None, doc="With which password")
    qos: int = fields.one_of((0, 1, 2), default=1, doc="Quality of service: 0, 1 or 2")
    client_id: str = fields.text(max=64, default="neomind-push", doc="How client ids begin; the rest is random")


class MqttTarget:
    """``broker`` is the platform's own, if there is one: nothing is pushed there."""

    name = "mqtt"
    label = Label(
        name="MQTT",
        description="Publishes values to a topic of a broker",
        name_zh="MQTT",
        description_zh="将数据发布到 MQTT 主题",
        icon="Radio",
    )
    config = MqttConfig

    def __init__(self, broker: Callable[[], EmbeddedBroker | None] = lambda: None) -> None:
        self._broker = broker

    def targets(self, config: MqttConfig) -> list[str]:
        """Its address as a URL, for the check when a target is saved."""
        return [as_url(config.broker, config.port)]

    async def check(self, config: MqttConfig) -> None:
        """Raises ``SelfLoop`` for our own broker."""
        if self._is_ours(await resolved(config.broker, config.port), config.port):
            raise SelfLoop(OWN_BROKER)

    async def deliver(self, config: MqttConfig, payload: PushPayload, tools: SendTools) -> Delivery:
        addresses = await resolved(config.broker, config.port)
        if self._is_ours(addresses, config.port):
            return Delivery(ok=False, detail=OWN_BROKER, retry=False)
        await allowed(tools.egress, addresses, config.port)
        client_id = f"{config.client_id}-{secrets.token_hex(6)}"
        login = Login(client_id=client_id, username=config.username or None, password=config.password)
        message = Publication(topic=config.topic, payload=payload.body, qos=config.qos)
        try:
            await publish(addresses, config.port, login, message)
        except OSError as error:
            return Delivery(ok=False, detail=f"{config.broker}: {error}")
        return Delivery(ok=True, detail="the broker has it")

    def _is_ours(self, addresses: Sequence[str], port: int) -> bool:
        broker = self._broker()
        own = broker.state() if broker is not None else None
        if own is None or not own.enabled or port != own.port:
            return False
        return any(is_own(address) or address in (own.listen, public_host(own.listen)) for address in addresses)


async def resolved(host: str, port: int) -> list[str]:
    """All addresses of a host; none when it has none now."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(info[4][0]) for info in found))


async def allowed(egress: Egress, addresses: Sequence[str], port: int) -> None:
    """Raises ``EgressBlocked`` when one of the addresses may not be reached. They are what is connected to."""
    for address in addresses:
        await require_reachable(egress, address, port)


def is_own(text: str) -> bool:
    """Whether an address belongs to this machine. Connecting a UDP socket only asks the routing table."""
    address = ipaddress.ip_address(text.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return bool(probe.getsockname()[0] == str(address))
    except OSError:  # no route, so it is not ours either
        return False
