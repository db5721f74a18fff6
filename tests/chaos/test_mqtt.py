"""``kill -9`` of the platform under MQTT QoS 1 load: all that Mosquitto took is there afterwards, once.

Mosquitto keeps the session while the platform is away, and sends again what was not acknowledged; the platform
acknowledges after the commit, and knows again what it has stored already.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest

from neomind_sdk.testing import needs

from ..bench.mosquitto import Mosquitto, binary, running
from ..bench.processes import Server, platform, set_up
from ..plugins.transport_mqtt.clients import Device

DEVICE, METRIC, KIND, BROKER = "meter", "number", "meter_type", "site"
TOPIC = f"device/{KIND}/{DEVICE}/uplink"
PAGE = 1000
WAIT_S = 30.0
BURST = 50
PAUSE_S = 0.005
pytestmark = [
    needs("accounts", "devices", "storage_sqlite", "telemetry", "transport_mqtt"),
    pytest.mark.skipif(binary() is None, reason="Mosquitto is not installed (Debian: apt-get install mosquitto)"),
]


class Load:
    """Numbers that go to the broker, each once, until it is stopped."""

    def __init__(self, port: int) -> None:
        self.sent = 0
        self._device = Device(port, "load")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._device.start()
        self._thread.start()

    def stop(self) -> None:
        """Returns when the broker has all of them."""
        self._ended.set()
        self._thread.join()
        self._device.stop()

    def _run(self) -> None:
        while not self._ended.wait(PAUSE_S):
            infos = [self._device.send(TOPIC, f'{{"{METRIC}": {self.sent + one}}}') for one in range(BURST)]
            self.sent += BURST
            infos[-1].wait_for_publish(WAIT_S)


class Rounds:
    """A platform that is killed and started again, while the broker goes on."""

    def __init__(self, data_dir: Path, broker: Mosquitto, *, forget: bool = False) -> None:
        self.server: Server = platform(data_dir, NEOMIND_MQTT_BROKER__ENABLED="false")
        self._marks = data_dir / "transport_mqtt"
        self._broker = broker
        self._forget = forget
        self._token = ""

    def begin(self) -> None:
        self.server.start()
        self._token = set_up(self.server)
        kind = {"device_type": KIND, "name": KIND, "metrics": [{"name": METRIC, "data_type": "float"}]}
        self.server.call("POST", "/api/devices/types", kind | {"store_raw": False}, self._token)
        device = {"name": DEVICE, "device_id": DEVICE, "device_type": KIND, "connection_config": {}}
        self.server.call("POST", "/api/devices", device, self._token)
        broker = {"id": BROKER, "name": BROKER, "broker": "127.0.0.1", "port": self._broker.port}
        self.server.call("POST", "/api/brokers", broker, self._token)
        self._until(self._connected)

    def kill(self) -> None:
        """At a random moment, and start again."""
        time.sleep(random.uniform(0.1, 0.6))
        self.server.kill()
        for marks in self._marks.glob("*.seen") if self._forget else ():
            marks.unlink()
        self.server.start()
        self._until(self._connected)

    def wrong(self, sent: int) -> dict[int, int]:
        """The numbers that are not there exactly once, and how often they are."""
        self._until(lambda: self._total() >= sent)
        stored = Counter(self._stored())
        return {number: stored[number] for number in range(sent) if stored[number] != 1}

    def _connected(self) -> bool:
        return bool(self.server.call("GET", f"/api/brokers/{BROKER}", token=self._token)["data"]["broker"]["connected"])

    def _until(self, check) -> None:
        until = time.monotonic() + WAIT_S
        while not check() and time.monotonic() < until:
            time.sleep(0.02)

    def _history(self, **asked: object):
        query = urlencode({"metric": METRIC, "time_range": "24h", **asked})
        return self.server.call("GET", f"/api/devices/{DEVICE}/history?{query}", token=self._token)["data"]

    def _total(self) -> int:
        return int(self._history(limit=1)["pagination"]["total"])

    def _stored(self) -> list[int]:
        found, asked = [], {"limit": PAGE}
        while True:
            page = self._history(**asked)
            found += [point["value"] for point in page["data"][METRIC]]
            asked["cursor"] = page["pagination"]["next_cursor"]
            if asked["cursor"] is None:
                return found


def run(folder: Path, rounds: int, *, forget: bool = False) -> dict[int, int]:
    """So many kills under load, then what is not there exactly once."""
    with running(folder / "mosquitto") as broker:
        killed, load = Rounds(folder / "data", broker, forget=forget), Load(broker.port)
        try:
            killed.begin()
            load.start()
            try:
                for _ in range(rounds):
                    killed.kill()
            finally:
                load.stop()
            return killed.wrong(load.sent)
        finally:
            killed.server.kill()


def test_all_that_the_broker_took_is_stored_once(tmp_path):
    assert run(tmp_path, 3) == {}


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_all_that_the_broker_took_is_stored_once_in_many_rounds(tmp_path):
    assert run(tmp_path, 20) == {}


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_without_the_marks_something_is_stored_twice(tmp_path):
    """The same check is red when the platform does not know what it has stored."""
    for attempt in range(10):
        if run(tmp_path / str(attempt), 3, forget=True):
            return
    pytest.fail("nothing came twice, so the other tests prove nothing")
