"""Logs page by page, tests, and sending again what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neomind_sdk import Point
from neomind_sdk.testing.sink import Sink

from .conftest import API, TEMPERATURE, Push, code, pushing

START_S = 1_700_000_000
FIVE = {"batch_size": 5, "batch_interval_ms": 2000, "format": "flat"}


# ---- tests ----


async def test_a_test_sends_the_newest_value_and_is_logged(push: Push) -> None:
    ident = await push.create(enabled=False)
    now = push.clock.now_ms()
    await push.points(
        Point("device:a:t", now, 1),
        Point("device:b:t", now + 1000, 2),
        Point("device:b:_raw", now + 2000, "{}"),
        Point("extension:x:t", now + 3000, 3),
    )
    row = await push.call(ident, "test")
    assert (row["status"], row["attempts"], row["data_source_id"]) == ("success", 1, "device:b:t")
    assert push.sink is not None
    assert push.sink.requests[0].json() == {"source_id": "device:b:t", "value": 2, "timestamp": START_S + 1}
    assert push.sink.requests[0].headers["webhook-id"] == row["id"]
    assert (await push.logs(ident)) == {"logs": [row], "total": 1}
    await push.counted(1, 1, 0)


async def test_a_test_without_any_value(push: Push) -> None:
    ident = await push.create()
    await push.call(ident, "test")
    assert push.sink is not None
    assert push.sink.requests[0].json()["source_id"] == "test:sample:value"
    assert push.sink.requests[0].json()["value"] == {"test": True, "value": 42}


async def test_a_raw_message_for_who_names_it(push: Push) -> None:
    ident = await push.create(data_filter={"source_patterns": ["device:b:_raw"]})
    await push.points(Point("device:b:_raw", push.clock.now_ms(), "{}"))
    assert (await push.call(ident, "test"))["data_source_id"] == "device:b:_raw"


async def test_a_test_that_fails_is_not_tried_again(push: Push) -> None:
    assert push.sink is not None
    push.sink.answer(500)
    ident = await push.create(template="{{ value|json }}")
    row = await push.call(ident, "test")
    assert (row["status"], row["error"], row["attempts"]) == ("failed", "HTTP 500", 1)
    await push.quiet()
    assert len(push.sink.requests) == 1
    await push.counted(1, 0, 1)


async def test_a_test_with_a_template_that_does_not_fit(push: Push) -> None:
    ident = await push.create(template="{{ value.nothing }}")
    await push.store(1)
    row = await push.call(ident, "test")
    assert (row["status"], row["error"].startswith("template, line 1")) == ("failed", True)


# ---- logs ----


async def test_pages_of_the_log(push: Push) -> None:
    ident = await push.create()
    for number in range(4):
        await push.store(number)
        await push.ended(ident, 2 * number + 1)
        await push.clock.advance(1)
        await push.call(ident, "test")
        await push.clock.advance(1)
    whole = (await push.logs(ident))["logs"]
    assert len(whole) == 8
    assert [row["id"].startswith("test_") for row in whole] == [True, False] * 4
    for offset in range(10):
        for limit in (1, 3, 8):
            page = await push.logs(ident, limit=limit, offset=offset)
            assert (page["logs"], page["total"]) == (whole[offset : offset + limit], 8), (offset, limit)


@pytest.mark.parametrize("query", [{"limit": 201}, {"limit": 0}, {"offset": -1}])
async def test_pages_that_cannot_be(push: Push, query: Any) -> None:
    ident = await push.create()
    assert code(await push.api.get(f"{API}/{ident}/logs", params=query)) == (422, "VALIDATION_ERROR")


# ---- sending again ----


async def stored_before(push: Push, count: int) -> None:
    now = push.clock.now_ms()
    rows = [Point(f"device:{device}:t", now + 1000 * n, n) for n in range(count) for device in "ab"]
    await push.points(*rows, Point("device:a:_raw", now, "{}"), Point("extension:x:t", now, 9))


async def test_a_past_range_is_sent_again_one_by_one(push: Push) -> None:
    await stored_before(push, 5)
    ident = await push.create(data_filter={"source_patterns": ["device:a:t"]})
    answer = await push.call(ident, "resend", {"start": START_S + 1, "end": START_S + 3})
    assert answer == {"message": "3 values are sent again", "samples": 3, "sources": 1, "deliveries": 3}
    bodies = await push.arrived(3)
    assert [(body["value"], body["timestamp"] - START_S) for body in bodies] == [(1, 1), (2, 2), (3, 3)]
    rows = await push.ended(ident, 3)
    assert {row["data_source_id"] for row in rows} == {"device:a:t"}
    assert push.sink is not None
    assert {request.headers["x-neomind-resend"] for request in push.sink.requests} == {"true"}
    await push.store(4, series="device:a:t")
    await push.arrived(4)
    assert "x-neomind-resend" not in push.sink.requests[3].headers


async def test_batches_say_that_they_are_sent_again(push: Push) -> None:
    await stored_before(push, 4)
    ident = await push.create(batch_config={**FIVE, "batch_size": 3})
    answer = await push.call(ident, "resend", {"start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:14:20"})
    assert (answer["samples"], answer["sources"], answer["deliveries"]) == (8, 2, 4)
    bodies = await push.arrived(4)
    assert [body["resend"] for body in bodies] == [True] * 4
    assert [[item["value"] for item in body["items"]] for body in bodies] == [[0, 1, 2], [3]] * 2
    await push.store(1, 2, 3)
    assert "resend" not in (await push.arrived(5))[4]


async def test_many_values_are_read_in_pages(push: Push) -> None:
    now = push.clock.now_ms()
    await push.points(*(Point(TEMPERATURE, now + n, n) for n in range(2500)))
    ident = await push.create(batch_config={**FIVE, "batch_size": 500})
    answer = await push.call(ident, "resend", {"start": START_S, "end": START_S + 10})
    assert (answer["samples"], answer["deliveries"]) == (2500, 5)
    values = [item["value"] for body in await push.arrived(5) for item in body["items"]]
    assert values == list(range(2500))


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (2, 1, "before start"),
        (0, START_S, "longer than"),
        (START_S + 86_500, START_S + 86_501, "future"),
        (-1, 5, "start"),
        ("yesterday", 5, "start"),
        (1, True, "end"),
        (1, 1e300, "end"),
        (None, 1, "start"),
        ([], 1, "start"),
    ],
)
async def test_ranges_that_make_no_sense(push: Push, start: Any, end: Any, said: str) -> None:
    ident = await push.create()
    answer = await push.api.post(f"{API}/{ident}/resend", json={"start": start, "end": end})
    assert code(answer) == (400, "BAD_REQUEST")
    assert said in answer.json()["error"]["message"]


async def test_more_than_may_be_is_refused_with_the_number(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink, settings={"data_push": {"resend_max": 9}}) as push:
        await stored_before(push, 5)
        ident = await push.create()
        body = {"start": START_S, "end": START_S + 100}
        answer = await push.api.post(f"{API}/{ident}/resend", json=body)
        assert code(answer) == (400, "BAD_REQUEST")
        assert "11 values" in answer.json()["error"]["message"]
        assert (await push.logs(ident))["total"] == 0
