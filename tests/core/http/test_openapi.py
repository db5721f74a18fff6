"""The description is derived from the routes that are served, and from nothing else."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
import jsonschema
import pytest

from neomind_core.host.config import HostConfig
from neomind_core.host.http.app import HttpConfig
from neomind_core.host.http.schema import json_schema
from neomind_sdk import ADMIN, Alias, RateLimit, Reply, SocketRoute, fields


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


@attrs.frozen(kw_only=True)
class Part:
    """A part of something."""

    name: str = fields.text(min=1, max=10, pattern="[a-z]+", doc="How it is called")
    size: int | None = fields.number(ge=0, le=5, default=None)
    made: int = attrs.field(init=False, default=1)


@attrs.frozen(kw_only=True)
class Order:
    parts: list[Part]
    level: Level = Level.LOW
    kind: Literal["a", "b"] | None = None
    token: str | None = fields.secret(default=None)
    extra: dict[str, Any] = attrs.field(factory=dict)
    anything: Any = None
    mixed: int | str = 5
    file: Path = Path()


@attrs.frozen(kw_only=True)
class Tree:
    value: float
    children: list[Tree] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Options:
    limit: int = fields.number(ge=1, le=100, default=10)
    name: list[str] = attrs.field(factory=list)
    level: Level | None = None
    since: float | None = None
    until: float


class Other:
    """Classes of names that others have too."""

    Part = attrs.make_class("Part", {"other": attrs.field(type=int)})
    Failure = attrs.make_class("Failure", {"mine": attrs.field(type=str)})
    Meta = attrs.make_class("Meta", {"mine": attrs.field(type=bool)})


@pytest.fixture
def described(edge):
    async def read(*routes, schemes=(), **more):
        async with edge.serving(*routes, schemes=schemes, **more) as host:
            answer = await host.client(None).get("/api/openapi.json")
            assert answer.json() == host.host.api.openapi()
        document = answer.json()
        check(document)
        return document

    return read


def check(document):
    """What a reader of OpenAPI relies on: references that lead somewhere, schemas, ids, declared parameters."""
    assert document["openapi"] == "3.1.0"
    text = json.dumps(document)
    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        assert part.split('"')[0] in document["components"]["schemas"]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    ids = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method.startswith("x-"):
                continue
            ids.append(operation["operationId"])
            names = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
            assert all(f"{{{name}}}" in path for name in names)
            assert path.count("{") == len(names)
            assert {name for one in operation["security"] for name in one} <= set(
                document["components"]["securitySchemes"]
            )
    assert len(ids) == len(set(ids))


def fits(document, schema, value):
    whole = {**schema, "components": document["components"]}
    return jsonschema.Draft202012Validator(whole).is_valid(value)


def answer_schema(document, path="/api/trial", method="get", status="200"):
    return document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]


async def test_exactly_what_is_served(edge, described):
    async def live(socket, request):
        return None

    routes = [
        edge.route(path="/things"),
        edge.route(path="/things", method="POST"),
        edge.route(path="/things/{thing_id}"),
        edge.route(path="/things/{other}", method="PUT"),
        edge.route(path="/files/{name:path}"),
        SocketRoute(path="/things", handler=live, scope="public", summary="Live"),
        Alias(path="/old", target="/things", subtree=True),
    ]
    document = await described(*routes)
    found = {(path, method) for path, item in document["paths"].items() for method in item}
    assert found == {
        ("/api/things", "get"),
        ("/api/things", "post"),
        ("/api/things", "x-websocket"),
        ("/api/things/{other}", "put"),
        ("/api/things/{other}", "get"),
        ("/api/files/{name}", "get"),
        ("/api/old", "get"),
        ("/api/old", "post"),
        ("/api/old", "x-websocket"),
        ("/api/old/{other}", "put"),
        ("/api/old/{other}", "get"),
    }
    assert document["paths"]["/api/old"]["get"]["deprecated"] is True
    assert "deprecated" not in document["paths"]["/api/things"]["get"]
    assert document["paths"]["/api/things"]["get"]["tags"] == ["trial"]


async def test_ids_are_told_apart(edge, described):
    await described(*(edge.route(path=path) for path in ("/a-b", "/a/b", "/a.b", "/a/{b}", "/a_b")))


async def test_it_follows_what_is_served(edge):
    async with edge.serving(edge.route()) as host:
        client = host.client(None)
        assert list((await client.get("/api/openapi.json")).json()["paths"]) == ["/api/trial"]
        host.host.api.set_routes([])
        assert (await client.get("/api/openapi.json")).json()["paths"] == {}
        host.host.api.set_schemes([])
        assert (await client.get("/api/openapi.json")).json()["components"]["securitySchemes"] == {}


async def test_the_document_itself(edge, answered):
    async with edge.serving() as host:
        client = host.client(None)
        head = await client.head("/api/openapi.json")
        assert (head.status_code, head.content) == (200, b"")
        refused = await client.post("/api/openapi.json")
        assert answered(refused) == (405, "METHOD_NOT_ALLOWED")
        assert refused.headers["allow"] == "GET, HEAD"
        head, body = await client.head("/api/openapi.json"), await client.get("/api/openapi.json")
        assert body.headers["content-type"] == "application/json"


async def test_a_body(edge, described):
    document = await described(edge.route(method="POST", body=Order, body_required=True))
    body = document["paths"]["/api/trial"]["post"]["requestBody"]
    assert body["required"] is True
    schema = body["content"]["application/json"]["schema"]
    good = {"parts": [{"name": "abc", "size": None}], "level": "high", "kind": None, "mixed": "x", "anything": [None]}
    assert fits(document, schema, good)
    assert fits(document, schema, {"parts": []})
    wrong = [
        {},
        {"parts": [{}]},
        {"parts": [{"name": ""}]},
        {"parts": [{"name": "ABC"}]},
        {"parts": [{"name": "a", "size": 6}]},
        {"parts": [], "level": "LOW"},
        {"parts": [], "kind": "c"},
        {"parts": [], "mixed": None},
        {"parts": [], "extra": []},
        {"parts": [], "file": 5},
    ]
    assert [one for one in wrong if fits(document, schema, one)] == []
    parts = document["components"]["schemas"]
    assert parts["Part"]["properties"]["name"]["description"] == "How it is called"
    assert parts["Part"]["description"] == "A part of something."
    assert "made" not in parts["Part"]["properties"]
    assert parts["Order"]["properties"]["token"]["writeOnly"] is True


async def test_bodies_of_other_kinds(edge, described):
    routes = [
        edge.route(method="POST", path="/any"),
        edge.route(method="POST", path="/bytes", body=bytes, accepts=("image/png", "text/plain")),
        edge.route(method="POST", path="/everything", body=bytes, accepts=()),
        edge.route(method="DELETE", path="/nothing"),
        edge.route(method="DELETE", path="/something", body=Part),
    ]
    paths = (await described(*routes))["paths"]
    assert paths["/api/any"]["post"]["requestBody"]["content"] == {"application/json": {"schema": {}}}
    assert set(paths["/api/bytes"]["post"]["requestBody"]["content"]) == {"image/png", "text/plain"}
    assert set(paths["/api/everything"]["post"]["requestBody"]["content"]) == {"*/*"}
    assert "requestBody" not in paths["/api/nothing"]["delete"]
    assert "requestBody" in paths["/api/something"]["delete"]


async def test_a_query(edge, described):
    document = await described(edge.route(query=Options, path="/trial/{item}"))
    parameters = {one["name"]: one for one in document["paths"]["/api/trial/{item}"]["get"]["parameters"]}
    assert {name: (one["in"], one["required"]) for name, one in parameters.items()} == {
        "item": ("path", True),
        "limit": ("query", False),
        "name": ("query", False),
        "level": ("query", False),
        "since": ("query", False),
        "until": ("query", True),
    }
    assert parameters["limit"]["schema"] == {
        "type": "integer",
        "format": "int64",
        "minimum": 1,
        "maximum": 100,
        "default": 10,
    }
    assert parameters["name"]["schema"] == {"type": "array", "items": {"type": "string"}}
    assert parameters["level"]["schema"] == {"enum": ["low", "high"]}
    assert parameters["since"]["schema"] == {"type": "number"}


async def test_answers(edge, described):
    @attrs.frozen
    class Given:
        order: Order
        tree: Tree
        by_name: Mapping[str, Part | None]
        pair: tuple[int, ...] = ()

    async def handler(request):
        order = Order(parts=[Part(name="a")])
        return Reply(data=Given(order, Tree(value=1, children=[Tree(value=2)]), {"a": None}, (1,)), status=201)

    route = edge.route(handler, response=Given, status=201)
    document = await described(route)
    async with edge.serving(route) as host:
        answer = (await host.client(None).get("/api/trial")).json()
    schema = answer_schema(document, status="201")
    assert fits(document, schema, answer)
    for path in (["data"], ["meta"], ["data", "order", "parts"], ["data", "tree", "children", 0, "value"], ["success"]):
        broken = json.loads(json.dumps(answer))
        *way, last = path
        inner = broken
        for step in way:
            inner = inner[step]
        del inner[last]
        assert not fits(document, schema, broken), path
    del answer["data"]["order"]["kind"]
    assert fits(document, schema, answer)


async def test_an_answer_of_nothing_in_particular(edge, described):
    document = await described(edge.route(response=None), edge.route(response=type(None), path="/null"))
    envelope = {"success": True, "meta": {"timestamp": "x", "request_id": "y"}}
    assert fits(document, answer_schema(document), envelope)
    assert fits(document, answer_schema(document), {**envelope, "data": 5})
    assert not fits(document, answer_schema(document), {**envelope, "success": False})
    assert not fits(document, answer_schema(document, "/api/null"), {**envelope, "data": 5})


async def test_answers_outside_the_envelope(edge, described):
    document = await described(edge.route(produces="image/png"))
    assert set(document["paths"]["/api/trial"]["get"]["responses"]["200"]["content"]) == {"image/png"}


async def test_errors_by_status(edge, described):
    async with edge.serving() as host:
        failure = (await host.client(None).get("/api/nothing")).json()
    document = await described(
        edge.route(errors=("CONFLICT", "DEVICE_NOT_FOUND"), scope=ADMIN, limit=RateLimit(hits=1)),
        edge.route(path="/public/{x}"),
        edge.route(path="/post", method="POST"),
    )

    def statuses(path, method="get"):
        return set(document["paths"][f"/api{path}"][method]["responses"])

    host_codes = {"200", "400", "408", "422", "503"}
    assert statuses("/trial") == host_codes | {"401", "403", "404", "409", "429"}
    assert statuses("/public/{x}") == host_codes | {"404"}
    assert statuses("/post", "post") == host_codes | {"413", "415"}
    responses = document["paths"]["/api/trial"]["get"]["responses"]
    assert responses["404"]["description"] == "DEVICE_NOT_FOUND"
    assert fits(document, answer_schema(document, status="409"), failure)


async def test_a_ceiling_is_told(edge, described):
    document = await described(edge.route(), config=HostConfig(http=HttpConfig(requests_per_minute=9)))
    assert "429" in document["paths"]["/api/trial"]["get"]["responses"]


async def test_security(edge, described, scheme):
    routes = [
        edge.route(path="/public"),
        edge.route(path="/known", identify=True),
        edge.route(path="/private", scope="devices:read"),
    ]
    document = await described(*routes, schemes=[scheme("one", 1, None)])
    assert document["components"]["securitySchemes"]["one"] == {"type": "http", "scheme": "bearer"}
    some = [{"test": []}, {"one": []}]
    security = {path: item["get"]["security"] for path, item in document["paths"].items()}
    assert security == {"/api/public": [], "/api/known": [{}, *some], "/api/private": some}
    assert document["paths"]["/api/private"]["get"]["x-scope"] == "devices:read"


async def test_names_that_collide(edge, described):
    routes = [
        edge.route(path=f"/r{at}", method="POST", body=kind, response=kind)
        for at, kind in enumerate((Part, Other.Part, Other.Failure, Other.Meta))
    ]
    document = await described(*routes)
    assert "error" in document["components"]["schemas"]["Failure"]["properties"]
    for at, value in enumerate(({"name": "a"}, {"other": 1}, {"mine": "x"}, {"mine": True})):
        body = document["paths"][f"/api/r{at}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert fits(document, body, value)
        data = answer_schema(document, f"/api/r{at}", "post")["properties"]["data"]
        assert fits(document, data, {**value, "size": None, "made": 1})
        others = [{"name": "a"}, {"other": 1}, {"mine": "x"}, {"mine": True}]
        assert sum(fits(document, body, other) for other in others) == 1


async def test_a_class_that_contains_itself(edge, described):
    document = await described(edge.route(method="POST", body=Tree))
    body = document["paths"]["/api/trial"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert fits(document, body, {"value": 1, "children": [{"value": 2, "children": []}]})
    assert not fits(document, body, {"value": 1, "children": [{"value": "x"}]})


async def test_one_plugins_mistake_does_not_take_the_document_away(edge, described, logged):
    broken = attrs.make_class("Broken", {"a": attrs.field(type="NoSuchType")})
    document = await described(edge.route(response=broken), edge.route(path="/other", response=Part))
    assert fits(
        document, answer_schema(document, "/api/other")["properties"]["data"], {"name": "a", "size": 1, "made": 1}
    )
    assert "NoSuchType" in next(event["problem"] for event in logged if event["event"] == "types_not_described")


def test_a_schema_for_forms():
    schema = json_schema(Order)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"parts": [{"name": "a"}]})
    assert not validator.is_valid({"parts": [{"name": 5}]})
    assert "$defs" not in json_schema(Part)
    assert jsonschema.Draft202012Validator(json_schema(Tree)).is_valid({"value": 1, "children": [{"value": 2}]})
