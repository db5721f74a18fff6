"""What is shown of plugins."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_sdk import Health, HealthCheck, OutputMetric, Plugin, Status, Step, Storage, hookimpl
from neomind_sdk.public import public
from neomind_sdk.testing import make_host

from .conftest import code, command, data, extension

SECRET_PATH = "/srv/neomind/secret/place/db.sqlite"


async def nothing(args: Any, call: Any) -> None:
    return None


async def broken() -> None:
    raise RuntimeError(f"cannot open {SECRET_PATH}: postgres://neo:hunter2@db/x")


ROLL = command(
    "roll",
    nothing,
    description="Rolls dice",
    input_schema={"type": "object", "properties": {"count": {"type": "integer"}}},
    outputs=(OutputMetric(name="total", data_type="Integer", unit="eyes", min=1),),
    timeout_s=5.0,
)


async def by_id(host: Any, role: str | None = None) -> dict[str, Any]:
    return {row["id"]: row for row in data(await host.client(role).get("/api/extensions"))}


async def test_everybody_may_see_all_plugins() -> None:
    async with make_host(extension_admin, extension(commands=[ROLL]), storage=False) as host:
        answer = await host.client(None).get("/api/extensions")
        rows = data(answer)
        assert [row["id"] for row in rows] == ["dice", "extension_admin", "test_login"]
        assert answer.json()["meta"]["count"] == 3
        dice, ours, _ = rows
    assert dice["name"] == "dice"
    assert (dice["state"], dice["status"], dice["reason"]) == ("Running", "enabled", "running")
    assert (dice["distribution"], dice["version"], dice["first_party"]) == ("test-dice", "0.1.0", False)
    assert (dice["health_status"], dice["enabled"], dice["disabled_commands"]) == ("ok", True, [])
    assert (dice["description"], dice["author"], dice["loaded_at"], dice["last_error"]) == (
        "The dice.",
        None,
        None,
        None,
    )
    assert dice["contributions"] == {"commands": ["roll"]}
    assert dice["since"] == 1_700_000_000
    assert ours["first_party"] is True
    assert "GET /extensions" in ours["contributions"]["routes"]


async def test_commands_and_metrics_have_the_shape_of_the_contract() -> None:
    async with make_host(extension_admin, extension(commands=[ROLL]), storage=False) as host:
        row = (await by_id(host))["dice"]
        listed = data(await host.client("viewer").get("/api/extensions/dice/commands"))
    metric = {
        "name": "total",
        "display_name": "total",
        "data_type": "integer",
        "unit": "eyes",
        "description": None,
        "min": 1,
        "max": None,
        "required": False,
    }
    expected = {
        "id": "roll",
        "display_name": "roll",
        "description": "Rolls dice",
        "input_schema": {"type": "object", "properties": {"count": {"type": "integer"}}},
        "output_fields": [metric],
        "config": {"requires_auth": False, "timeout_ms": 5000, "is_stream": False, "expected_duration_ms": None},
        "disabled": False,
    }
    assert row["commands"] == listed == [expected]
    assert row["metrics"] == [metric]


async def test_a_schema_that_is_not_json_spoils_no_list() -> None:
    odd = command("odd", nothing, input_schema={"type": "object", "default": object()})
    nan = command("nan", nothing, input_schema={"minimum": math.nan})
    async with make_host(extension_admin, extension(commands=[ROLL, odd, nan]), storage=False) as host:
        row = (await by_id(host))["dice"]
    assert [one["input_schema"] for one in row["commands"]][1:] == [{}, {}]


async def test_a_plugin_that_failed_is_listed_with_its_reason() -> None:
    failing = extension("cup", start=[Step(name="open", run=broken)], commands=[ROLL])
    async with make_host(extension_admin, failing, storage=False, strict=False) as host:
        row = (await by_id(host))["cup"]
        [failed] = data(await host.client(None).get("/api/extensions?state=error"))
        full = data(await host.client("viewer").get("/api/extensions/cup"))
    assert (row["state"], row["status"], row["health_status"]) == ("Error", "failed_at_run", "error")
    assert (row["enabled"], row["commands"]) == (False, [])
    assert row["reason"] == row["last_error"] == "RuntimeError: cannot open …/db.sqlite: postgres://***@db/x"
    assert row["last_error_at"] == row["since"] > 0
    assert row["file_path"] is None
    assert failed == row
    assert SECRET_PATH in full["reason"]


async def test_it_works_where_the_storage_does_not() -> None:
    class Hooks:
        @hookimpl
        def neomind_storages(self, ctx: Any) -> Any:
            async def open_nothing(data_dir: Any, settings: Any) -> Any:
                raise OSError(28, "No space left on device")

            return [Storage(name="full", open=open_nothing)]

    storage = Plugin(name="storage_full", summary="It is full.", provides=("storage",), hooks=Hooks())
    keeper = Plugin(name="keeper", summary="Keeps things.", requires=("storage",), hooks=object())
    async with make_host(extension_admin, storage, keeper, strict=False) as host:
        rows = await by_id(host)
    assert (rows["storage_full"]["status"], rows["extension_admin"]["status"]) == ("failed_at_run", "enabled")
    assert "No space left" in rows["storage_full"]["reason"]
    assert rows["keeper"]["status"] == "missing_requirement"
    assert "No space left" in rows["keeper"]["reason"]


@pytest.mark.parametrize(
    ("status", "state", "health"),
    [
        (Status.FOUND, "Stopped", "unknown"),
        (Status.BLOCKED, "Stopped", "unknown"),
        (Status.IMPORT_ERROR, "Failed", "error"),
        (Status.CONFIG_ERROR, "Failed", "error"),
        (Status.FAILED_AT_RUN, "Error", "error"),
    ],
)
async def test_every_status_has_a_state(host: Any, status: Status, state: str, health: str) -> None:
    host.host.board.move(host.host.board.get("test_login"), status, "because")
    row = (await by_id(host))["test_login"]
    assert (row["state"], row["status"], row["reason"], row["health_status"]) == (
        state,
        status.value,
        "because",
        health,
    )
    assert row["last_error"] == ("because" if health == "error" else None)


@pytest.mark.parametrize(
    ("state", "expected"), [("RUNNING", 2), ("enabled", 2), ("Failed", 0), ("nothing", 0), ("", 2)]
)
async def test_the_list_is_filtered_by_state(host: Any, state: str, expected: int) -> None:
    assert len(data(await host.client(None).get("/api/extensions", params={"state": state}))) == expected


async def test_types(host: Any) -> None:
    rows = data(await host.client(None).get("/api/extensions/types"))
    assert [row["id"] for row in rows] == [
        "llm_provider",
        "device_protocol",
        "alert_channel_type",
        "tool",
        "generic",
    ]
    assert all(row["name"] and row["description"] for row in rows)


@pytest.mark.parametrize("path", ["", "/health", "/commands"])
async def test_details_want_a_credential(host: Any, path: str) -> None:
    assert code(await host.client(None).get(f"/api/extensions/extension_admin{path}")) == (401, "UNAUTHORIZED")
    assert (await host.client("viewer").get(f"/api/extensions/extension_admin{path}")).status_code == 200


@pytest.mark.parametrize("path", ["", "/health", "/commands", "/components"])
async def test_an_unknown_extension_is_not_found(host: Any, path: str) -> None:
    answer = await host.client("viewer").get(f"/api/extensions/nobody{path}")
    assert code(answer) == (404, "EXTENSION_NOT_FOUND")
    assert answer.json()["error"]["message"] == "Extension with id 'nobody' not found"


async def test_the_detail_says_where_it_is(host: Any) -> None:
    row = data(await host.client("viewer").get("/api/extensions/extension_admin"))
    assert row["file_path"] == "neomind_plugins.extension_admin"


# ---- health ----


def check(name: str, run: Any) -> HealthCheck:
    return HealthCheck(name=name, check=run)


async def test_health_asks_all_checks() -> None:
    async def well() -> Health:
        return Health(ok=True, detail="warm")

    async def ill() -> Health:
        raise SystemExit("cold")

    async with make_host(extension_admin, extension(health=[check("a", well), check("b", ill)]), storage=False) as host:
        answer = data(await host.client("viewer").get("/api/extensions/dice/health"))
    assert (answer["extension_id"], answer["healthy"], answer["status"]) == ("dice", False, "enabled")
    assert answer["checks"] == {"a": {"ok": True, "detail": "warm"}, "b": {"ok": False, "detail": "SystemExit: cold"}}


async def test_a_check_that_hangs_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neomind_sdk.foreign.HEALTH_S", 0.02)

    async def hang() -> Health:
        await asyncio.Event().wait()
        raise AssertionError

    async with make_host(extension_admin, extension(health=[check("slow", hang)]), storage=False) as host:
        answer = data(await host.client("viewer").get("/api/extensions/dice/health"))
    assert answer["checks"]["slow"]["ok"] is False
    assert "took over 0.02 s" in answer["checks"]["slow"]["detail"]


async def test_a_plugin_without_checks_is_healthy_while_it_runs(host: Any) -> None:
    client = host.client("viewer")
    assert data(await client.get("/api/extensions/extension_admin/health"))["healthy"] is True
    host.host.board.move(host.host.board.get("test_login"), Status.BLOCKED, "named in the block list")
    host.host.board.get("test_login").contributions = {}
    answer = data(await client.get("/api/extensions/test_login/health"))
    assert (answer["healthy"], answer["status"], answer["reason"]) == (False, "blocked", "named in the block list")


# ---- reasons for everybody ----


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot import name 'x' from 'y' (/usr/lib/python3/y.py)", "cannot import name 'x' from 'y' (…/y.py)"),
        ("[Errno 13] Permission denied: '/data/extensions/a.py'", "[Errno 13] Permission denied: '…/a.py'"),
        (
            "both contribute the route 'GET /devices/{device_id}'",
            "both contribute the route 'GET /devices/{device_id}'",
        ),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("amqp://u:p@host/v failed", "amqp://***@host/v failed"),
        ("needs neomind-sdk >=2/3", "needs neomind-sdk >=2/3"),
        ("running", "running"),
    ],
)
def test_public_reasons(text: str, expected: str) -> None:
    assert public(text) == expected
