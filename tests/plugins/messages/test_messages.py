"""Messages over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from neomind_sdk import MessageAcknowledged, MessageCreated, MessageResolved, Platform
from neomind_sdk.units import DAY_MS

from .conftest import Post, code, data, post_with

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_a_message_is_sent_listed_and_shown(post: Post) -> None:
    sent = await post.send(severity="critical", category="business", metadata={"a": [1, None]}, tags=["x"])
    assert {"id", "message", "message_zh"} <= sent.keys()
    page = await post.list()
    [message] = page["messages"]
    assert (page["total"], page["count"], page["limit"], page["offset"]) == (1, 1, 50, 0)
    assert message["id"] == sent["id"]
    assert (message["severity"], message["category"], message["status"]) == ("critical", "business", "active")
    assert (message["source"], message["source_type"]) == ("api", "system")
    assert (message["metadata"], message["tags"]) == ({"a": [1, None]}, ["x"])
    assert datetime.fromisoformat(message["timestamp"]).timestamp() * 1000 == post.clock.now_ms()
    shown = await post.show(sent["id"].upper())
    assert shown == {**message, "deliveries": []}
    [event] = post.host.events.of(MessageCreated)
    assert (event.message_id, event.title, event.severity, event.message) == (sent["id"], "Hot", "critical", "81.5 °C")


async def test_category_and_severity_may_be_absent(post: Post) -> None:
    message = await post.show((await post.send())["id"])
    assert (message["category"], message["severity"]) == ("alert", "info")


@pytest.mark.parametrize("severity", ["error", "", "fatal", "信"])
async def test_an_unknown_severity_is_refused(post: Post, severity: str) -> None:
    answer = await post.api.post("/api/messages/send", json={"title": "t", "message": "m", "severity": severity})
    assert code(answer) == (400, "BAD_REQUEST")
    assert "emergency" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"message": "m"}, "title"),
        ({"title": "t"}, "message"),
        ({"title": " ", "message": "m"}, "title"),
        ({"title": "t", "message": "m\u0000"}, "message"),
        ({"title": "t" * 501, "message": "m"}, "title"),
        ({"title": "t", "message": "m", "tags": ["x"] * 51}, "tags"),
        ({"title": "t", "message": "m", "tags": [1]}, "tags[0]"),
        ({"title": "t", "message": "m", "channels": ["nobody"]}, "channels[0]"),
    ],
)
async def test_what_is_wrong_is_named(post: Post, body: Any, field: str) -> None:
    answer = await post.api.post("/api/messages/send", json=body)
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"][0]["field"] == field
    assert (await post.list())["total"] == 0


async def test_filters_search_and_pages(post: Post) -> None:
    for number in range(5):
        severity, source = ("info", "warning")[number % 2], ("system", "device")[number // 3]
        await post.send(f"T{number}", "100% sure" if number == 4 else "m", severity=severity, source_type=source)
    titles = [message["title"] for message in (await post.list())["messages"]]
    assert titles == ["T4", "T3", "T2", "T1", "T0"]
    for query, wanted in [
        ({"severity": "warning"}, ["T3", "T1"]),
        ({"severity": "nonsense"}, []),
        ({"source_type": "device"}, ["T4", "T3"]),
        ({"status": "archived"}, []),
        ({"category": "alert", "limit": 2, "offset": 1}, ["T3", "T2"]),
        ({"search": "t1"}, ["T1"]),
        ({"search": "%"}, ["T4"]),
        ({"offset": 99}, []),
    ]:
        found = await post.list(**query)
        assert [message["title"] for message in found["messages"]] == wanted, query
    answer = (await post.api.get("/api/messages", params={"limit": 1000, "offset": 2})).json()
    assert (answer["data"]["limit"], answer["meta"]["count"], answer["meta"]["pagination"]["total_count"]) == (
        200,
        3,
        5,
    )


@pytest.mark.parametrize("query", [{"limit": 0}, {"offset": -1}, {"limit": "x"}])
async def test_senseless_pages_are_refused(post: Post, query: Any) -> None:
    assert code(await post.api.get("/api/messages", params=query)) == (422, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("verb", "status"), [("acknowledge", "acknowledged"), ("resolve", "resolved"), ("archive", "archived")]
)
async def test_who_and_when_are_kept(post: Post, verb: str, status: str) -> None:
    ident = (await post.send())["id"]
    await post.clock.advance(5)
    user = post.host.client(role="user")
    assert data(await user.post(f"/api/messages/{ident}/{verb}")) == {status: True, "message_id": ident}
    message = await post.show(ident)
    assert (message["status"], message[f"{status}_by"]) == (status, "user")
    at_ms = datetime.fromisoformat(message[f"{status}_at"]).timestamp() * 1000
    assert at_ms == post.clock.now_ms()
    await post.clock.advance(5)
    await post.api.post(f"/api/messages/{ident}/{verb}")
    assert (await post.show(ident))[f"{status}_by"] == "user"


async def test_events_tell_of_single_changes_once(post: Post) -> None:
    one, two = [(await post.send())["id"] for _ in range(2)]
    for _ in range(2):
        await post.api.post(f"/api/messages/{one}/acknowledge")
        await post.api.post(f"/api/messages/{two}/resolve")
    assert [(e.message_id, e.acknowledged_by) for e in post.host.events.of(MessageAcknowledged)] == [(one, "admin")]
    assert [e.message_id for e in post.host.events.of(MessageResolved)] == [two]
    message = await post.show(one)
    assert message["resolved_at"] is None
    await post.api.post(f"/api/messages/{one}/resolve")
    message = await post.show(one)
    assert (message["status"], message["acknowledged_by"], message["resolved_by"]) == ("resolved", "admin", "admin")


@pytest.mark.parametrize("path", ["", "/acknowledge", "/resolve", "/archive"])
async def test_ids_of_no_message(post: Post, path: str) -> None:
    for ident, wanted in [("no-uuid", (400, "BAD_REQUEST")), (UNKNOWN, (404, "MESSAGE_NOT_FOUND"))]:
        calls = ["GET", "DELETE"] if not path else ["POST"]
        for method in calls:
            assert code(await post.api.request(method, f"/api/messages/{ident}{path}")) == wanted


async def test_a_deleted_message_is_gone(post: Post) -> None:
    ident = (await post.send())["id"]
    assert {"message", "message_zh"} <= data(await post.api.delete(f"/api/messages/{ident}")).keys()
    assert code(await post.api.get(f"/api/messages/{ident}")) == (404, "MESSAGE_NOT_FOUND")


async def test_many_at_once(post: Post) -> None:
    ids = [(await post.send())["id"] for _ in range(4)]
    for verb, status in [("acknowledge", "acknowledged"), ("resolve", "resolved"), ("delete", "deleted")]:
        body = {"message_ids": [*ids[:3], ids[0], UNKNOWN]}
        assert data(await post.api.post(f"/api/messages/{verb}", json=body)) == {status: 3}
        assert code(await post.api.post(f"/api/messages/{verb}", json={"message_ids": [ids[3], "x"]}))[0] == 400
        assert data(await post.api.post(f"/api/messages/{verb}", json={"message_ids": []})) == {status: 0}
    [left] = (await post.list())["messages"]
    assert (left["id"], left["status"]) == (ids[3], "active")
    assert post.host.events.of(MessageAcknowledged) == []


async def test_stats(post: Post) -> None:
    ids = [(await post.send(severity=severity))["id"] for severity in ("info", "info", "critical")]
    await post.api.post(f"/api/messages/{ids[0]}/resolve")
    assert await post.get("/stats") == {
        "total": 3,
        "active": 2,
        "by_category": {"alert": 3},
        "by_severity": {"critical": 1, "info": 2},
        "by_status": {"active": 2, "resolved": 1},
    }


async def test_cleaning_up(post: Post) -> None:
    await post.channel()
    for number in range(3):
        await post.send(f"T{number}")
        post.clock.jump_ms(DAY_MS)
    answer = data(await post.api.post("/api/messages/cleanup", json={"older_than_days": 2}))
    assert answer["cleaned"] == 1
    assert [message["title"] for message in (await post.list())["messages"]] == ["T2", "T1"]
    assert code(await post.api.post("/api/messages/cleanup", json={"older_than_days": -1}))[0] == 422


async def test_the_job_keeps_what_the_settings_say() -> None:
    async with post_with(settings={"messages": {"retention_days": 2}}) as post:
        await post.send("old")
        post.clock.jump_ms(2 * DAY_MS + 1)
        await post.send("new")
        jobs = [job for _, job in post.host.services[Platform].contributions("jobs")]
        await jobs[0].run()
        assert [message["title"] for message in (await post.list())["messages"]] == ["new"]


async def test_a_viewer_reads_and_writes_nothing(post: Post) -> None:
    ident = (await post.send())["id"]
    viewer, stranger = post.host.client(role="viewer"), post.host.client(role=None)
    data(await viewer.get(f"/api/messages/{ident}"))
    assert code(await viewer.post(f"/api/messages/{ident}/resolve"))[0] == 403
    assert code(await viewer.post("/api/messages/send", json={"title": "t", "message": "m"}))[0] == 403
    assert code(await stranger.get("/api/messages"))[0] == 401
