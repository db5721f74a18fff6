"""Every answer is in the envelope, whatever a handler returns or raises."""

from __future__ import annotations

import asyncio
import enum
import math
import random
import uuid
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import httpx2
import orjson
import pytest

from neomind_core.host.http import envelope
from neomind_sdk import Alias, ApiError, Mirror, NotFound, Raw, Reply


@attrs.frozen
class Sample:
    name: str
    value: float | None = None


class Colour(enum.Enum):
    RED = "red"


def giving(value: Any) -> Any:
    async def handler(_request: Any) -> Any:
        return value

    return handler


def raising(error: BaseException) -> Any:
    async def handler(_request: Any) -> Any:
        raise error

    return handler


@pytest.fixture
def get(edge):
    """What one handler's answer looks like from outside."""

    async def ask(handler, **more):
        async with edge.serving(edge.route(handler, **more)) as host:
            return await host.client(None).get("/api/trial")

    return ask


# ---- success ----


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({"a": 1}, {"a": 1}),
        ([], []),
        (0, 0),
        (False, False),
        ("", ""),
        (Sample(name="x"), {"name": "x", "value": None}),
        ([Sample(name="x", value=1.5)], [{"name": "x", "value": 1.5}]),
        ({"p": Path("a/b"), "c": Colour.RED, "t": (1, 2), "s": {3}}, {"p": "a/b", "c": "red", "t": [1, 2], "s": [3]}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ({1: "x", None: "y"}, {"1": "x", "null": "y"}),
        ({"n": math.nan, "i": math.inf}, {"n": None, "i": None}),
        (2**63, 2**63),
    ],
)
async def test_data(get, answered, value, data):
    answer = await get(giving(value))
    assert answered(answer) == (200, None)
    assert answer.json()["data"] == data


async def test_absent_data_are_left_out(get):
    assert set((await get(giving(None))).json()) == {"success", "meta"}


async def test_meta(edge):
    async with edge.serving(edge.route(giving(1))) as host:
        bodies = [(await host.client(None).get("/api/trial")).json() for _ in range(2)]
        moment = datetime.fromisoformat(bodies[0]["meta"]["timestamp"])
        assert moment.timestamp() * 1000 == host.clock.now_ms()
        ids = [body["meta"]["request_id"] for body in bodies]
        assert len(set(ids)) == 2
        assert all(uuid.UUID(one).version == 4 and str(uuid.UUID(one)) == one for one in ids)


async def test_times_are_told_to_the_millisecond(edge):
    async with edge.serving(edge.route(giving(1))) as host:
        for step in (0.001, 0.999, 86_400):
            await host.clock.advance(step)
            body = (await host.client(None).get("/api/trial")).json()
            told = datetime.fromisoformat(body["meta"]["timestamp"])
            assert round(told.timestamp() * 1000) == host.clock.now_ms()


async def test_handlers_get_the_request_id(edge):
    async def handler(request):
        return {"id": request.id}

    async with edge.serving(edge.route(handler)) as host:
        body = (await host.client(None).get("/api/trial")).json()
        assert body["data"]["id"] == body["meta"]["request_id"]


async def test_reply(get):
    reply = Reply(
        data=[1], status=202, meta={"count": 1}, headers={"X-Thing": "a", "Content-Type": "application/x+json"}
    )
    answer = await get(giving(reply))
    assert (answer.status_code, answer.json()["data"], answer.json()["meta"]["count"]) == (202, [1], 1)
    assert (answer.headers["x-thing"], answer.headers.get_list("content-type")) == ("a", ["application/x+json"])


async def test_the_status_of_the_route(get):
    assert (await get(giving(1), status=201)).status_code == 201
    assert (await get(giving(Reply(data=1)), status=201)).status_code == 201


async def test_a_status_without_a_body_has_none(edge):
    async with (
        edge.serving(edge.route(giving(Reply(data=1, status=204)))) as host,
        host.served() as url,
        httpx2.AsyncClient(base_url=url) as client,
    ):
        answers = [await client.get("/api/trial") for _ in range(2)]  # the connection is still in step
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2


# ---- failure ----


async def test_a_known_error(get, answered):
    answer = await get(raising(ApiError("CONFLICT", "It is taken", hint="Try another", details=[{"field": "name"}])))
    assert answered(answer) == (409, "CONFLICT")
    error = answer.json()["error"]
    assert (error["message"], error["hint"], error["details"]) == ("It is taken", "Try another", [{"field": "name"}])


async def test_headers_of_errors(get):
    answer = await get(raising(ApiError("RATE_LIMITED", "Slower", headers={"Retry-After": "7"})))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


