"""Targets over the API: made, shown without their secrets, changed, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neomind_sdk.testing.sink import Sink

from .conftest import API, EVENTS, TOKEN, Parcel, Push, code, data, post_office, pushing

UNKNOWN = "6f0c1f4e-0000-4000-8000-000000000000"
SECRETS = {
    "auth_token": TOKEN,
    "auth_basic": {"username": "anna", "password": "pw-nobody-may-see"},
    "headers": {"X-Api-Key": "key-nobody-may-see", "X-Team": "ops"},
    "secret": "whsec_" + "c2VjcmV0" * 4,
}


async def test_a_target_comes_back_as_it_was_made(push: Push) -> None:
    answer = await push.api.post(API, json=push.body(enabled=False, template="{{ value }}"))
    made = data(answer)
    assert made == {"id": made["id"], "name": "Cloud", "target_type": "webhook", "enabled": False}
    shown = await push.show(made["id"])
    assert shown == {
        "id": made["id"],
        "name": "Cloud",
        "enabled": False,
        "target_type": "webhook",
        "config": {
            "url": push.body()["config"]["url"],
            "method": "POST",
            "headers": {},
            "auth_token": None,
            "auth_basic": None,
            "timeout_secs": 30,
            "secret": None,
        },
        "schedule": {"type": "event_driven", "event_types": []},
        "data_filter": {"source_patterns": ["device:*"], "only_changes": False},
        "template": "{{ value }}",
        "retry_config": {"max_retries": 3, "backoff_secs": 5, "max_backoff_secs": 300},
        "batch_config": {"batch_size": 1, "batch_interval_ms": 2000, "format": "flat"},
        "available": True,
        "reason": None,
        "created_at": 1_700_000_000,
        "updated_at": 1_700_000_000,
    }


async def test_the_list_can_be_of_those_that_are_enabled(push: Push) -> None:
    await push.create(name="on")
    await push.clock.advance(1)
    await push.create(name="off", enabled=False)
    for query, expected in (({}, ["on", "off"]), ({"enabled": "true"}, ["on"]), ({"enabled": "false"}, ["off"])):
        found = data(await push.api.get(API, params=query))
        assert ([one["name"] for one in found["targets"]], found["total"]) == (expected, len(expected))
    stats = await push.stats()
    assert (stats["total_targets"], stats["active_targets"]) == (2, 1)


async def test_a_template_goes_with_an_empty_text_and_stays_with_null(push: Push) -> None:
    ident = await push.create(template="{{ value }}")
    await push.put(ident, template=None)
    assert (await push.show(ident))["template"] == "{{ value }}"
    await push.put(ident, template="")
    assert (await push.show(ident))["template"] is None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {}),
        ("DELETE", "", None),
        ("POST", "/start", None),
        ("POST", "/stop", None),
        ("POST", "/test", None),
        ("GET", "/logs", None),
        ("POST", "/resend", {"start": 1, "end": 2}),
    ],
)
async def test_an_unknown_target(push: Push, method: str, path: str, body: Any) -> None:
    answer = await push.api.request(method, f"{API}/{UNKNOWN}{path}", json=body)
    assert code(answer) == (404, "PUSH_TARGET_NOT_FOUND")


@pytest.mark.parametrize(
    ("changes", "status", "named"),
    [
        ({"target_type": "carrier_pigeon", "config": {"url": "https://x.example/"}}, 400, "carrier_pigeon"),
        ({"config": {}}, 400, "config.url"),
        ({"config": {"url": "ftp://x/"}}, 400, "config.url"),
        ({"config": {"url": "https://x.example/", "method": "GET"}}, 400, "config.method"),
        ({"config": {"url": "https://x.example/", "headers": {"Host": "y"}}}, 400, "config.headers"),
        ({"config": {"url": "https://x.example/", "headers": {"X-NeoMind-Hops": "0"}}}, 400, "config.headers"),
        ({"config": {"url": "https://x.example/", "auth_token": "***"}}, 400, "config.auth_token"),
        ({"config": {"url": "https://x.example/", "secret": "short"}}, 400, "config.secret"),
        ({"target_type": "mqtt", "config": {"broker": "mqtt://x", "topic": "a"}}, 400, "config.broker"),
        ({"target_type": "mqtt", "config": {"broker": "x", "topic": "a/#"}}, 400, "config.topic"),
        ({"target_type": "mqtt", "config": {"broker": "x", "topic": "a", "qos": 3}}, 400, "config.qos"),
        ({"template": "{{ nope }}"}, 400, "line 1"),
        ({"template": "a\n{{ value"}, 400, "line 2"),
        ({"name": " "}, 422, "name"),
        ({"schedule": {"type": "sometimes"}}, 422, "schedule.type"),
        ({"schedule": {"type": "event_driven"}}, 422, "schedule.event_types"),
        ({"schedule": {**EVENTS, "event_types": ["moon"]}}, 422, "schedule.event_types"),
        ({"schedule": {"type": "interval"}}, 422, "schedule.interval_secs"),
        ({"schedule": {"type": "interval", "interval_secs": 0}}, 422, "schedule.interval_secs"),
        ({"data_filter": {}}, 422, "data_filter.source_patterns"),
        ({"data_filter": {"source_patterns": ["a*b"]}}, 422, "data_filter.source_patterns"),
        ({"batch_config": {"batch_size": 0}}, 422, "batch_config.batch_size"),
        ({"batch_config": {"format": "round"}}, 422, "batch_config.format"),
        ({"retry_config": {"max_retries": -1}}, 422, "retry_config.max_retries"),
    ],
)
async def test_what_does_not_fit_is_refused_by_name(push: Push, changes: Any, status: int, named: str) -> None:
    ident = await push.create()
    before = await push.show(ident)
    answers = [await push.api.post(API, json=push.body(**changes))]
    if changes != {"config": {}}:  # which changes nothing
        answers.append(await push.api.put(f"{API}/{ident}", json=changes))
    for answer in answers:
        assert (answer.status_code, named in answer.json()["error"]["message"]) == (status, True), answer.text
    after = await push.show(ident)
    assert {**after, "updated_at": 0} == {**before, "updated_at": 0}
    assert data(await push.api.get(API))["total"] == 1


async def test_scopes(push: Push) -> None:
    ident = await push.create()
    reader, writer = push.host.client("viewer"), push.host.client(scopes=["push:write"])
    assert (await reader.get(f"{API}/{ident}")).status_code == 200
    assert (await reader.get(f"{API}/stats")).status_code == 200
    assert (await reader.post(f"{API}/{ident}/test")).status_code == 403
    assert (await reader.delete(f"{API}/{ident}")).status_code == 403
    assert (await writer.post(f"{API}/{ident}/stop")).status_code == 200
    assert (await writer.get(API)).status_code == 403
    assert (await push.host.client(None).get(API)).status_code == 401


async def test_the_types_that_are_installed(push: Push) -> None:
    found = data(await push.api.get(f"{API}/types"))
    assert [one["id"] for one in found["types"]] == ["mqtt", "webhook"]
    assert found["types"][1]["config_schema"]["required"] == ["url"]


# ---- secrets ----


def texts(answer: Any) -> str:
    return str(answer.text)


async def secretive(push: Push) -> tuple[str, dict[str, Any]]:
    config = {"url": push.body()["config"]["url"], **SECRETS}
    return await push.create(config=config), config


async def test_secrets_are_masked(push: Push) -> None:
    ident, config = await secretive(push)
    shown = (await push.show(ident))["config"]
    assert shown["auth_token"] == shown["secret"] == shown["auth_basic"]["password"] == "***"
    assert shown["headers"] == {"X-Api-Key": "***", "X-Team": "ops"}
    assert (shown["auth_basic"]["username"], shown["url"]) == ("anna", config["url"])
    for path in ("", f"/{ident}", f"/{ident}/logs"):
        text = texts(await push.api.get(f"{API}{path}"))
        assert "nobody-may-see" not in text
        assert "whsec_" not in text


async def headers_of(push: Push, ident: str) -> Any:
    assert push.sink is not None
    await push.call(ident, "test")
    return push.sink.requests[-1].headers


async def test_masks_and_absent_secrets_keep_them(push: Push) -> None:
    ident, _ = await secretive(push)
    shown = (await push.show(ident))["config"]
    await push.put(ident, config={**shown, "timeout_secs": 9})
    await push.put(ident, config={"url": shown["url"]})
    await push.put(ident, config={"auth_basic": {"username": "bert"}})
    now = (await push.show(ident))["config"]
    assert (now["timeout_secs"], now["auth_basic"]) == (9, {"username": "bert", "password": "***"})
    sent = await headers_of(push, ident)
    assert (sent["authorization"], sent["x-api-key"]) == (f"Bearer {TOKEN}", "key-nobody-may-see")
    assert "webhook-signature" in sent


async def test_null_takes_a_secret_away(push: Push) -> None:
    ident, _ = await secretive(push)
    await push.put(ident, config={"auth_token": None, "secret": None, "headers": {"X-Team": "***"}})
    sent = await headers_of(push, ident)
    assert sent["authorization"].startswith("Basic ")
    assert "webhook-signature" not in sent
    assert "x-api-key" not in sent


async def test_a_new_secret_replaces_the_old(push: Push) -> None:
    ident, _ = await secretive(push)
    await push.put(ident, config={"auth_token": "other", "headers": {"X-Api-Key": "***", "X-More": "1"}})
    sent = await headers_of(push, ident)
    assert (sent["authorization"], sent["x-api-key"], sent["x-more"]) == ("Bearer other", "key-nobody-may-see", "1")


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_secrets_are_on_no_disk_and_in_no_log(tmp_path: Path, sink: Sink, capsys: Any) -> None:
    async with pushing(tmp_path, sink=sink) as push:
        ident, _ = await secretive(push)
        sink.answer(500, body=TOKEN)
        await push.store(1)
        await push.arrived(1)
        await push.call(ident, "test")
        await push.api.put(f"{API}/{ident}", json={"config": {"auth_token": 5, "url": TOKEN}})
    kept = everything_in(tmp_path)
    shown = capsys.readouterr()
    assert b"anna" in kept
    assert b"nobody-may-see" not in kept
    assert "nobody-may-see" not in shown.out + shown.err


async def test_a_lost_key_is_said_and_secrets_may_be_given_again(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink) as push:
        ident, config = await secretive(push)
    (tmp_path / ".secret_key").unlink()
    async with pushing(tmp_path, sink=sink) as push:
        shown = await push.show(ident)
        assert (shown["available"], "decrypted" in shown["reason"]) == (False, True)
        assert shown["config"]["auth_token"] == "***"
        await push.put(ident, config=config)
        assert (await headers_of(push, ident))["authorization"] == f"Bearer {TOKEN}"


# ---- types of strangers ----


async def test_a_type_of_another_plugin(tmp_path: Path) -> None:
    parcel = Parcel()
    config = {"street": "Main", "key": TOKEN, "headers": {"Cookie": TOKEN}}
    async with pushing(tmp_path, post_office(parcel)) as push:
        ident = await push.create(target_type="parcel", config=config)
        shown = (await push.show(ident))["config"]
        assert shown == {"street": "Main", "key": "***", "headers": {"Cookie": "***"}}
        await push.store(7)
        await push.ended(ident)
        [(got, payload, tools)] = parcel.sent
        assert (got.key, payload.sources, payload.hops) == (TOKEN, ("device:boiler:temperature",), 1)
        assert tools.delivery_id == (await push.logs(ident))["logs"][0]["id"]


async def test_a_type_that_is_not_installed_waits_and_comes_back(tmp_path: Path) -> None:
    async with pushing(tmp_path, post_office(Parcel())) as push:
        ident = await push.create(target_type="parcel", config={"street": "Main"})
    async with pushing(tmp_path) as push:
        shown = await push.show(ident)
        text = "the target type 'parcel' is not installed; the plugin 'push_parcel' provided it"
        assert (shown["available"], shown["enabled"], shown["reason"]) == (False, True, text)
        answer = await push.api.put(f"{API}/{ident}", json={"config": {"street": "Other"}})
        assert code(answer) == (400, "BAD_REQUEST")
        tried = await push.call(ident, "test")
        assert (tried["status"], tried["error"]) == ("failed", text)
        await push.store(1)
        await push.quiet()
        [_, row] = sorted((await push.logs(ident))["logs"], key=lambda one: one["id"].startswith("msg"))
        assert (row["status"], row["attempts"], row["error"]) == ("pending", 0, text)
    parcel = Parcel()
    async with pushing(tmp_path, post_office(parcel)) as push:
        await push.ended(ident, 2)
        assert [payload.body for _, payload, _ in parcel.sent] == [
            b'{"source_id":"device:boiler:temperature","value":1,"timestamp":1700000000}'
        ]


@pytest.mark.parametrize("answer", [None, RuntimeError("secret /etc/path"), KeyError("x")])
async def test_a_type_that_misbehaves(tmp_path: Path, answer: Any) -> None:
    parcel = Parcel(answer=answer)
    async with pushing(tmp_path, post_office(parcel)) as push:
        config = {"street": "Main"}
        retry = {"max_retries": 0, "backoff_secs": 1, "max_backoff_secs": 1}
        ident = await push.create(target_type="parcel", config=config, retry_config=retry)
        await push.store(1)
        [row] = await push.ended(ident)
        assert (row["status"], row["attempts"], "/etc/path" in row["error"]) == ("failed", 1, False)
