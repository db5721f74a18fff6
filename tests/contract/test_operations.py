"""Every operation of the page: served, described, guarded as it says, and in the envelope whatever comes of it."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from .conftest import data
from .operations import CHECKS_ITSELF, OPERATIONS, PUBLIC, WILDCARDS
from .world import World, key_with

pytestmark = pytest.mark.asyncio(loop_scope="module")
STREAMS = {"GET /events"}


def each(*, but=frozenset(), auth=None, methods=None):
    """A test for each operation, skipped where those who serve it are missing."""
    chosen = [
        pytest.param(one, marks=pytest.mark.needs(*one.plugins), id=one.name)
        for one in OPERATIONS
        if one.name not in but and auth in (None, one.auth) and (methods is None or one.method in methods)
    ]
    return pytest.mark.parametrize("operation", chosen)


def described(platform, operation):
    """The operation in the OpenAPI document, whatever its parameters are called there."""
    shape = operation.shape
    for pattern, instance in WILDCARDS.items():
        shape = shape.replace(pattern, instance)
    paths = platform.host.host.api.openapi()["paths"]
    found = {re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api")): path for path in paths}
    reasons = {info.name: info.reason for info in platform.host.host.plugins() if info.status.value != "enabled"}
    assert shape in found, f"{operation.name} is not served; not running: {reasons}"
    item = paths[found[shape]]
    assert operation.method.lower() in item, f"{operation.name} is not served, just {sorted(item)}"
    return item[operation.method.lower()]


def plain(operation):
    """A path that can be asked for: with names of nothing for its parameters."""
    path = re.sub(r":\w+", "there-is-no-such-thing", operation.path)
    for pattern, instance in WILDCARDS.items():
        path = path.replace(pattern, instance)
    return path


def check_failure(answer, status, *codes):
    body = answer.json()
    assert (answer.status_code, body["success"]) == (status, False), answer.text
    assert "data" not in body
    assert isinstance(body["error"]["message"], str)
    assert body["error"]["code"] in codes or not codes, body["error"]


@each()
async def test_it_is_in_the_document(platform, operation):
    found = described(platform, operation)
    assert found["summary"]
    assert any(status.startswith("2") for status in found["responses"])
    assert "deprecated" not in found, "the page's own paths are no second spellings"


@each()
async def test_the_document_says_who_may(platform, operation):
    security = described(platform, operation)["security"]
    if operation.auth == PUBLIC and operation.name not in CHECKS_ITSELF:
        assert security == [] or {} in security
    else:
        assert {"api_key": []} in security
        assert {} not in security


@each(but=STREAMS)
async def test_with_an_api_key_it_succeeds_in_the_envelope(platform, operation):
    described(platform, operation)
    answer = await World(platform).perform(operation)
    body = answer.json()
    assert answer.status_code == (201 if operation.name == "POST /auth/register" else 200), body
    assert body["success"] is True
    assert "error" not in body
    assert body["data"] is not None
    assert datetime.fromisoformat(body["meta"]["timestamp"])
    assert body["meta"]["request_id"]
    assert answer.headers["content-type"] == "application/json"


@each(auth=PUBLIC)
async def test_what_is_public_asks_for_no_credential(platform, operation):
    described(platform, operation)
    answer = await platform.stranger.request(operation.method, plain(operation))
    if operation.name in CHECKS_ITSELF:
        check_failure(answer, 401, "UNAUTHORIZED")
    else:
        assert answer.status_code not in (401, 403), answer.text
        assert answer.json()["success"] is (answer.status_code < 300)


@each(auth="key")
async def test_without_a_credential_it_is_refused(platform, operation):
    described(platform, operation)
    answer = await platform.stranger.request(operation.method, plain(operation))
    check_failure(answer, 401, "UNAUTHORIZED")


@each(auth="key")
async def test_with_a_key_that_is_none_it_is_refused(platform, operation):
    described(platform, operation)
    headers = {"X-API-Key": "nmk_" + "0" * 32}
    answer = await platform.stranger.request(operation.method, plain(operation), headers=headers)
    check_failure(answer, 401, "INVALID_API_KEY")


@each(auth="key", but=STREAMS)
async def test_a_key_for_something_else_does_not_do(platform, operation):
    scope = described(platform, operation)["x-scope"]
    other = "rules:read" if not scope.startswith("rules:") else "devices:read"
    headers = {"X-API-Key": await key_with(platform, other)}
    answer = await platform.stranger.request(operation.method, plain(operation), headers=headers)
    check_failure(answer, 403, "INSUFFICIENT_PERMISSIONS")


@each(but={"POST /devices/:id/webhook", *STREAMS})
async def test_what_is_not_there_is_404_in_the_envelope(platform, operation):
    described(platform, operation)
    if ":" not in operation.path:
        answer = await platform.api.request(operation.method, f"{plain(operation)}/there/is/nothing")
        check_failure(answer, 404, "NOT_FOUND")
        return
    body = World(platform).bodies().get(operation.name, {}) if operation.method != "GET" else None
    answer = await platform.api.request(operation.method, plain(operation), json=body)
    assert answer.json()["error"]["code"].endswith("_NOT_FOUND"), answer.text
    check_failure(answer, 404)


@each(methods={"POST", "PUT", "PATCH"})
@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}'], ids=["cut", "bytes", "nan", "twice"]
)
async def test_a_body_that_is_no_json_is_refused_in_the_envelope(platform, operation, body):
    described(platform, operation)
    headers = {"Content-Type": "application/json"}
    answer = await platform.api.request(operation.method, plain(operation), content=body, headers=headers)
    check_failure(answer, 400, "BAD_REQUEST")


@each(methods={"POST", "PUT", "PATCH"}, but={"POST /devices/:id/webhook"})
async def test_a_body_of_another_kind_is_refused_in_the_envelope(platform, operation):
    described(platform, operation)
    headers = {"Content-Type": "application/x-yaml"}
    answer = await platform.api.request(operation.method, plain(operation), content=b"a: 1", headers=headers)
    check_failure(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@each()
async def test_another_method_is_refused_in_the_envelope(platform, operation):
    described(platform, operation)
    answer = await platform.api.request("PROPFIND", plain(operation))
    check_failure(answer, 405, "METHOD_NOT_ALLOWED")


async def test_an_unknown_path_is_404(platform):
    check_failure(await platform.api.get("/nope"), 404, "NOT_FOUND")
    assert data(await platform.api.get("/auth/keys"))["keys"]