async def test_not_found_of_a_kind(get, answered):
    answer = await get(raising(NotFound("PUSH_TARGET", "x")))
    assert answered(answer) == (404, "PUSH_TARGET_NOT_FOUND")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("the password is hunter2"),
        TimeoutError("hunter2"),
        SystemExit("hunter2"),
        asyncio.CancelledError("hunter2"),
        BaseExceptionGroup("hunter2", [KeyError(1)]),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "hunter2"),
    ],
)
async def test_other_errors_stay_inside(get, answered, logged, error):
    answer = await get(raising(error))
    assert answered(answer) == (500, "INTERNAL_ERROR")
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text
    [event] = [event for event in logged if event["log_level"] == "error"]
    assert event["event"] == "request_failed"
    assert event["request_id"] in answer.text
    assert (event["path"], event["exc_info"]) == ("/api/trial", True)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {"a": object()},
        b"bytes",
        {"huge": 2**64},
        "\ud800",
        {"\udfff": 1},
        {(1, 2): 3},
        Reply(data=1, status=99),
        Reply(data=1, status=600),
        Reply(data=1, status="200"),
        Reply(data=1, headers={"X": "a\r\nSet-Cookie: b=c"}),
        Reply(data=1, headers={"X\n": "a"}),
        Reply(data=1, headers={"X": "\u20ac"}),
        Reply(data=1, headers={"X": 5}),
        Raw(content="text", media_type="text/plain"),
        Raw(content=[b"a"], media_type="text/plain"),
        Raw(content=b"a", media_type="text/plain\r\nX: y"),
        Raw(content=b"a", media_type="text/plain", status=1000),
        ApiError,
    ],
)
async def test_what_cannot_be_sent_is_an_error_of_ours(get, answered, logged, value):
    assert answered(await get(giving(value))) == (500, "INTERNAL_ERROR")
    assert [event["event"] for event in logged if event["log_level"] == "error"] == ["request_failed"]


@pytest.mark.parametrize(
    "error",
    [
        ApiError("CONFLICT", "x", details=object()),
        ApiError("CONFLICT", "\ud800"),
        ApiError("CONFLICT", KeyError("x")),
        ApiError("CONFLICT", "x", status=99),
        ApiError("CONFLICT", "x", headers={"X": "a\nb"}),
        ApiError("CONFLICT", "x", headers={"X": "\u20ac"}),
    ],
)
async def test_an_error_that_cannot_be_sent_is_an_error_of_ours(get, answered, logged, error):
    assert answered(await get(raising(error))) == (500, "INTERNAL_ERROR")
    assert [event["event"] for event in logged if event["log_level"] == "error"] == ["error_is_not_json"]


async def test_a_deep_value_is_an_error_of_ours(get, answered, logged):
    value: Any = 1
    for _ in range(2000):
        value = [value]
    assert answered(await get(giving(value))) == (500, "INTERNAL_ERROR")


# ---- other methods, other paths ----


async def test_head(edge):
    async with edge.serving(edge.route(giving({"a": "b" * 5000}))) as host:
        got = await host.client(None).get("/api/trial", headers={"accept-encoding": "identity"})
        head = await host.client(None).head("/api/trial")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))


async def test_head_of_an_error(edge):
    async with edge.serving() as host:
        head = await host.client(None).head("/api/nothing")
    assert (head.status_code, head.content, head.headers["content-type"]) == (404, b"", "application/json")


async def test_handlers_see_head(edge):
    seen = []

    async def handler(request):
        seen.append(request.method)

    async with edge.serving(edge.route(handler)) as host:
        await host.client(None).head("/api/trial")
    assert seen == ["HEAD"]


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api", "/api/", "/", "/index.html", "/apix", "/API/trial", "/api/trial/"]
)
async def test_unknown_paths(edge, answered, path):
    async with edge.serving(edge.route(giving(1))) as host:
        for client in (host.client(None), host.client()):
            for method in ("GET", "POST", "DELETE", "OPTIONS"):
                assert answered(await client.request(method, path)) == (404, "NOT_FOUND")


async def test_wrong_method(edge, answered):
    routes = [edge.route(giving(1)), edge.route(giving(1), method="PUT")]
    async with edge.serving(*routes, edge.route(giving(1), method="POST", path="/post")) as host:
        client = host.client(None)
        for method in ("POST", "DELETE", "OPTIONS", "TRACE", "BREW"):
            answer = await client.request(method, "/api/trial")
            assert answered(answer) == (405, "METHOD_NOT_ALLOWED")
            assert answer.headers["allow"] == "GET, HEAD, PUT"
        head = await client.head("/api/post")
        assert (head.status_code, head.headers["allow"]) == (405, "POST")


