"""Commands under their older paths, and what is worked out here."""

from __future__ import annotations

import pytest

from neomind_plugins.compat import plugin as compat
from neomind_plugins.compat.service import check_type
from neomind_sdk import ExtensionCommand, Plugin, TransportStatus, hookimpl
from neomind_sdk.testing import make_host
from neomind_sdk.testing.marks import needs

from .conftest import PUMP, TYPE, beside, data


class Dice:
    @hookimpl
    def neomind_commands(self, ctx):
        async def roll(args, call):
            return {"sides": args["sides"], "by": call.principal.name}

        schema = {"type": "object", "properties": {"sides": {"type": "integer"}}, "required": ["sides"]}
        return [ExtensionCommand(name="roll", run=roll, input_schema=schema)]


@pytest.fixture
async def dice():
    from neomind_plugins.extension_admin import plugin as extension_admin

    async with make_host(compat, extension_admin, Plugin(name="dice", summary="Rolls.", hooks=Dice())) as host:
        yield host.client("user")


@needs("extension_admin")
class TestExtensionCommands:
    async def test_command(self, dice):
        answer = await dice.post("/api/extensions/dice/command", json={"command": "roll", "args": {"sides": 6}})
        page = await dice.post("/api/extensions/dice/commands/roll", json={"sides": 6})
        assert await data(answer) == await data(page) == {"sides": 6, "by": "user"}

    @pytest.mark.parametrize("key", ["params", "args"])
    async def test_invoke(self, dice, key):
        answer = await dice.post("/api/extensions/dice/invoke", json={"command": "roll", key: {"sides": 6}})
        found = await data(answer)
        assert isinstance(found.pop("timestamp"), int)
        assert found == {"extension_id": "dice", "command": "roll", "result": {"sides": 6, "by": "user"}}

    @pytest.mark.parametrize("path", ["command", "invoke"])
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"command": "jump"}, 404, "COMMAND_NOT_FOUND"),
            ({"command": "roll"}, 422, "VALIDATION_ERROR"),
            ({"command": ""}, 422, "VALIDATION_ERROR"),
            ({"command": "x" * 257}, 422, "VALIDATION_ERROR"),
            ({"args": {}}, 422, "VALIDATION_ERROR"),
            ({"command": "roll", "args": [6]}, 422, "VALIDATION_ERROR"),
        ],
    )
    async def test_what_is_wrong_is_said(self, dice, path, body, status, code):
        answer = await dice.post(f"/api/extensions/dice/{path}", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)

    async def test_an_extension_that_is_not_there(self, dice):
        answer = await dice.post("/api/extensions/nobody/command", json={"command": "roll"})
        assert answer.json()["error"]["code"] == "EXTENSION_NOT_FOUND"


async def test_without_the_plugin_it_is_404_and_no_503_that_clients_repeat(alone):
    client = alone.client()
    for path, body in [("extensions/x/command", {"command": "y"}), ("devices/x/command/y", {})]:
        answer = await client.post(f"/api/{path}", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["extensions/x/command", "devices/x/command/y"])
