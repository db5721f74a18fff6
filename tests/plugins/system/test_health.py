"""Whether the platform is alive and ready."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_plugins.system import plugin as system
from neomind_sdk import Health, HealthCheck, Platform, Storage, TransportStatus
from neomind_sdk.testing import make_host
from neomind_sdk.testing.memory import MemoryStorage

from .conftest import ILL, WELL, Link, check, data, part

READY = "/api/health/ready"


async def ready(*plugins: Any, **more: Any) -> Any:
    async with make_host(system, *plugins, **more) as host:
        return data(await host.client(None).get(READY))


async def test_health_is_for_everybody(host: Any) -> None:
    version = host.services[Platform].version
    assert data(await host.client(None).get("/api/health")) == {
        "status": "ok",
        "service": "neomind",
        "version": version,
    }


async def test_live(host: Any) -> None:
    assert data(await host.client(None).get("/api/health/live")) == {"status": "alive"}


async def test_status_counts_the_seconds(host: Any) -> None:
    client = host.client(None)
    before = data(await client.get("/api/health/status"))
    await host.clock.advance(90.7)
    after = data(await client.get("/api/health/status"))
    assert (before["status"], before["service"], before["uptime"]) == ("healthy", "neomind", 0)
    assert after["uptime"] == 90


@pytest.mark.parametrize("jump_ms", [-(10**10), 10**12])
async def test_setting_the_clock_is_no_uptime(host: Any, jump_ms: int) -> None:
    await host.clock.advance(5)
    host.clock.jump_ms(jump_ms)
    assert data(await host.client(None).get("/api/health/status"))["uptime"] == 5


# ---- ready ----


async def test_alone_it_is_not_ready_and_says_why() -> None:
    assert await ready(storage=False) == {
        "ready": False,
        "dependencies": {"llm": False, "mqtt": False, "database": False},
        "notes": [
            "database: no storage is open",
            "llm: no running plugin reports on it",
            "mqtt: no MQTT transport is running",
        ],
    }


async def test_with_a_storage_it_is_ready() -> None:
    answer = await ready()
    assert (answer["ready"], answer["dependencies"]["database"]) == (True, True)
    assert answer["dependencies"]["llm"] is False
    assert not any(note.startswith("database") for note in answer["notes"])


async def test_a_storage_that_is_not_well_is_vital() -> None:
    class Sick(MemoryStorage):
        async def health(self) -> Health:
            return Health(ok=False, detail="I/O error in /var/lib/neomind/neomind.db")

    async def open_sick(data_dir: Any, settings: Any) -> Any:
        return Sick()

    answer = await ready(part("sick", provides=("storage",), storages=[Storage(name="sick", open=open_sick)]))
    assert (answer["ready"], answer["dependencies"]["database"]) == (False, False)
    assert "database: I/O error in …/neomind.db" in answer["notes"]


@pytest.mark.parametrize(
    ("health", "vital", "expected"),
    [(WELL, True, True), (ILL, True, False), (ILL, False, True), (WELL, False, True)],
)
async def test_vital_ones_decide(health: Any, vital: bool, expected: bool) -> None:
    answer = await ready(part("meters", health=[check("meter_bus", health, vital=vital)]))
    assert answer["ready"] is expected
    assert answer["dependencies"]["meter_bus"] is health.ok
    assert ("meter_bus: it is cold" in answer["notes"]) is not health.ok


@pytest.mark.parametrize(
    ("health", "note"),
    [
        (RuntimeError("cannot read /etc/meter/key.pem"), "meter_bus: RuntimeError: cannot read …/key.pem"),
        (SystemExit(3), "meter_bus: SystemExit: 3"),
        (True, "meter_bus: the check returned a bool instead of a Health"),
        (Health(ok=False, detail="amqp://neo:hunter2@bus is gone"), "meter_bus: amqp://***@bus is gone"),
    ],
)
async def test_a_check_that_fails_is_not_well(health: Any, note: str) -> None:
    answer = await ready(part("meters", health=[check("meter_bus", health, vital=True)]))
    assert answer["ready"] is False
    assert note in answer["notes"]


async def test_a_check_that_hangs_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neomind_sdk.foreign.HEALTH_S", 0.02)

    async def hang() -> Health:
        await asyncio.Event().wait()
        raise AssertionError

    answer = await ready(part("meters", health=[HealthCheck(name="meter_bus", check=hang)]))
    assert "meter_bus: TimeoutError: took over 0.02 s" in answer["notes"]


@pytest.mark.parametrize(
    ("statuses", "expected", "note"),
    [
        ([TransportStatus(connected=True)], True, None),
        ([TransportStatus(connected=False, detail="refused")], False, "mqtt: refused"),
        ([TransportStatus(connected=False, detail="a"), TransportStatus(connected=True)], True, None),
        ([OSError("no route")], False, "mqtt: link0: OSError: no route"),
        ([None], False, "mqtt: link0 does not tell its status"),
    ],
)
async def test_mqtt_is_what_its_transports_say(statuses: list[Any], expected: bool, note: str | None) -> None:
    links = [Link(f"link{index}", status) for index, status in enumerate(statuses)]
    answer = await ready(part("links", transports=links))
    assert answer["dependencies"]["mqtt"] is expected
    assert [text for text in answer["notes"] if text.startswith("mqtt")] == ([note] if note else [])


async def test_a_check_of_its_own_goes_before_the_transports() -> None:
    link = Link("link", TransportStatus(connected=False, detail="refused"))
    answer = await ready(part("links", transports=[link], health=[check("mqtt", WELL), check("llm", WELL)]))
    assert answer["dependencies"] == {"llm": True, "mqtt": True, "database": True}
    assert answer["notes"] == []


async def test_other_transports_are_no_mqtt() -> None:
    answer = await ready(part("links", transports=[Link("webhook", TransportStatus(connected=True), ("webhook",))]))
    assert answer["dependencies"]["mqtt"] is False


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", 200), ("?strict=0", 200), ("?strict=1", 503), ("?strict=true", 503), ("?strict=x", 422)],
)
async def test_strict_answers_503(host: Any, query: str, expected: int) -> None:
    answer = await host.client(None).get(READY + query)
    assert answer.status_code == expected
    if expected == 503:
        error = answer.json()["error"]
        assert error["code"] == "SERVICE_UNAVAILABLE"
        assert error["details"]["dependencies"]["database"] is False


async def test_strict_answers_200_when_ready() -> None:
    async with make_host(system) as host:
        assert data(await host.client(None).get(f"{READY}?strict=1"))["ready"] is True


async def test_who_asks_meanwhile_shares_the_answer() -> None:
    runs, go_on, begun = [], asyncio.Event(), asyncio.Event()

    async def slow() -> Health:
        runs.append(1)
        begun.set()
        await go_on.wait()
        return WELL

    async with make_host(system, part("meters", health=[HealthCheck(name="meter_bus", check=slow)])) as host:
        asked = [asyncio.create_task(host.client(None).get(READY)) for _ in range(5)]
        await begun.wait()
        asked[0].cancel()
        await host.settle()
        go_on.set()
        answers = await asyncio.gather(*asked[1:])
        assert len(runs) == 1
        assert all(data(answer)["ready"] for answer in answers)
        data(await host.client(None).get(READY))
        assert len(runs) == 2


@pytest.mark.parametrize("path", ["", "/status", "/live", "/ready"])
async def test_head_and_wrong_methods(host: Any, path: str) -> None:
    client = host.client(None)
    assert (await client.head(f"/api/health{path}")).status_code == 200
    assert (await client.post(f"/api/health{path}")).status_code == 405
