"""Running commands of extensions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_plugins.extension_admin.runner import CommandRunner
from neomind_sdk import (
    ExtensionCommandFinished,
    ExtensionOutputProduced,
    Ingest,
    Principal,
    Service,
    Status,
    StorageBusy,
)
from neomind_sdk.testing import make_host

from .conftest import code, command, data, extension
from .dice import OUTPUTS, Seen, Store, commands

ROLL = "/api/extensions/dice/commands/roll"


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def host(seen: Seen, store: Store) -> AsyncIterator[Any]:
    # The stand-in for the plugin that stores samples has its name, which extension_admin declares.
    telemetry = extension("telemetry", services=[Service(key=Ingest, build=lambda ctx: store)])
    async with make_host(extension_admin, telemetry, extension(commands=commands(seen)), storage=False) as host:
        yield host


def finished(host: Any) -> Any:
    [event] = host.events.of(ExtensionCommandFinished)
    return event


async def run(host: Any, name: str, body: Any = None, role: str | None = "user") -> Any:
    return await host.client(role).post(f"/api/extensions/dice/commands/{name}", json=body)


# ---- the good way ----


async def test_the_answer_is_the_commands_own(host: Any, seen: Seen) -> None:
    answer = await host.client("user").post(ROLL, json={"count": 2})
    assert data(answer) == {"eyes": [1, 2], "total": 3, "none": None}
    [(args, call)] = seen.calls
    assert args == {"count": 2}
    assert (call.principal.name, call.hops) == ("user", 0)
    assert answer.json()["meta"]["execution_id"] == call.execution_id


async def test_that_it_finished_is_published(host: Any) -> None:
    answer = await host.client("user").post(ROLL, json={"count": 2})
    await host.settle()
    event = finished(host)
    assert (event.extension_id, event.command_id, event.success, event.error) == ("dice", "roll", True, None)
    assert event.outputs == answer.json()["data"]
    assert event.execution_id == answer.json()["meta"]["execution_id"]


async def test_declared_outputs_are_stored_and_published(host: Any, store: Store) -> None:
    answer = await host.client("user").post(ROLL, json={"count": 2})
    await host.settle()
    [(points, source, cause, hops)] = store.written
    assert [(point.series, point.value) for point in points] == [("extension:dice:total", 3)]
    assert points[0].ts_ms == host.clock.now_ms()
    assert (source, cause, hops) == ("extension:dice", "extension:dice", 1)
    [event] = host.events.of(ExtensionOutputProduced)
    assert (event.extension_id, event.output_name, event.value, event.hops) == ("dice", "total", 3, 1)
    assert "warnings" not in answer.json()["meta"]


async def test_outputs_may_be_below_data(host: Any, store: Store) -> None:
    data(await run(host, "nested"))
    assert store.written[0][0][0].value == 7


async def test_what_declares_no_outputs_stores_none(host: Any, store: Store) -> None:
    assert data(await run(host, "echo", {"total": 3})) == {"total": 3}
    await host.settle()
    assert store.written == []
    assert host.events.of(ExtensionOutputProduced) == []


async def test_outputs_that_cannot_be_stored_are_a_warning(host: Any, store: Store) -> None:
    store.error = StorageBusy("The queue is full")
    answer = await host.client("user").post(ROLL, json={"count": 2})
    assert data(answer)["total"] == 3
    assert answer.json()["meta"]["warnings"] == ["the outputs were not stored: The queue is full"]
    await host.settle()
    assert finished(host).success
    assert host.events.of(ExtensionOutputProduced) == []


async def test_without_a_store_outputs_are_published_all_the_same() -> None:
    async def roll(args: Any, call: Any) -> Any:
        return {"total": 3}

    dice = extension(commands=[command("roll", roll, outputs=OUTPUTS)])
    async with make_host(extension_admin, dice, storage=False) as host:
        data(await host.client().post(ROLL))
        await host.settle()
        assert [event.value for event in host.events.of(ExtensionOutputProduced)] == [3]


@pytest.mark.parametrize("wrapper", ["args", "params"])
async def test_arguments_may_be_wrapped(host: Any, wrapper: str) -> None:
    assert data(await run(host, "echo", {wrapper: {"a": 1}})) == {"a": 1}


@pytest.mark.parametrize("body", [{"args": {"a": 1}, "b": 2}, {"args": 5}, {"other": {"a": 1}}])
async def test_what_is_no_wrapper_stays(host: Any, body: Any) -> None:
    assert data(await run(host, "echo", body)) == body


async def test_an_argument_that_is_called_like_a_wrapper_is_one(host: Any) -> None:
    assert data(await run(host, "takes-args", {"args": {"a": 1}})) == {"args": {"a": 1}}


async def test_no_body_is_no_arguments(host: Any) -> None:
    assert data(await host.client().post("/api/extensions/dice/commands/echo")) == {}


async def test_tuples_are_arrays_and_nothing_is_absent(host: Any) -> None:
    assert data(await run(host, "tuple")) == [1, "two", None]
    answer = await run(host, "nothing")
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert "data" not in answer.json()


# ---- arguments that do not fit ----


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "count"),
        ({"count": 0}, "count"),
        ({"count": "2"}, "count"),
        ({"count": True}, "count"),
        ({"count": 1.0}, "count"),
        ({"count": 1, "extra": 1}, "extra"),
        ({"count": 1, "deep": {"list": ["a", 5]}}, "deep.list[1]"),
        ({"args": {"count": 0}}, "count"),
        ([], "body"),
        ("text", "body"),
        (5, "body"),
    ],
)
async def test_arguments_that_do_not_fit_are_named(host: Any, seen: Seen, body: Any, field: str) -> None:
    answer = await host.client("user").post(ROLL, json=body)
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert [problem["field"] for problem in answer.json()["error"]["details"]] == [field]
    await host.settle()
    assert seen.calls == []
    assert host.events.of(ExtensionCommandFinished) == []


async def test_a_problem_does_not_repeat_a_long_argument(host: Any) -> None:
    answer = await host.client("user").post(ROLL, json={"count": "x" * 100_000})
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert len(answer.text) < 2000


@pytest.mark.parametrize("raw", [b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}'])
async def test_what_is_not_strict_json_is_refused(host: Any, raw: bytes) -> None:
    answer = await host.client().post(ROLL, content=raw, headers={"content-type": "application/json"})
    assert code(answer) == (400, "BAD_REQUEST")


async def test_too_many_arguments_are_refused(host: Any) -> None:
    assert code(await run(host, "echo", {"a": "x" * 1024 * 1024})) == (413, "PAYLOAD_TOO_LARGE")


# ---- commands that fail ----


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("fail", "ValueError: no dice in the cup"),
        ("leave", "SystemExit: 3"),
        ("nan", "not JSON"),
        ("object", "not JSON"),
        ("loop", "not JSON"),
        ("deep", "not JSON"),
        ("surrogate", "not JSON"),
        ("bytes", "not JSON"),
        ("huge", "larger than"),
    ],
)
async def test_a_command_that_fails_is_reported(host: Any, name: str, word: str) -> None:
    answer = await run(host, name)
    assert code(answer) == (502, "EXTENSION_FAILED")
    message = answer.json()["error"]["message"]
    assert word in message
    assert f"'{name}'" in message
    assert "'dice'" in message
    await host.settle()
    assert (finished(host).success, finished(host).error) == (False, message)


@pytest.mark.parametrize("name", ["malformed", "remote", "endless"])
async def test_a_schema_that_cannot_be_used_is_the_extensions_fault(host: Any, name: str) -> None:
    answer = await run(host, name, {"a": 1})
    assert code(answer) == (502, "EXTENSION_FAILED")
    assert "its input schema cannot be used" in answer.json()["error"]["message"]


async def test_a_command_that_hangs_is_cancelled(host: Any, seen: Seen) -> None:
    answer = await run(host, "hang")
    assert code(answer) == (504, "EXTENSION_TIMEOUT")
    assert "took over 0.02 s" in answer.json()["error"]["message"]
    assert seen.cancelled.is_set()
    await host.settle()
    assert not finished(host).success


async def test_who_goes_away_cancels_the_command(host: Any, seen: Seen) -> None:
    task = asyncio.create_task(run(host, "wait"))
    await seen.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen.cancelled.is_set()
    await host.settle()
    assert (finished(host).success, finished(host).error) == (False, "cancelled: whoever asked for it went away")


async def test_after_all_that_the_next_command_runs(host: Any) -> None:
    for name in ("leave", "hang", "loop"):
        await run(host, name)
    assert data(await run(host, "echo", {"a": 1})) == {"a": 1}


async def test_hops_go_on_counting(host: Any, store: Store) -> None:
    somebody = Principal(kind="agent", id="a", name="a")
    await host.services[CommandRunner].run("dice", "roll", {"count": 1}, somebody, hops=4)
    assert store.written[0][3] == 5


# ---- who and what ----


@pytest.mark.parametrize(
    ("role", "expected"),
    [("admin", 200), ("user", 200), ("viewer", 403), (None, 401)],
)
async def test_who_may_run_commands(host: Any, role: str | None, expected: int) -> None:
    assert (await run(host, "echo", {}, role)).status_code == expected


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (["write"], 200),
        (["extension_commands:write"], 200),
        (["extensions:read"], 403),
        (["read"], 403),
        (["devices:write"], 403),
    ],
)
async def test_what_a_key_must_be_good_for(host: Any, scopes: list[str], expected: int) -> None:
    answer = await host.client(scopes=scopes).post("/api/extensions/dice/commands/echo")
    assert answer.status_code == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nobody/commands/roll", "EXTENSION_NOT_FOUND"),
        ("dice/commands/nothing-such", "COMMAND_NOT_FOUND"),
        ("extension_admin/commands/roll", "COMMAND_NOT_FOUND"),
        ("dice/commands/..%2F..", "COMMAND_NOT_FOUND"),
    ],
)
async def test_what_is_not_there(host: Any, path: str, expected: str) -> None:
    assert code(await host.client().post(f"/api/extensions/{path}")) == (404, expected)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.FAILED_AT_RUN, (409, "CONFLICT")),
        (Status.BLOCKED, (409, "CONFLICT")),
        (Status.FOUND, (503, "SERVICE_UNAVAILABLE")),
    ],
)
async def test_what_does_not_run_says_why(host: Any, status: Status, expected: tuple[int, str]) -> None:
    record = host.host.board.get("dice")
    host.host.board.move(record, status, "the cup is empty")
    answer = await run(host, "roll", {"count": 1})
    assert code(answer) == expected
    error = answer.json()["error"]
    assert f"{status.value}: the cup is empty" in error["message"]
    assert error["details"] == {"extension_id": "dice", "status": status.value, "reason": "the cup is empty"}
    assert answer.headers.get("retry-after") == ("2" if status is Status.FOUND else None)
