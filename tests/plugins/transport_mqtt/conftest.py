"""Brokers and hosts for the tests of the transport."""

from __future__ import annotations

import pytest

from ...bench.mosquitto import Mosquitto, binary, running
from .fakes import FakeBroker
from .hosts import ADAPTER, add_broker, linked, platform

NO_MOSQUITTO = "Mosquitto is not installed (Debian: apt-get install mosquitto)"


@pytest.fixture
def mosquitto_settings() -> tuple[str, ...]:
    return ()


@pytest.fixture
def mosquitto(tmp_path, mosquitto_settings) -> Mosquitto:
    if binary() is None:
        pytest.skip(NO_MOSQUITTO)
    with running(tmp_path / "mosquitto", *mosquitto_settings) as broker:
        yield broker


@pytest.fixture
async def broker(monkeypatch):
    """An external broker that a test plays; ``host`` is linked to it."""
    fake = FakeBroker()

    async def connect(target, received):
        return await fake.connect(target, received)

    monkeypatch.setattr("neomind_plugins.transport_mqtt.assembly.connect", connect)
    return fake


@pytest.fixture
async def host(broker):
    async with platform() as host:
        assert (await add_broker(host, 1)).status_code == 200
        await linked(host, ADAPTER)
        yield host
