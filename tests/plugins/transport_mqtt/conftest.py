"""Brokers and hosts for the tests of the transport."""

from __future__ import annotations

import pytest

from ...bench.mosquitto import Mosquitto, binary, running

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