async def test_starting(edge, answered):
    async with edge.serving(edge.route(giving(1))) as host:
        client, api = host.client(None), host.host.api
        assert api.starting is False
        api.starting = True
        assert answered(await client.get("/api/trial")) == (200, None)
        for answer in (await client.get("/api/later"), await client.delete("/api/trial")):
            assert answered(answer) == (503, "SERVICE_UNAVAILABLE")
            assert answer.headers["retry-after"] == "1"


async def test_a_lifespan_is_not_ours(edge):
    async with edge.serving() as host:
        assert (await edge.tell(host, {"type": "lifespan"})).messages == []


# ---- second spellings ----


async def test_mirror(edge):
    route = edge.route(giving({"status": "ok", "success": "no", "meta": 1}))
    async with edge.serving(route, Mirror(path="/trial")) as host:
        body = (await host.client(None).get("/api/trial")).json()
    assert body["status"] == "ok"
    assert body["data"]["success"] == "no"
    assert body["success"] is True
    assert "request_id" in body["meta"]


@pytest.mark.parametrize("value", [[1], "text", None, 5])
async def test_mirror_of_what_has_no_keys(edge, value):
    async with edge.serving(edge.route(giving(value)), Mirror(path="/trial")) as host:
        assert (await host.client(None).get("/api/trial")).json()["success"] is True


async def test_mirror_of_a_class(edge):
    async with edge.serving(edge.route(giving(Sample(name="x"))), Mirror(path="/trial")) as host:
        assert (await host.client(None).get("/api/trial")).json()["name"] == "x"


async def test_alias(edge, answered):
    routes = [
        edge.route(path="/things/{thing_id}"),
        edge.route(path="/things/{thing_id}", method="DELETE"),
        edge.route(path="/things/{thing_id}/parts/{part}"),
        edge.route(path="/thingsandmore"),
    ]
    aliases = [
        Alias(path="/old/{thing_id}", target="/things/{thing_id}"),
        Alias(path="/sub/{id}", target="/things/{thing_id}", subtree=True),
        Alias(path="/nothing", target="/nowhere"),
    ]
    async with edge.serving(*routes, *aliases) as host:
        client = host.client(None)
        for method in ("GET", "DELETE"):
            data = (await client.request(method, "/api/old/x")).json()["data"]
            assert (data["method"], data["params"]) == (method, {"thing_id": "x"})
        data = (await client.get("/api/sub/x/parts/y")).json()["data"]
        assert data["params"] == {"thing_id": "x", "part": "y"}
        for path in ("/api/old/x/parts/y", "/api/nothing", "/api/subandmore"):
            assert answered(await client.get(path)) == (404, "NOT_FOUND")
        assert answered(await client.post("/api/old/x")) == (405, "METHOD_NOT_ALLOWED")


async def test_an_alias_with_other_parameters_is_refused(edge):
    wrong = Alias(path="/wrong", target="/things/{thing_id}")
    with pytest.raises(Exception, match="it has other parameters than"):
        async with edge.serving(edge.route(path="/things/{thing_id}"), wrong):
            pass


async def test_an_alias_overrides_nothing(edge):
    routes = [edge.route(giving("own"), path="/a"), edge.route(giving("other"), path="/b")]
    async with edge.serving(*routes, Alias(path="/a", target="/b")) as host:
        assert (await host.client(None).get("/api/a")).json()["data"] == "own"


async def test_mirror_of_an_alias(edge):
    parts = [edge.route(giving({"x": 1}), path="/b"), Alias(path="/a", target="/b"), Mirror(path="/a")]
    async with edge.serving(*parts) as host:
        assert (await host.client(None).get("/api/a")).json()["x"] == 1
        assert "x" not in (await host.client(None).get("/api/b")).json()


def test_an_integer_timestamp_of_any_size_is_told():
    assert envelope.timestamp(0) == "1970-01-01T00:00:00.000+00:00"
    assert envelope.timestamp(1_700_000_000_123).endswith(".123+00:00")


def test_ids_are_uuids():
    ids = set()
    for _ in range(1000):
        random.seed(7)  # some plugin's idea of repeatable
        ids.add(envelope.new_id())
    assert len(ids) == 1000
    assert all(uuid.UUID(one).version == 4 and uuid.UUID(one).variant == uuid.RFC_4122 for one in ids)


def test_json_of_ours_is_json():
    assert orjson.loads(envelope.dumps({"a": [Sample(name="x")]})) == {"a": [{"name": "x", "value": None}]}
