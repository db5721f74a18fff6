"""Values that are stored arrive at a URL, one by one, in order, and are tried again as the target says."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from neomind_sdk import Outbox, Point
from neomind_sdk.signing import new_secret, verify

from .conftest import API, EVENTS, TEMPERATURE, Push, becomes, code, data

RETRY = {"max_retries": 3, "backoff_secs": 5, "max_backoff_secs": 300}


async def test_each_value_is_sent_in_order(push: Push) -> None:
    ident = await push.create()
    await push.store(20.5, 21, "off", True, {"a": [1]})
    bodies = await push.arrived(5)
    assert [body["value"] for body in bodies] == [20.5, 21, "off", True, {"a": [1]}]
    assert bodies[0] == {"source_id": TEMPERATURE, "value": 20.5, "timestamp": 1_700_000_000}
    rows = await push.ended(ident, 5)
    assert [row["status"] for row in rows] == ["success"] * 5
    assert rows[-1] | {"id": "", "created_at": 0, "completed_at": 0} == {
        "id": "",
        "target_id": ident,
        "status": "success",
        "data_source_id": TEMPERATURE,
        "payload_sent": '{"source_id":"device:boiler:temperature","value":20.5,"timestamp":1700000000}',
        "response": None,
        "attempts": 1,
        "created_at": 0,
        "completed_at": 0,
        "error": None,
    }


async def test_the_headers_of_standard_webhooks(push: Push) -> None:
    secret = new_secret()
    assert push.sink is not None
    config = {"url": f"{push.sink.url}/in?a=%2F", "method": "PUT", "headers": {"X-Team": "ops"}, "auth_token": "t0k"}
    ident = await push.create(config={**config, "secret": secret})
    await push.store(1)
    await push.arrived(1)
    [row] = await push.ended(ident)
    [request] = push.sink.requests
    headers = request.headers
    assert (request.method, request.target) == ("PUT", "/in?a=%2F")
    assert (headers["content-type"], headers["x-team"], headers["x-neomind-hops"]) == ("application/json", "ops", "1")
    assert (headers["authorization"], headers["webhook-id"]) == ("Bearer t0k", row["id"])
    stamp = int(headers["webhook-timestamp"])
    assert verify(secret, row["id"], stamp, request.body, headers["webhook-signature"], now_s=stamp)


async def test_basic_authentication(push: Push) -> None:
    assert push.sink is not None
    await push.create(config={"url": push.sink.url, "auth_basic": {"username": "anna", "password": "pässwörd"}})
    await push.store(1)
    await push.arrived(1)
    assert push.sink.requests[0].headers["authorization"] == "Basic YW5uYTpww6Rzc3fDtnJk"


async def test_two_failures_and_a_success_are_one_row(push: Push) -> None:
    """The contract's acceptance check 12."""
    assert push.sink is not None
    push.sink.answer(500).answer(500).answer(200)
    ident = await push.create(retry_config=RETRY)
    await push.store(1)
    rows = await push.ended(ident)
    assert [(row["status"], row["attempts"], row["error"]) for row in rows] == [("success", 3, None)]
    assert len({request.headers["webhook-id"] for request in push.sink.requests}) == 1
    await push.counted(1, 1, 0)


async def test_retry_after_is_waited_for(push: Push) -> None:
    assert push.sink is not None
    push.sink.answer(429, headers={"Retry-After": "1"}).answer(200)
    ident = await push.create(retry_config=RETRY)
    await push.store(1)
    await push.arrived(1)
    begun = push.clock.monotonic()
    await push.ended(ident, step_s=0.05)
    assert 0.9 <= push.clock.monotonic() - begun <= 2.5


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_after_the_last_retry_it_has_failed_and_the_next_one_goes(push: Push, status: int) -> None:
    assert push.sink is not None
    push.sink.answer(status).answer(status).answer(200)
    ident = await push.create(retry_config={"max_retries": 1, "backoff_secs": 5, "max_backoff_secs": 5})
    await push.store(1, 2)
    rows = await push.ended(ident, 2)
    assert [(row["status"], row["attempts"]) for row in rows] == [("success", 1), ("failed", 2)]
    assert rows[1]["error"].startswith(f"HTTP {status}, tried 2 times")
    await push.counted(2, 1, 1)


async def test_pauses_double_up_to_the_longest(push: Push) -> None:
    assert push.sink is not None
    push.sink.answer(500)
    times: list[float] = []
    ident = await push.create(retry_config={"max_retries": 4, "backoff_secs": 10, "max_backoff_secs": 25})
    await push.store(1)
    for number in range(1, 6):
        while len(push.sink.requests) < number:
            await push.clock.advance(0.25)
            await asyncio.sleep(0.001)
        times.append(push.clock.monotonic())
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert [pytest.approx(pause, abs=2) for pause in pauses] == [10.5, 20.5, 25.5, 25.5]
    await push.ended(ident)


