"""Tables of the transport and their queries; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
from peewee import BigIntegerField, BooleanField, IntegerField, TextField

from neomind_sdk.tables import Model

from .records import Broker


class BrokerRow(Model):
    """An external broker; the secrets are encrypted."""

    id = TextField(primary_key=True)
    name = TextField()
    broker = TextField()
    port = IntegerField()
    tls = BooleanField()
    username = TextField(null=True)
    password = TextField(null=True)
    ca_cert = TextField(null=True)
    client_cert = TextField(null=True)
    client_key = TextField(null=True)
    client_id = TextField(null=True)
    session_id = TextField()
    enabled = BooleanField()
    subscribe_topics = TextField()
    updated_ms = BigIntegerField()

    class Meta:
        table_name = "transport_mqtt_broker"


class TopicRow(Model):
    """A subscription that somebody asked for."""

    topic = TextField(primary_key=True)
    qos = IntegerField()

    class Meta:
        table_name = "transport_mqtt_topic"


class MutedRow(Model):
    """A device whose messages are not taken at the moment."""

    device_id = TextField(primary_key=True)

    class Meta:
        table_name = "transport_mqtt_muted"


MODELS = (BrokerRow, TopicRow, MutedRow)


@attrs.frozen
class Loaded:
    """Everything there is, at start; secrets as they are kept."""

    brokers: list[Broker]
    topics: Mapping[str, int]
    muted: frozenset[str]


def load() -> Loaded:
    topics = {row.topic: row.qos for row in TopicRow.select()}
    muted = frozenset(row.device_id for row in MutedRow.select())
    return Loaded([broker_of(row) for row in BrokerRow.select()], topics, muted)


def put_broker(broker: Broker) -> None:
    """Insert or replace."""
    row = BrokerRow.insert(row_of(broker))
    others = [field for name, field in BrokerRow._meta.fields.items() if name != "id"]
    row.on_conflict(conflict_target=[BrokerRow.id], preserve=others).execute()


def delete_broker(broker_id: str) -> None:
    BrokerRow.delete().where(BrokerRow.id == broker_id).execute()


def put_topic(topic: str, qos: int) -> None:
    row = TopicRow.insert(topic=topic, qos=qos)
    row.on_conflict(conflict_target=[TopicRow.topic], preserve=[TopicRow.qos]).execute()


def delete_topic(topic: str) -> None:
    TopicRow.delete().where(TopicRow.topic == topic).execute()


def mute(device_id: str) -> None:
    MutedRow.insert(device_id=device_id).on_conflict_ignore().execute()


def unmute(device_id: str) -> None:
    MutedRow.delete().where(MutedRow.device_id == device_id).execute()


def row_of(broker: Broker) -> dict[str, Any]:
    return {**attrs.asdict(broker), "subscribe_topics": json.dumps(broker.subscribe_topics)}


def broker_of(row: BrokerRow) -> Broker:
    values = {field.name: getattr(row, field.name) for field in attrs.fields(Broker)}
    return Broker(**{**values, "subscribe_topics": tuple(json.loads(row.subscribe_topics))})
