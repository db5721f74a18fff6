"""Events that clients publish."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.realtime import plugin as realtime
from neomind_sdk import CustomPublished
from neomind_sdk.testing import make_host

from .conftest import Served

MIB = 1024 * 1024


async def test_it_reaches_the_streams(served: Served) -> None:
    client = await served.socket()
    body = {"event_type": "lunch", "data": {"soup": [1, None, "ß"]}}
    answer = await served.host.client("user").post("/api/events", json=body)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"success": True, "event_type": "lunch", "source": "api"}
    event = await client.event()
    assert (event["type"], event["source"]) == ("Custom", "api")
    assert event["data"] == {"custom_type": "lunch", **body}


async def post(body: Any, role: str | None = "user", **more: Any) -> tuple[Any, list[Any]]:
    async with make_host(realtime) as host:
        given = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = await host.client(role, **more).post("/api/events", **given)
        return answer, host.events.of(CustomPublished)


@pytest.mark.parametrize(
    ("body", "published"),
    [
        ({"event_type": "x"}, CustomPublished(custom_type="x")),
        ({"event_type": "x" * 256, "data": None}, CustomPublished(custom_type="x" * 256)),
        ({"event_type": "é ü", "data": [], "source": "s"}, CustomPublished(custom_type="é ü", data=[], source="s")),
    ],
)
async def test_what_is_published(body: Any, published: CustomPublished) -> None:
    assert (await post(body))[1] == [published]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"event_type": ""}, 400),
        ({"event_type": "x" * 257}, 400),
        ({"event_type": "a\nb"}, 400),
        ({"event_type": "a\x7fb"}, 400),
        ({"event_type": "a", "source": "a\tb"}, 400),
        ({"event_type": "a", "source": ""}, 400),
        ({"event_type": "a", "data": "x" * MIB}, 400),
        ({"event_type": "a", "data": "x" * 3 * MIB}, 413),
        ({"event_type": 7}, 422),
        ({"data": 1}, 422),
        ([], 422),
        (b"", 400),
        (b"{", 400),
    ],
)
async def test_what_is_not(body: Any, status: int) -> None:
    answer, published = await post(body)
    assert (answer.status_code, published) == (status, [])
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("role", "scopes", "status"),
    [
        (None, None, 401),
        ("viewer", None, 403),
        ("user", {"devices:write"}, 403),
        ("user", {"events:write"}, 200),
    ],
)
async def test_who_may(role: str | None, scopes: Any, status: int) -> None:
    assert (await post({"event_type": "x"}, role, scopes=scopes))[0].status_code == status