async def test_while_it_is_tried_again_the_log_says_so(push: Push) -> None:
    assert push.sink is not None
    push.sink.answer(503)
    ident = await push.create()
    await push.store(1, 2)
    await push.arrived(1)

    async def noted() -> bool:
        return (await push.logs(ident))["logs"][1]["error"] is not None

    await becomes(noted)
    rows = (await push.logs(ident))["logs"]
    assert [row["status"] for row in rows] == ["pending", "retrying"]
    assert (rows[1]["error"], rows[1]["completed_at"]) == ("HTTP 503", None)


async def test_a_receiver_that_is_gone_stops_the_target(push: Push) -> None:
    assert push.sink is not None
    push.sink.answer(410).answer(200)
    ident = await push.create()
    await push.store(1)
    await push.arrived(1)

    async def stopped() -> bool:
        held = await push.host.services[Outbox].held()
        return f"push:{ident}" in held and not (await push.show(ident))["enabled"]

    await becomes(stopped)
    shown = await push.show(ident)
    assert (shown["enabled"], shown["available"], "410" in shown["reason"]) == (False, False, True)
    await push.store(2)
    await push.call(ident, "start")
    await push.ended(ident)
    assert (await push.show(ident))["reason"] is None
    assert [request.json()["value"] for request in push.sink.requests] == [1, 1]


async def test_only_changes(push: Push) -> None:
    await push.create(data_filter={"source_patterns": [], "only_changes": True})
    await push.store(1, 1, 2, 2, 2, 1, True, True, {"a": 1}, {"a": 1})
    await push.store(5, series="device:other:temperature")
    await push.store(1, {"a": 1})
    bodies = await push.arrived(8)
    await push.quiet()
    assert [body["value"] for body in bodies] == [1, 2, 1, True, {"a": 1}, 5, 1, {"a": 1}]
    assert push.sink is not None
    assert len(push.sink.requests) == 8


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], "abcx"),
        (["*"], "abcx"),
        (["device:a:*"], "a"),
        (["device:a"], "a"),
        (["device:b:t", "extension:"], "bx"),
        (["device:b:tt"], ""),
    ],
)
async def test_patterns(push: Push, patterns: list[str], expected: str) -> None:
    await push.create(data_filter={"source_patterns": patterns})
    await push.create(name="all", config={"url": f"{push.sink.url}/all"}, data_filter={"source_patterns": []})  # type: ignore[union-attr]
    now = push.clock.now_ms()
    names = {"device:a:t": "a", "device:b:t": "b", "device:c:t": "c", "extension:x:t": "x"}
    await push.points(*(Point(name, now, value) for name, value in names.items()))
    await push.arrived(4 + len(expected))
    assert push.sink is not None
    assert "".join(request.json()["value"] for request in push.sink.requests if request.target == "/in") == expected


@pytest.mark.parametrize(
    ("types", "expected"),
    [(["device_metric"], [1]), (["extension_output"], [2]), (["alert_created"], []), ([], [1, 2])],
)
async def test_event_types(push: Push, types: list[str], expected: list[int]) -> None:
    await push.create(schedule={**EVENTS, "event_types": types}, data_filter={"source_patterns": []})
    await push.points(Point("device:a:t", push.clock.now_ms(), 1), Point("extension:x:t", push.clock.now_ms(), 2))
    bodies = await push.arrived(len(expected))
    await push.quiet()
    assert [body["value"] for body in bodies] == expected


async def test_a_stopped_target_takes_nothing_and_what_waits_waits(push: Push) -> None:
    assert push.sink is not None
    push.sink.answer(500).answer(200)
    ident = await push.create()
    await push.store(1, 2)
    await push.arrived(1)
    assert await push.call(ident, "stop") == {"message": "Push target stopped"}
    assert (await push.show(ident))["enabled"] is False
    await push.store(3)
    await push.quiet()
    assert len(push.sink.requests) == 1
    assert await push.call(ident, "start") == {"message": "Push target started"}
    await push.ended(ident, 2)
    assert [request.json()["value"] for request in push.sink.requests] == [1, 1, 2]
    await push.store(4)
    assert (await push.arrived(4))[-1]["value"] == 4


async def test_a_deleted_target_is_sent_nothing_more(push: Push) -> None:
    assert push.sink is not None
    push.sink.answer(500)
    ident = await push.create()
    await push.store(1, 2)
    await push.arrived(1)
    data(await push.api.delete(f"{API}/{ident}"))
    await push.store(3)
    await push.quiet()
    assert len(push.sink.requests) == 1
    assert code(await push.api.get(f"{API}/{ident}")) == (404, "PUSH_TARGET_NOT_FOUND")


async def test_one_target_does_not_wait_for_another(push: Push) -> None:
    assert push.sink is not None
    await push.create(config={"url": "http://127.0.0.1:1/"}, name="dead")
    await push.create()
    await push.store(1, 2, 3)
    assert [body["value"] for body in await push.arrived(3)] == [1, 2, 3]


async def test_what_is_sent_is_what_the_target_wants_now(push: Push) -> None:
    assert push.sink is not None
    ident = await push.create()
    assert await push.put(ident, name="Two", data_filter={"source_patterns": ["device:other"]}) == {
        "id": ident,
        "name": "Two",
        "enabled": True,
    }
    await push.store(1)
    await push.store(2, series="device:other:t")
    assert [body["value"] for body in await push.arrived(1)] == [2]