async def test_a_viewer_gives_no_commands(alone, path):
    answer = await alone.client("viewer").post(f"/api/{path}", json={"command": "y"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "INSUFFICIENT_PERMISSIONS")


class Line:
    """A transport that takes every command."""

    name = "line"
    adapter_types = ("mqtt",)

    def __init__(self):
        self.sent = []
        self.plugin = Plugin(name="line", summary="Takes commands.", hooks=self)

    @hookimpl
    def neomind_transports(self, ctx):
        return [self]

    async def status(self):
        return TransportStatus(connected=True)

    async def send(self, downlink):
        self.sent.append(downlink)


@needs("commands", "devices", "telemetry", "transport_webhook")
class TestDeviceCommands:
    @pytest.fixture
    async def client(self):
        async with beside("commands", "devices", "telemetry", "transport_webhook") as host:
            client = host.client("user")
            await data(await client.post("/api/devices/types", json=TYPE))
            await data(await client.post("/api/devices", json=PUMP))
            yield client

    @pytest.mark.parametrize("body", [{"params": {"seconds": 5}}, {"params": {"seconds": "x"}}, {"params": {}}])
    async def test_it_is_checked_and_refused_as_by_control(self, client, body):
        here = (await client.post("/api/devices/p1/command/run", json=body)).json()
        page = (await client.post("/api/devices/p1/control", json={"command": "run", **body})).json()
        assert {**here["error"], "request_id": ""} == {**page["error"], "request_id": ""}

    async def test_it_goes_out(self):
        line = Line()
        async with beside("commands", "devices", "telemetry", more=[line.plugin]) as host:
            client = host.client("user")
            await data(await client.post("/api/devices/types", json=TYPE))
            await data(await client.post("/api/devices", json={**PUMP, "adapter_type": "mqtt"}))
            answer = await data(await client.post("/api/devices/p1/command/run", json={"params": {"seconds": 5}}))
            assert (answer["device_id"], answer["command"], answer["sent"]) == ("p1", "run", True)
            assert [(downlink.command_id, downlink.command) for downlink in line.sent] == [
                (answer["command_id"], "run")
            ]
            history = await data(await client.get("/api/devices/p1/commands"))
            assert [row["command_id"] for row in history["commands"]] == [answer["command_id"]]

    async def test_a_device_that_is_not_there(self, client):
        answer = await client.post("/api/devices/nobody/command/run")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "DEVICE_NOT_FOUND")


class TestTypeCheck:
    async def test_over_http(self, alone):
        client = alone.client()
        assert (await data(await client.put("/api/device-types", json=TYPE)))["valid"] is True
        found = await data(await client.put("/api/device-types", json={"device_type": "a b"}))
        assert (found["valid"], len(found["errors"])) == (False, 2)

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ([], "JSON object"),
            ({**TYPE, "device_type": "a b"}, "device_type"),
            ({**TYPE, "device_type": 1}, "device_type"),
            ({**TYPE, "name": " "}, "name"),
            ({**TYPE, "metrics": {}}, None),
            ({**TYPE, "metrics": "x"}, "metrics"),
            ({**TYPE, "metrics": [{"name": ""}]}, "metrics[0].name"),
            ({**TYPE, "metrics": ["x"]}, "metrics[0].name"),
            ({**TYPE, "metrics": [{"name": "a"}, {"name": "a"}]}, "'a' is there 2 times"),
            ({**TYPE, "commands": [{}]}, "commands[0].name"),
        ],
    )
    def test_problems(self, body, problem):
        found = check_type(body)
        assert found.valid is (problem is None)
        assert [problem in error for error in found.errors] == [True] * (problem is not None)

    def test_no_metrics_is_a_warning(self):
        found = check_type({"device_type": "x", "name": "X"})
        assert (found.valid, len(found.warnings)) == (True, 1)


class TestOnboarding:
    @needs("devices")
    async def test_what_was_done(self):
        async with beside("devices") as host:
            client = host.client()
            before = await data(await client.get("/api/onboarding/status"))
            assert before["steps"] == {"llm": {"completed": False}, "device": {"completed": False}}
            await data(await client.post("/api/devices/types", json=TYPE))
            await data(await client.post("/api/devices", json=PUMP))
            after = await data(await client.get("/api/onboarding/status"))
            assert after["system_status"] == {"has_llm_backend": False, "has_devices": True, "device_count": 1}
            stranger = await data(await host.client(None).get("/api/onboarding/status"))
            assert stranger["system_status"]["device_count"] == 0

    async def test_hints_are_dismissed_and_come_back(self, alone):
        client = alone.client()
        for word, dismissed in [("dismiss", True), ("reset", False)]:
            await data(await client.post(f"/api/onboarding/{word}"))
            assert (await client.get("/api/onboarding/status")).json()["dismissed"] is dismissed
        assert (await alone.client(None).post("/api/onboarding/dismiss")).status_code == 401
