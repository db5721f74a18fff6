"""WebSockets, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from neomind_sdk import (
    AgentExecutionCompleted,
    DeviceOnline,
    MessageCreated,
    RuleExecuted,
    SessionEnded,
)

from .conftest import Served, serving, stored, until

ALERT = MessageCreated(message_id="m", title="T", severity="info", message="x")
RULE = RuleExecuted(rule_id="r", rule_name="R", success=True)


# ---- logging in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "auth",
    [
        {"token": "ada"},
        {"api_key": "nmk_rules"},
        {"token": "wrong", "api_key": "nmk_rules"},
    ],
)
async def test_the_first_frame_logs_in(served: Served, auth: dict[str, str]) -> None:
    client = await served.socket("", authenticated=False)
    served.publish(ALERT, RULE)
    await client.send({"type": "Auth", **auth})
    assert await client.frame() == {"type": "Authenticated", "message": "Authentication successful"}
    assert await client.frame() == {"type": "ping", "timestamp": served.host.clock.now_ms() // 1000}
    served.publish(RULE)
    assert (await client.event())["type"] == "RuleExecuted"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("token=ada", {}),
        ("api_key=nmk_rules", {}),
        ("", {"Authorization": "Bearer ada"}),
        ("", {"X-API-Key": "nmk_rules"}),
        ("token=wrong", {"X-API-Key": "nmk_rules"}),
    ],
)
async def test_the_request_logs_in(served: Served, query: str, headers: dict[str, str]) -> None:
    client = await served.socket(query, additional_headers=headers)
    await client.send({"type": "Auth", "token": "ignored now"})
    served.publish(RULE)
    assert (await client.event())["type"] == "RuleExecuted"


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"type": "Auth", "token": "wrong"}, "Invalid or expired token"),
        ({"type": "Auth", "token": "share"}, "Invalid or expired token"),
        ({"type": "Auth", "api_key": "nmk_wrong"}, "Invalid API key"),
        ({"type": "Auth"}, "Authentication required"),
        ({"type": "Auth", "token": 7}, "Authentication required"),
        ({"type": "Auth", "token": "a\u0000b"}, "Authentication required"),
        ({"type": "pong"}, "Authentication required"),
        (["Auth"], "Authentication required"),
        ("no JSON", "Authentication required"),
        ("", "Authentication required"),
        (b"\xff\x00", "Authentication required"),
    ],
)
async def test_any_other_first_frame_is_refused(served: Served, frame: Any, words: str) -> None:
    client = await served.socket("", authenticated=False)
    await client.send(frame)
    assert await client.closed() == (1008, [{"type": "Error", "message": words}])
    assert served.streams == []


async def test_a_wrong_key_in_the_query_leaves_the_first_frame(served: Served) -> None:
    client = await served.socket("api_key=nmk_wrong", authenticated=False)
    await client.send({"type": "Auth", "token": "ada"})
    assert (await client.frame())["type"] == "Authenticated"


async def test_ten_seconds_to_log_in(served: Served) -> None:
    client = await served.socket("", authenticated=False)
    await until(lambda: served.host.clock.sleeping)
    await served.host.clock.advance(9.9)
    assert client.connection.close_code is None
    await served.host.clock.advance(0.2)
    assert await client.closed() == (1008, [{"type": "Error", "message": "Authentication required"}])


async def test_who_goes_without_logging_in_leaves_nothing_behind(served: Served) -> None:
    client = await served.socket("", authenticated=False)
    waiting = served.hub.occupancy._waiting
    await until(lambda: waiting.total() == 1)
    await client.connection.close()
    await until(lambda: waiting.total() == 0)


# ---- frames ---------------------------------------------------------------------------------------------------------


async def test_one_event_comes_in_a_batch(served: Served) -> None:
    client = await served.socket()
    served.publish(stored(21.5))
    frame = await client.frame()
    assert set(frame) == {"batch", "events"}
    (event,) = frame["events"]
    assert set(event) == {"id", "type", "timestamp", "source", "data", "seq"}
    assert event["data"]["value"] == 21.5


async def test_many_come_in_tens_in_order(served: Served) -> None:
    client = await served.socket()
    served.publish(*(stored(number) for number in range(100)))
    sizes, values = [], []
    while len(values) < 100:
        frame = await client.frame()
        sizes.append(len(frame["events"]))
        values += [one["data"]["value"] for one in frame["events"]]
    assert values == list(range(100))
    assert max(sizes) == 10


@pytest.mark.parametrize(
    "urgent", [ALERT, AgentExecutionCompleted(agent_id="a", execution_id="e", success=True, duration_ms=1)]
)
async def test_what_is_urgent_comes_bare_and_in_order(served: Served, urgent: Any) -> None:
    client = await served.socket()
    served.publish(stored(1), urgent, stored(2))
    first, second, third = [await client.frame() for _ in range(3)]
    assert first["events"][0]["data"]["value"] == 1
    assert second["type"] == type(urgent).__name__
    assert third["events"][0]["data"]["value"] == 2


async def test_filters_of_the_query(served: Served) -> None:
    repeated = await served.socket("token=ada&event_type=RuleExecuted&event_type=DeviceOnline,NoSuch")
    category = await served.socket("token=ada&category=rule")
    both = await served.socket("token=ada&category=device&event_type=DeviceOnline,RuleExecuted")
    online = DeviceOnline(device_id="d", device_type="t")
    served.publish(stored(1), online, ALERT, RULE)
    assert [one["type"] for one in await repeated.events(2)] == ["DeviceOnline", "RuleExecuted"]
    assert (await category.event())["type"] == "RuleExecuted"
    assert (await both.event())["type"] == "DeviceOnline"


async def test_a_key_that_may_read_rules_sees_rules(served: Served) -> None:
    client = await served.socket("api_key=nmk_rules")
    served.publish(stored(1), ALERT, RULE)
    assert (await client.event())["type"] == "RuleExecuted"


async def test_resuming_over_a_reconnect(served: Served) -> None:
    client = await served.socket()
    served.publish(stored(1))
    seen = (await client.event())["seq"]
    await client.connection.close()
    await until(lambda: not served.streams)
    served.publish(stored(2))
    again = await served.socket(f"token=ada&last_event_id={seen}")
    assert (await again.event())["data"]["value"] == 2
    header = await served.socket(additional_headers={"Last-Event-ID": str(seen)})
    assert (await header.event())["data"]["value"] == 2
    gap, event, _ = await (await served.socket("token=ada&last_event_id=17")).events(3)
    assert (gap["type"], event["data"]["value"]) == ("Gap", 1)


# ---- ending ---------------------------------------------------------------------------------------------------------


async def test_pongs_keep_it_alive_and_silence_ends_it(served: Served) -> None:
    alive, silent = await served.socket(), await served.socket("token=vic")
    stream = served.streams[0]
    for _ in range(3):
        await served.host.clock.advance(25)
        await alive.send({"type": "pong"})
        await alive.send(b"binary")
        await alive.send("no JSON")
        now = served.host.clock.monotonic()
        await until(lambda now=now: stream.heard == now)
    code, frames = await silent.closed()
    assert code == 1008
    assert [one["type"] for one in frames] == ["ping", "Error"]
    assert frames[-1]["message"] == "Heartbeat timeout"
    served.publish(stored(1))
    assert (await alive.event())["data"]["value"] == 1


async def test_it_ends_with_its_session(served: Served) -> None:
    mine, elsewhere, other = [await served.socket(f"token={token}") for token in ("ada", "ada2", "vic")]
    served.publish(SessionEnded(principal_id="u-1", session="s-1"))
    assert await mine.closed() == (1008, [])
    served.publish(stored(1))
    assert [(await one.event())["data"]["value"] for one in (elsewhere, other)] == [1, 1]
    served.publish(SessionEnded(principal_id="u-1", reason="deleted"))
    assert (await elsewhere.closed())[0] == 1008
    assert [stream.caller.principal.name for stream in served.streams] == ["vic"]


async def test_it_ends_when_a_scheme_forgets_the_login(served: Served) -> None:
    client, other = await served.socket(), await served.socket("token=vic")
    del served.logins.tokens["ada"]
    await served.host.clock.advance(31)
    assert (await client.closed())[0] == 1008
    assert other.connection.close_code is None


async def test_stopping_says_goodbye(served: Served) -> None:
    clients = [await served.socket() for _ in range(3)]
    await served.hub.close()
    assert [(await client.closed())[0] for client in clients] == [1001] * 3
    with pytest.raises(InvalidStatus) as refused:
        await served.socket()
    assert refused.value.response.status_code == 503


async def test_the_limit_of_a_caller() -> None:
    async with serving(max_streams_per_caller=2) as served:
        first, _ = await served.socket(), await served.socket("token=ada2")
        with pytest.raises(InvalidStatus) as refused:
            await served.socket()
        assert refused.value.response.status_code == 429
        assert b'"code":"RATE_LIMITED"' in refused.value.response.body
        late = await served.socket("", authenticated=False)
        await late.send({"type": "Auth", "token": "ada"})
        code, (frame,) = await late.closed()
        assert (code, frame["type"]) == (1013, "Error")
        assert "2 event streams" in frame["message"]
        await first.connection.close()
        await until(lambda: len(served.streams) == 1)
        await served.socket()


async def test_without_any_scheme_nobody_comes_in(served: Served) -> None:
    served.logins.tokens.clear()
    client = await served.socket("", authenticated=False)
    await client.send({"type": "Auth", "token": "ada"})
    assert (await client.closed())[1] == [{"type": "Error", "message": "Invalid or expired token"}]


async def test_a_query_that_is_no_text_is_refused(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(served.url.replace("http", "ws", 1) + "/api/events?token=%ff")
    assert refused.value.response.status_code == 400
