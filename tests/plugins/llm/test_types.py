"""Types of backends, and servers that are not configured yet."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import jsonschema
import pytest

from neomind_sdk import Capabilities, LLMError

from .conftest import HANGS, KEY, PATH, BoxConfig, Kind, Lab, code, data, kinds_plugin, lab_with, said


async def test_the_list_of_types(lab: Lab) -> None:
    lab.kind.supports_thinking = lab.kind.supports_multimodal = True
    found = data(await lab.api.get(f"{PATH}/types"))
    assert ([one["id"] for one in found["types"]], found["count"]) == (["box", "brain"], 2)
    box, brain = ({key: one[key] for key in one if key != "config_schema"} for one in found["types"])
    assert brain == {
        "id": "brain",
        "name": "Brain",
        "name_zh": "大脑",
        "description": "Thinks",
        "description_zh": "Thinks",
        "icon": "brain",
        "default_model": "brain-1",
        "default_endpoint": "https://brain.example/v1",
        "requires_api_key": True,
        "supports_streaming": True,
        "supports_thinking": True,
        "supports_multimodal": True,
    }
    assert [box[f"supports_{name}"] for name in ("streaming", "thinking", "multimodal")] == [True, False, False]


async def test_the_schema_of_a_type(lab: Lab) -> None:
    found = data(await lab.api.get(f"{PATH}/types/brain/schema"))
    schema = found["schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert (found["backend_type"], schema["required"]) == ("brain", ["name", "api_key"])
    properties = schema["properties"]
    assert properties["backend_type"]["enum"] == ["brain"]
    assert properties["endpoint"]["default"] == "https://brain.example/v1"
    assert properties["model"]["default"] == "brain-1"
    assert [key for key, value in properties.items() if value.get("x_secret")] == ["api_key", "headers"]
    assert (properties["temperature"]["maximum"], properties["top_p"]["maximum"]) == (2, 1)
    assert schema["ui_hints"]["field_order"][:5] == ["name", "backend_type", "endpoint", "model", "api_key"]
    assert {"display_names", "placeholders"} < schema["ui_hints"].keys()
    listed = {one["id"]: one["config_schema"] for one in data(await lab.api.get(f"{PATH}/types"))["types"]}
    assert listed["brain"] == schema
    assert listed["box"]["required"] == ["name"]


async def test_what_fits_the_schema_is_taken(lab: Lab) -> None:
    schema = data(await lab.api.get(f"{PATH}/types/brain/schema"))["schema"]
    body = {"name": "n", "backend_type": "brain", "model": "m", "api_key": KEY, "region": "us", "thinking_effort": None}
    jsonschema.validate(body, schema)
    data(await lab.api.post(PATH, json=body))


async def test_a_type_that_is_not_there(lab: Lab) -> None:
    assert code(await lab.api.get(f"{PATH}/types/tarot/schema")) == (404, "LLM_BACKEND_TYPE_NOT_FOUND")


@attrs.frozen(kw_only=True)
class NoModel:
    endpoint: str


@attrs.frozen(kw_only=True)
class Broken:
    endpoint: str
    model: str
    what: NobodyKnows  # noqa: F821


@pytest.mark.parametrize("config", [dict, NoModel, Broken])
async def test_a_type_that_cannot_be_used_harms_nobody(config: Any) -> None:
    bad = kinds_plugin(Kind("bad", config), name="llm_bad")
    async with lab_with(bad) as lab:
        assert [one["id"] for one in data(await lab.api.get(f"{PATH}/types"))["types"]] == ["box", "brain"]
        answer = await lab.api.post(PATH, json={"name": "n", "backend_type": "bad", "model": "m"})
        assert code(answer) == (400, "BAD_REQUEST")


@attrs.frozen(kw_only=True)
class Touchy:
    endpoint: str
    model: str
    api_key: str = ""

    def __attrs_post_init__(self) -> None:
        raise RuntimeError(f"no {self.api_key}")


async def test_a_configuration_class_that_raises() -> None:
    async with lab_with(kinds_plugin(Kind("bad", Touchy), name="llm_bad")) as lab:
        body = {"name": "n", "backend_type": "bad", "model": "m", "api_key": KEY}
        answer = await lab.api.post(PATH, json=body)
        assert code(answer) == (409, "CONFLICT")
        assert KEY not in answer.text


async def test_a_type_that_cannot_be_opened(lab: Lab) -> None:
    def fails(config: Any, egress: Any) -> Any:
        raise RuntimeError(f"no {config.api_key}")

    ident = await lab.active()
    lab.kind.open = fails
    assert (await lab.show(ident))["available"] is True  # it is open
    await lab.put(ident, region="us")
    shown = await lab.show(ident)
    assert (shown["available"], shown["reason"]) == (False, "it cannot be opened: RuntimeError: no ***")
    result = data(await lab.api.post(f"{PATH}/{ident}/test"))["result"]
    assert (result["success"], KEY in result["error"]) == (False, False)


# ---- servers ----


class Server(Kind):
    """A type whose servers can tell what they have."""

    def __init__(self) -> None:
        super().__init__("server", BoxConfig)
        self.has: Any = [{"name": "llava", "supports_multimodal": True}]
        self.asked: list[Any] = []

    async def models(self, endpoint: str | None, api_key: str | None, egress: Any) -> Any:
        self.asked.append((endpoint, api_key, egress))
        return await said(self.has)

    server_info = models


@pytest.fixture
async def server() -> Any:
    kind = Server()
    async with lab_with(kinds_plugin(kind, name="llm_server"), settings={"llm": {"probe_timeout_s": 2}}) as lab:
        lab.server = kind
        yield lab


async def test_the_models_of_a_server(server: Any) -> None:
    found = data(await server.api.get(f"{PATH}/server/models", params={"endpoint": "http://10.0.0.9:11434"}))
    assert found == {"models": [{"name": "llava", "supports_multimodal": True}], "count": 1}
    assert server.server.asked[0][:2] == ("http://10.0.0.9:11434", None)
    data(await server.api.get(f"{PATH}/server/models"))
    assert server.server.asked[1][0] is None
    assert server.egress.checked == ["http://10.0.0.9:11434"]


async def test_what_a_server_says_of_itself(server: Any) -> None:
    server.server.has = {"status": "ok", "server": {"n_ctx": 4096}}
    found = data(await server.api.get(f"{PATH}/server/server-info", params={"api_key": KEY}))
    assert found == {"status": "ok", "server": {"n_ctx": 4096}}
    assert server.server.asked[0][1] == KEY


@pytest.mark.parametrize(
    ("has", "reason"),
    [
        (LLMError("connect", f"refused {KEY}"), "connect: refused ***"),
        (RuntimeError("bug"), "RuntimeError"),
        ([Capabilities()], "could not be asked"),
        ("llava", "return a list of models"),
        ([{"name": object()}], "could not be asked"),
    ],
)
async def test_a_server_that_cannot_be_asked(server: Any, has: Any, reason: str) -> None:
    server.server.has = has
    answer = await server.api.get(f"{PATH}/server/models", params={"api_key": KEY})
    assert code(answer) == (400, "BAD_REQUEST")
    assert reason in answer.json()["error"]["message"]
    assert KEY not in answer.text


async def test_a_server_that_does_not_answer(server: Any) -> None:
    server.server.has = HANGS
    asking = asyncio.ensure_future(server.api.get(f"{PATH}/server/models"))
    await server.clock.advance(2)
    answer = await asking
    assert (code(answer), "timeout" in answer.text) == ((400, "BAD_REQUEST"), True)


async def test_a_server_that_may_not_be_reached(server: Any) -> None:
    server.egress.block("http://169.254.")
    answer = await server.api.get(f"{PATH}/server/models", params={"endpoint": "http://169.254.169.254"})
    assert code(answer) == (422, "EGRESS_BLOCKED")
    assert server.server.asked == []


@pytest.mark.parametrize("path", ["brain/models", "brain/server-info", "ollama/models", "llamacpp/server-info"])
async def test_types_that_cannot_tell_or_are_not_there(lab: Lab, path: str) -> None:
    answer = await lab.api.get(f"{PATH}/{path}")
    assert code(answer) == (400, "BAD_REQUEST")
