"""Backends over the API: made, shown, changed, activated, deleted."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from neomind_plugins.llm import hooks
from neomind_sdk import LLMError

from .conftest import HANGS, HEADER, KEY, PATH, Lab, ask, code, data, fault, lab_with


async def test_a_backend_is_made_and_shown(lab: Lab) -> None:
    ident = await lab.create(headers={"X-Org": HEADER}, region="us")
    assert re.fullmatch(r"brain_[0-9a-f]{8}", ident)
    shown = await lab.show(ident)
    own = ("id", "name", "backend_type", "endpoint", "model", "api_key_configured", "is_active", "available", "reason")
    assert [shown[key] for key in own] == [ident, "main", "brain", None, "brain-2", True, False, True, None]
    assert [shown[key] for key in ("temperature", "top_p", "top_k", "max_tokens")] == [0.6, 0.85, 20, None]
    assert [shown[key] for key in ("thinking_enabled", "thinking_effort", "healthy")] == [True, None, None]
    assert shown["config"] == {"region": "us", "headers": {"X-Org": "***"}}
    assert isinstance(shown["updated_at"], int)
    config = lab.kind.opened[-1]
    assert (config.endpoint, config.model, config.api_key) == ("https://brain.example/v1", "brain-2", KEY)
    assert (config.headers, config.region) == ({"X-Org": HEADER}, "us")


async def test_no_answer_shows_a_secret(lab: Lab) -> None:
    ident = await lab.active(headers={"X-Org": HEADER})
    lab.kind.answer = LLMError("auth", f"the key {KEY} and {HEADER} are wrong")
    answers = [
        await lab.api.get(PATH),
        await lab.api.get(f"{PATH}/{ident}"),
        await lab.api.get(f"{PATH}/stats"),
        await lab.api.post(f"{PATH}/{ident}/test"),
        await lab.api.put(f"{PATH}/{ident}", json={"api_key": KEY, "name": "x"}),
        await lab.api.post(PATH, json={"api_key": KEY, "name": " ", "model": 5, "backend_type": "brain"}),
    ]
    for answer in answers:
        assert KEY not in answer.text, answer.text
        assert HEADER not in answer.text, answer.text
    assert "***" in answers[3].text


async def test_the_list(lab: Lab) -> None:
    b, a = await lab.create("b"), await lab.create("a", backend_type="box", model="")
    assert data(await lab.api.get(PATH))["active_id"] is None
    await lab.api.post(f"{PATH}/{b}/activate")
    listed = data(await lab.api.get(PATH))
    assert ([one["id"] for one in listed["backends"]], listed["count"], listed["active_id"]) == ([a, b], 2, b)
    of_type = data(await lab.api.get(PATH, params={"type": "box"}))
    assert [one["id"] for one in of_type["backends"]] == [a]
    active = data(await lab.api.get(PATH, params={"active_only": "true"}))
    assert [one["id"] for one in active["backends"]] == [b]
    assert data(await lab.api.get(PATH, params={"type": "none"}))["backends"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"model": ""}, "model"),
        ({"api_key": None}, "api_key"),
        ({"api_key": "  "}, "api_key"),
        ({"api_key": "***"}, "api_key"),
        ({"headers": {"X": "***"}}, "headers"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_k": 1.5}, "top_k"),
        ({"thinking_effort": "huge"}, "thinking_effort"),
        ({"capabilities": {"max_context": 0}}, "capabilities.max_context"),
        ({"region": "far-far-away"}, "region"),
        ({"config": {"region": 5}}, "region"),
        ({"endpoint": "brain.example"}, "endpoint"),
        ({"endpoint": "ftp://brain.example"}, "endpoint"),
        ({"endpoint": "http://me:pw@brain.example"}, "endpoint"),
        ({"endpoint": "http://[::1"}, "endpoint"),
        ({"endpoint": "http://brain.example/a b"}, "endpoint"),
    ],
)
async def test_what_does_not_fit_is_named(lab: Lab, change: dict[str, Any], field: str) -> None:
    body = {"name": "n", "backend_type": "brain", "model": "m", "api_key": KEY, **change}
    assert fault(await lab.api.post(PATH, json=body)) == [field]
    assert data(await lab.api.get(PATH))["count"] == 0


@pytest.mark.parametrize("change", [{"model": "\ud800"}, {"config": {"model": "a\ud800"}}])
async def test_half_a_character_is_refused(lab: Lab, change: dict[str, Any]) -> None:
    body = {"name": "n", "backend_type": "box", "model": "m", **change}
    answer = await lab.api.post(PATH, content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize("missing", ["name", "backend_type", "model"])
async def test_what_must_be_there(lab: Lab, missing: str) -> None:
    body = {"name": "n", "backend_type": "brain", "model": "m", "api_key": KEY}
    del body[missing]
    assert fault(await lab.api.post(PATH, json=body)) == [missing]


async def test_a_type_that_is_not_there(lab: Lab) -> None:
    answer = await lab.api.post(PATH, json={"name": "n", "backend_type": "tarot", "model": "m"})
    assert code(answer) == (400, "BAD_REQUEST")
    assert "box, brain" in answer.json()["error"]["message"]


async def test_a_server_of_ones_own_may_do_without_a_key(lab: Lab) -> None:
    ident = await lab.create(api_key=None, endpoint="http://127.0.0.1:1234/v1")
    shown = await lab.show(ident)
    assert (shown["endpoint"], shown["api_key_configured"]) == ("http://127.0.0.1:1234/v1", False)
    assert lab.egress.checked == ["http://127.0.0.1:1234/v1"]
    assert fault(await lab.api.put(f"{PATH}/{ident}", json={"endpoint": None})) == ["api_key"]


async def test_an_endpoint_that_may_not_be_reached(lab: Lab) -> None:
    lab.egress.block("http://169.254.")
    body = {"name": "n", "backend_type": "brain", "model": "m", "api_key": KEY, "endpoint": "http://169.254.169.254/"}
    assert code(await lab.api.post(PATH, json=body)) == (422, "EGRESS_BLOCKED")
    ident = await lab.create()
    answer = await lab.api.put(f"{PATH}/{ident}", json={"endpoint": "http://169.254.169.254/", "name": "changed"})
    assert code(answer) == (422, "EGRESS_BLOCKED")
    shown = await lab.show(ident)
    assert (shown["name"], shown["endpoint"]) == ("main", None)


async def test_a_change_keeps_what_it_does_not_name(lab: Lab) -> None:
    ident = await lab.create(endpoint="http://10.0.0.9/v1", region="us", thinking_effort="high", top_k=7)
    before = await lab.show(ident)
    assert (await lab.put(ident, name="other", top_k=9, temperature=0))["id"] == ident
    assert await lab.show(ident) == {**before, "name": "other", "top_k": 9, "temperature": 0}
    await lab.put(ident, thinking_effort=None, endpoint="", region=None, name=None, model=None)
    shown = await lab.show(ident)
    assert (shown["thinking_effort"], shown["endpoint"], shown["config"]) == (None, None, {})
    assert (shown["name"], shown["model"]) == ("other", "brain-2")


@pytest.mark.parametrize("api_key", ["", "  ", "***", None, "absent"])
async def test_a_key_stays_unless_another_is_given(lab: Lab, api_key: str | None) -> None:
    ident = await lab.create(headers={"X": HEADER})
    given = {} if api_key == "absent" else {"api_key": api_key}
    await lab.put(ident, region="us", headers={"X": "***", "Y": "y"}, **given)
    await lab.models.complete(ask(), ident)
    config = lab.kind.opened[-1]
    assert (config.api_key, config.headers, config.region) == (KEY, {"X": HEADER, "Y": "y"}, "us")
    await lab.put(ident, api_key="sk-new")
    await lab.models.complete(ask(), ident)
    assert lab.kind.opened[-1].api_key == "sk-new"


async def test_what_was_shown_may_come_back(lab: Lab) -> None:
    ident = await lab.create(headers={"X": HEADER}, endpoint="http://10.0.0.9/v1")
    shown, probes = await lab.show(ident), lab.kind.probes
    await lab.put(ident, **shown)
    assert await lab.show(ident) == shown
    assert lab.kind.probes == probes
    await lab.models.complete(ask(), ident)
    assert (lab.kind.opened[-1].api_key, lab.kind.opened[-1].headers) == (KEY, {"X": HEADER})


async def test_the_type_is_fixed(lab: Lab) -> None:
    ident = await lab.create()
    assert code(await lab.api.put(f"{PATH}/{ident}", json={"backend_type": "box"})) == (400, "BAD_REQUEST")


async def test_exactly_one_is_active(lab: Lab) -> None:
    a, b = await lab.active(name="a"), await lab.active(name="b")
    listed = data(await lab.api.get(PATH))
    assert {one["id"]: one["is_active"] for one in listed["backends"]} == {a: False, b: True}
    assert code(await lab.api.delete(f"{PATH}/{b}")) == (409, "CONFLICT")
    data(await lab.api.delete(f"{PATH}/{a}"))
    assert [one["id"] for one in data(await lab.api.get(PATH))["backends"]] == [b]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/activate"),
        ("POST", "/test"),
        ("PATCH", "/capabilities"),
    ],
)
async def test_an_unknown_one(lab: Lab, method: str, path: str) -> None:
    body = {"multimodal": True} if method == "PATCH" else {"name": "n"} if method == "PUT" else None
    answer = await lab.api.request(method, f"{PATH}/brain_00000000{path}", json=body)
    assert code(answer) == (404, "LLM_BACKEND_NOT_FOUND")
    assert answer.json()["error"]["message"] == "LLM backend with id 'brain_00000000' not found"


async def test_who_may_what(lab: Lab) -> None:
    ident = await lab.create()
    nobody, reader = lab.host.client(None), lab.host.client(scopes={"llm:read"})
    viewer, writer = lab.host.client("viewer"), lab.host.client(scopes={"llm:write"})
    assert (await nobody.get(f"{PATH}/types")).status_code == 200
    assert (await nobody.get(f"{PATH}/types/brain/schema")).status_code == 200
    assert (await nobody.get(PATH)).status_code == 401
    for client in (reader, viewer):
        assert (await client.get(f"{PATH}/{ident}")).status_code == 200
        assert (await client.post(f"{PATH}/{ident}/activate")).status_code == 403
        assert (await client.get(f"{PATH}/brain/models")).status_code == 403
    assert (await writer.post(f"{PATH}/{ident}/activate")).status_code == 200
    assert (await writer.get(PATH)).status_code == 403


# ---- the test of a backend ----


async def test_a_test_that_succeeds(lab: Lab) -> None:
    ident = await lab.create()
    tested = data(await lab.api.post(f"{PATH}/{ident}/test"))
    assert tested["backend_id"] == ident
    assert tested["result"] == {
        "success": True,
        "latency_ms": 0,
        "error": None,
        "tested_at": lab.clock.now_ms() // 1000,
    }
    assert (await lab.show(ident))["healthy"] is True
    await lab.clock.advance(61)
    assert (await lab.show(ident))["healthy"] is None


async def test_a_test_that_fails_is_an_answer(lab: Lab) -> None:
    ident = await lab.create()
    lab.kind.answer = LLMError("connect", "connection refused")
    result = data(await lab.api.post(f"{PATH}/{ident}/test"))["result"]
    assert (result["success"], result["latency_ms"], result["error"]) == (False, None, "connect: connection refused")
    assert (await lab.show(ident))["healthy"] is False
    await lab.put(ident, model="brain-3")
    assert (await lab.show(ident))["healthy"] is None


async def test_a_test_ends_in_time() -> None:
    async with lab_with(settings={"llm": {"test_timeout_s": 3}}) as lab:
        ident = await lab.create()
        lab.kind.answer = HANGS
        testing = asyncio.ensure_future(lab.api.post(f"{PATH}/{ident}/test"))
        await lab.kind.began.wait()
        await lab.clock.advance(3)
        result = data(await testing)["result"]
        assert (result["success"], result["error"]) == (False, "timeout: no answer within 3 s")
        assert lab.kind.cancelled == 1


# ---- health ----


async def test_no_active_backend_is_well(lab: Lab) -> None:
    [check] = hooks.neomind_health(lab.host.context("llm"))
    assert (await check.check()).ok
    await lab.active()
    assert (await check.check()).ok
