"""External brokers: kept, linked, and tried out."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Any

import attrs

from neomind_sdk import BadRequest, Clock, Database, Logger
from neomind_sdk.turns import Turns
from neomind_sdk.units import seconds
from neomind_sdk.vault import CannotUnseal, Vault

from . import tables
from .errors import BrokerExists, BrokerNotFound
from .models import (
    DEFAULT_TOPICS,
    KEPT,
    MASK,
    SECRETS,
    BrokerForm,
    BrokerView,
    External,
    SecurityWarning,
    view_values,
)
from .packets import Login
from .records import Broker
from .service import Links

NOT_ENCRYPTED = SecurityWarning(
    level="high",
    message="The connection is not encrypted: whoever is on the way reads the messages and the password",
    recommendation="Set tls, and the port of the broker's TLS listener, usually 8883",
)
NO_CREDENTIAL = SecurityWarning(
    level="medium",
    message="The broker is used without a credential",
    recommendation="Have the broker want one, and set username and password",
)


class Brokers:
    """Adds, changes and removes external brokers; changes take turns."""

    def __init__(self, links: Links, db: Database, clock: Clock, log: Logger, vault: Vault) -> None:
        self._links = links
        self._db = db
        self._clock = clock
        self._log = log
        self._vault = vault
        self._turns = Turns()
        self._brokers: dict[str, Broker] = {}

    # ---- life cycle

    async def start(self) -> None:
        """Read what is kept, and link to what is enabled."""
        await asyncio.to_thread(self._vault.load)
        loaded = await self._db.read(tables.load)
        self._brokers = {broker.id: self._opened(broker) for broker in loaded.brokers}
        self._links.topics, self._links.muted = dict(loaded.topics), loaded.muted
        await self._links.start_embedded()
        for broker in self._brokers.values():
            if broker.enabled:
                await self._links.start_external(broker)

    async def stop(self) -> None:
        await self._turns.close()
        await self._links.close()

    # ---- brokers

    def all(self) -> list[BrokerView]:
        return [self.view(broker_id) for broker_id in sorted(self._brokers)]

    def view(self, broker_id: str) -> BrokerView:
        """Raises ``BrokerNotFound``."""
        broker = self._get(broker_id)
        link = self._links.find(broker.adapter_id)
        return BrokerView(
            **view_values(broker),
            connected=link is not None and link.connected,
            last_error=(link.last_error or None) if link is not None else None,
            updated_at=seconds(broker.updated_ms),
        )

    def external(self) -> list[External]:
        names = [field.name for field in attrs.fields(External)]
        return [External(**{name: getattr(view, name) for name in names}) for view in self.all()]

    async def add(self, form: BrokerForm) -> BrokerView:
        """Raises ``BrokerExists`` and ``BadRequest``."""
        return await self._turns.run(lambda: self._add(form))

    async def replace(self, broker_id: str, form: BrokerForm) -> BrokerView:
        """All fields but the secrets that are masked or empty; raises ``BrokerNotFound`` and ``BadRequest``."""
        return await self._turns.run(lambda: self._replace(broker_id, form))

    async def remove(self, broker_id: str) -> None:
        """Raises ``BrokerNotFound``."""
        await self._turns.run(lambda: self._remove(broker_id))

    async def test(self, broker_id: str) -> str | None:
        """Connect as another client; returns why it failed, ``None`` when it did not."""
        broker = self._get(broker_id)
        login = Login(
            client_id=f"neomind-test-{secrets.token_hex(4)}",
            username=broker.username,
            password=broker.password if broker.username is not None else None,
            clean=True,
        )
        try:
            await self._links.try_out(broker, login)
        except (OSError, ValueError) as error:
            return str(error) or type(error).__name__
        return None

    async def _add(self, form: BrokerForm) -> BrokerView:
        broker_id = form.id or f"broker_{secrets.token_hex(4)}"
        if broker_id in self._brokers:
            raise BrokerExists(broker_id)
        if MASK in (form.password, form.client_key):
            raise BadRequest("password and client_key: the mask stands for a secret, and there is none yet")
        topics = tuple(form.subscribe_topics) or DEFAULT_TOPICS
        broker = self._made(form, broker_id, f"neomind-{secrets.token_hex(6)}", {"subscribe_topics": topics})
        await self._put(broker)
        await self._link(broker)
        return self.view(broker_id)

    async def _replace(self, broker_id: str, form: BrokerForm) -> BrokerView:
        before = self._get(broker_id)
        kept: dict[str, Any] = {name: getattr(before, name) for name in KEPT if getattr(form, name) in (None, "", MASK)}
        kept |= {"client_key": before.client_key} if form.client_key == MASK else {}
        kept["subscribe_topics"] = tuple(form.subscribe_topics) or before.subscribe_topics
        broker = self._made(form, broker_id, before.session_id, kept)
        await self._put(broker)
        # Only now: with its session, the broker forgets what it keeps for us.
        await self._leave(before, for_good=not broker.enabled or _session(before) != _session(broker))
        await self._link(broker)
        return self.view(broker_id)

    async def _remove(self, broker_id: str) -> None:
        broker = self._get(broker_id)
        await self._db.write(lambda: tables.delete_broker(broker_id))
        del self._brokers[broker_id]
        await self._leave(broker, for_good=True)

    def _made(self, form: BrokerForm, broker_id: str, session_id: str, kept: dict[str, Any]) -> Broker:
        values = attrs.asdict(form, recurse=False)
        values |= {name: values[name] or None for name in ("username", "client_id", *KEPT, "client_key")}
        now_ms = self._clock.now_ms()
        return Broker(**{**values, **kept, "id": broker_id, "session_id": session_id, "updated_ms": now_ms})

    async def _put(self, broker: Broker) -> None:
        sealed = self._sealed(broker)
        await self._db.write(lambda: tables.put_broker(sealed))
        self._brokers[broker.id] = broker

    async def _link(self, broker: Broker) -> None:
        if broker.enabled:
            await self._links.start_external(broker)

    async def _leave(self, broker: Broker, *, for_good: bool) -> None:
        """Stop the link; for good, the broker shall not go on keeping messages for us, if it can be told."""
        await self._links.stop(broker.adapter_id)
        if for_good and broker.enabled:
            await asyncio.to_thread(self._links.seen_path(broker.adapter_id).unlink, missing_ok=True)
            login = Login(
                client_id=broker.client_id or broker.session_id,
                username=broker.username,
                password=broker.password if broker.username is not None else None,
                clean=True,
            )
            with contextlib.suppress(OSError, ValueError):
                await self._links.try_out(broker, login)

    def _get(self, broker_id: str) -> Broker:
        try:
            return self._brokers[broker_id]
        except KeyError:
            raise BrokerNotFound(broker_id) from None

    def _sealed(self, broker: Broker) -> Broker:
        values = {name: getattr(broker, name) for name in SECRETS}
        closed: dict[str, Any] = {
            name: value and self._vault.seal(value, purpose(broker, name)) for name, value in values.items()
        }
        return attrs.evolve(broker, **closed)

    def _opened(self, broker: Broker) -> Broker:
        opened: dict[str, Any] = {}
        for name in SECRETS:
            sealed = getattr(broker, name)
            try:
                opened[name] = sealed and self._vault.unseal(sealed, purpose(broker, name))
            except CannotUnseal as error:
                self._log.error("mqtt_broker_secret_unreadable", broker=broker.id, field=name, reason=str(error))
                opened[name] = None
        return attrs.evolve(broker, **opened)

    # ---- what people subscribe to

    async def subscribe(self, topic: str, qos: int) -> list[str]:
        """Keep a subscription; returns the adapters that get it now."""
        return await self._turns.run(lambda: self._subscribe(topic, qos))

    async def unsubscribe(self, topic: str) -> bool:
        """Whether there was one."""
        return await self._turns.run(lambda: self._unsubscribe(topic))

    async def mute(self, device_id: str, *, muted: bool) -> None:
        """Take nothing more of a device, or everything again."""
        await self._turns.run(lambda: self._mute(device_id, muted=muted))

    async def _subscribe(self, topic: str, qos: int) -> list[str]:
        await self._db.write(lambda: tables.put_topic(topic, qos))
        self._links.topics[topic] = qos
        await self._links.refresh()
        return [link.adapter_id for link in self._links.covering(topic)]

    async def _unsubscribe(self, topic: str) -> bool:
        if topic not in self._links.topics:
            return False
        await self._db.write(lambda: tables.delete_topic(topic))
        del self._links.topics[topic]
        await self._links.refresh()
        return True

    async def _mute(self, device_id: str, *, muted: bool) -> None:
        change = tables.mute if muted else tables.unmute
        await self._db.write(lambda: change(device_id))
        self._links.muted = self._links.muted | {device_id} if muted else self._links.muted - {device_id}
        await self._links.refresh()


def security_warnings(broker: BrokerView) -> list[SecurityWarning] | None:
    """What a person should know; ``None`` when there is nothing."""
    found = [NOT_ENCRYPTED] if not broker.tls else []
    found += [NO_CREDENTIAL] if not broker.username and not broker.client_cert else []
    return found or None


def _session(broker: Broker) -> tuple[str, int, str]:
    """What tells sessions apart."""
    return broker.broker, broker.port, broker.client_id or broker.session_id


def purpose(broker: Broker, field: str) -> str:
    """What a secret of a broker is sealed for."""
    return f"transport_mqtt.broker:{broker.id}:{field}"
