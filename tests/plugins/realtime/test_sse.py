"""Server-sent events, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx2
import pytest

from neomind_sdk import DeviceOnline, RuleExecuted, SessionEnded

from .conftest import SOON_S, Served, serving, stored, until

ONLINE = DeviceOnline(device_id="d", device_type="t")
RULE = RuleExecuted(rule_id="r", rule_name="R", success=True)


@attrs.define
class Reader:
    """Reads frames the way a browser's ``EventSource`` does, comments included."""

    answer: httpx2.Response
    lines: AsyncIterator[str]

    async def frame(self) -> dict[str, str]:
        """The fields of the next frame; a comment is the field with the empty name."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(SOON_S):
            async for line in self.lines:
                if not line:
                    return fields
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
        raise EOFError

    async def event(self) -> Any:
        return json.loads((await self.frame())["data"])

    async def ended(self) -> bool:
        try:
            await self.frame()
        except EOFError:
            return True
        return False


@asynccontextmanager
async def opened(served: Served, query: str = "token=ada", **more: Any) -> AsyncIterator[Reader]:
    async with (
        httpx2.AsyncClient(timeout=SOON_S) as client,
        client.stream("GET", f"{served.url}/api/events?{query}", **more) as answer,
    ):
        reader = Reader(answer, aiter(answer.aiter_lines()))
        if answer.status_code == 200:
            assert await reader.frame() == {"": "connected"}
        else:
            await answer.aread()
        yield reader


async def test_unnamed_frames_with_the_id_to_resume_from(served: Served) -> None:
    async with opened(served) as reader:
        assert reader.answer.headers["content-type"] == "text/event-stream"
        assert reader.answer.headers["cache-control"] == "no-store"
        served.publish(ONLINE)
        frame = await reader.frame()
        event = json.loads(frame["data"])
        assert set(frame) == {"id", "data"}
        assert (event["type"], event["seq"]) == ("DeviceOnline", int(frame["id"]))


async def test_named_frames_when_asked_for(served: Served) -> None:
    async with opened(served, "token=ada&named=1") as reader:
        served.publish(ONLINE)
        assert (await reader.frame())["event"] == "DeviceOnline"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("token=ada", {}),
        ("api_key=nmk_rules", {}),
        ("", {"Authorization": "Bearer ada"}),
        ("", {"X-API-Key": "nmk_rules"}),
    ],
)
async def test_logging_in(served: Served, query: str, headers: dict[str, str]) -> None:
    async with opened(served, query, headers=headers) as reader:
        served.publish(RULE)
        assert (await reader.event())["type"] == "RuleExecuted"


@pytest.mark.parametrize("query", ["", "token=wrong", "api_key=wrong", "token=share"])
async def test_nobody_else_comes_in(served: Served, query: str) -> None:
    async with opened(served, query) as reader:
        assert reader.answer.status_code == 401
        assert reader.answer.json()["success"] is False


async def test_filters_and_scopes(served: Served) -> None:
    types = "token=ada&event_type=RuleExecuted&event_type=Other"
    async with opened(served, types) as typed, opened(served, "api_key=nmk_rules") as scoped:
        served.publish(ONLINE, stored(1), RULE)
        assert (await typed.event())["type"] == "RuleExecuted"
        assert (await scoped.event())["type"] == "RuleExecuted"


async def test_resuming(served: Served) -> None:
    async with opened(served) as reader:
        served.publish(stored(1))
        last = (await reader.frame())["id"]
    await until(lambda: not served.streams)
    served.publish(stored(2), stored(3))
    for query, headers in (
        ("token=ada&last_event_id=1", {"Last-Event-ID": last}),
        (f"token=ada&last_event_id={last}", {}),
    ):
        async with opened(served, query, headers=headers) as reader:
            assert [(await reader.event())["data"]["value"] for _ in range(2)] == [2, 3]
    async with opened(served, headers={"Last-Event-ID": "17"}) as reader:
        gap = await reader.frame()
        assert json.loads(gap["data"])["type"] == "Gap"
        assert int(gap["id"]) < int(last)
        assert (await reader.event())["data"]["value"] == 1


async def test_a_comment_every_thirty_seconds(served: Served) -> None:
    async with opened(served) as reader:
        for _ in range(4):  # a stream that is only read has no pongs to miss
            await served.host.clock.advance(30.5)
            assert await reader.frame() == {"": "keepalive"}


async def test_it_ends_with_its_session(served: Served) -> None:
    async with opened(served) as mine, opened(served, "token=vic") as other:
        served.publish(SessionEnded(principal_id="u-1"))
        assert await mine.ended()
        served.publish(ONLINE)
        assert (await other.event())["type"] == "DeviceOnline"


async def test_stopping_ends_it(served: Served) -> None:
    async with opened(served) as reader:
        await served.hub.close()
        assert await reader.ended()


async def test_a_client_that_goes_leaves_nothing_behind(served: Served) -> None:
    async with opened(served):
        assert len(served.streams) == 1
    await until(lambda: not served.streams)
    assert list(served.hub._groups) == []


async def test_limits() -> None:
    async with serving(max_streams=2, max_streams_per_caller=1) as served:
        async with opened(served), opened(served, "token=vic"):
            async with opened(served) as mine:
                assert mine.answer.status_code == 503
            async with opened(served, "api_key=nmk_rules") as anybody:
                assert anybody.answer.status_code == 503
                assert anybody.answer.headers["retry-after"] == "10"
        await until(lambda: not served.streams)
        async with opened(served), opened(served) as mine:
            assert mine.answer.status_code == 429
            assert "1 event streams" in mine.answer.json()["error"]["message"]


async def test_head_takes_no_stream(served: Served) -> None:
    async with httpx2.AsyncClient() as client:
        answer = await client.head(f"{served.url}/api/events?token=ada")
    assert (answer.status_code, served.streams) == (200, [])


async def test_a_bad_query(served: Served) -> None:
    async with opened(served, "token=ada&named=perhaps") as reader:
        assert reader.answer.status_code == 422
