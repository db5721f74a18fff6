"""Channels over the API."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from neomind_sdk import Delivery, EgressFailed
from neomind_sdk.testing import FakeEgress

from .conftest import TOKEN, URL, Kind, Post, code, data, kinds_plugin, post_with

PAGER = {"name": "ops", "channel_type": "pager"}
CHANNELS = "/api/messages/channels"


async def test_types_are_public(post: Post) -> None:
    stranger = post.host.client(role=None)
    types = data(await stranger.get(f"{CHANNELS}/types"))
    assert (types["count"], [one["id"] for one in types["types"]]) == (2, ["mail", "pager"])
    schema = data(await stranger.get(f"{CHANNELS}/types/pager/schema"))
    assert {"id", "name", "name_zh", "description", "description_zh", "icon", "category"} < schema.keys()
    assert schema["category"] == "external"
    Draft202012Validator.check_schema(schema["config_schema"])
    assert schema["config_schema"]["required"] == ["url", "token"]
    assert schema["config_schema"]["properties"]["token"]["writeOnly"] is True
    assert code(await stranger.get(f"{CHANNELS}/types/fax/schema")) == (404, "CHANNEL_TYPE_NOT_FOUND")


@pytest.mark.parametrize("nested", [False, True])
async def test_flat_and_nested_bodies(post: Post, nested: bool) -> None:
    config = {"url": URL, "token": TOKEN}
    body = {**PAGER, "config": config} if nested else {**PAGER, **config}
    made = data(await post.api.post(CHANNELS, json=body))
    assert {"message", "message_zh", "channel"} <= made.keys()
    shown = {"url": URL, "token": "***", "headers": {}, "volume": 5}
    assert made["channel"]["config"] == shown
    assert (made["channel"]["id"], made["channel"]["enabled"], made["channel"]["available"]) == ("ops", True, True)
    assert await post.get("/channels/ops") == made["channel"]
    body = {"config": {"url": URL, "volume": 7}} if nested else {"volume": 7}
    changed = data(await post.api.put(f"{CHANNELS}/ops", json=body))
    assert changed["channel"]["config"] == {**shown, "volume": 7}
    await post.api.post(f"{CHANNELS}/ops/test")
    config, message, _ = post.pager.sent[0]
    assert (config.token, config.volume, message.test) == (TOKEN, 7, True)


@pytest.mark.parametrize(
    ("body", "wanted", "words"),
    [
        ({**PAGER, "channel_type": "fax"}, (400, "BAD_REQUEST"), "mail, pager"),
        ({**PAGER, "url": URL}, (422, "VALIDATION_ERROR"), "token: is required"),
        ({**PAGER, "config": {"url": URL}}, (422, "VALIDATION_ERROR"), "config.token: is required"),
        ({**PAGER, "url": URL, "token": "***"}, (422, "VALIDATION_ERROR"), "token: is the mask"),
        ({**PAGER, "url": URL, "token": TOKEN, "headers": {"a": "***"}}, (422, "VALIDATION_ERROR"), "headers: is the"),
        ({**PAGER, "config": {"url": URL, "token": TOKEN, "volume": 11}}, (422, "VALIDATION_ERROR"), "config.volume"),
        ({**PAGER, "config": 5}, (422, "VALIDATION_ERROR"), "config"),
        ({**PAGER, "name": "types", "url": URL, "token": TOKEN}, (400, "BAD_REQUEST"), "types"),
        ({**PAGER, "name": "a/b", "url": URL, "token": TOKEN}, (422, "VALIDATION_ERROR"), "name"),
        ({**PAGER, "name": " a", "url": URL, "token": TOKEN}, (400, "BAD_REQUEST"), "name"),
        ({"channel_type": "pager"}, (422, "VALIDATION_ERROR"), "name"),
        ([], (422, "VALIDATION_ERROR"), "body"),
        (
            {
                **PAGER,
                "url": URL,
                "token": TOKEN,
                "filter": {"source_types": [], "categories": [], "min_severity": "x"},
            },
            (400, "BAD_REQUEST"),
            "severity",
        ),
    ],
)
async def test_what_is_wrong_with_a_new_channel_is_said(post: Post, body: Any, wanted: Any, words: str) -> None:
    answer = await post.api.post(CHANNELS, json=body)
    assert code(answer) == wanted
    assert words in answer.json()["error"]["message"]
    assert (await post.get("/channels"))["count"] == 0


async def test_a_name_is_given_once(post: Post) -> None:
    await post.channel(volume=3)
    answer = await post.api.post(CHANNELS, json={**PAGER, "url": URL, "token": "another"})
    assert code(answer) == (400, "BAD_REQUEST")
    assert (await post.get("/channels/ops"))["config"]["volume"] == 3


async def test_a_name_that_is_taken_costs_its_channel_nothing(post: Post) -> None:
    await post.channel()
    await post.alert()
    await post.outbox.hold("channel:ops", "for the night")
    answer = await post.api.post(CHANNELS, json={**PAGER, "url": URL, "token": TOKEN})
    assert code(answer) == (400, "BAD_REQUEST")
    assert [order.lane for order in post.outbox.orders] == ["channel:ops"]
    assert post.outbox.holds == {"channel:ops": "for the night"}


async def test_lists_and_stats(post: Post) -> None:
    await post.channel("a")
    await post.channel("b", enabled=False)
    await post.api.post(CHANNELS, json={"name": "c", "channel_type": "mail"})
    found = await post.get("/channels")
    stats = {"total": 3, "enabled": 2, "disabled": 1, "by_type": {"mail": 1, "pager": 2}}
    assert ([one["name"] for one in found["channels"]], found["count"], found["stats"]) == (["a", "b", "c"], 3, stats)
    assert await post.get("/channels/stats") == stats


async def test_unknown_channels(post: Post) -> None:
    body = {"source_types": [], "categories": []}
    for method, path, json in [
        ("GET", "", None),
        ("PUT", "", {}),
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("PUT", "/enabled", {"enabled": True}),
        ("GET", "/filter", None),
        ("PUT", "/filter", body),
        ("GET", "/recipients", None),
        ("DELETE", "/recipients/a@b", None),
    ]:
        answer = await post.api.request(method, f"{CHANNELS}/nobody{path}", json=json)
        assert code(answer) == (404, "CHANNEL_NOT_FOUND"), (method, path)
    answer = await post.api.post(f"{CHANNELS}/nobody/recipients", json={"email": "a@b"})
    assert code(answer) == (400, "BAD_REQUEST")


# ---- secrets ----


async def test_no_role_sees_a_secret(post: Post) -> None:
    await post.channel(headers={"X-Key": "hush-hush", "Empty": ""})
    for role in ("admin", "user", "viewer"):
        for path in ("", "/ops"):
            answer = await post.host.client(role=role).get(f"{CHANNELS}{path}")
            assert TOKEN not in answer.text
            assert "hush-hush" not in answer.text
    assert (await post.get("/channels/ops"))["config"]["headers"] == {"X-Key": "***", "Empty": ""}


@pytest.mark.parametrize(
    ("config", "token", "headers"),
    [
        ({"url": URL}, TOKEN, {"X-Key": "hush"}),
        ({"url": URL, "token": "***", "headers": "***"}, TOKEN, {"X-Key": "hush"}),
        ({"url": URL, "headers": {"X-Key": "***", "B": "new"}}, TOKEN, {"X-Key": "hush", "B": "new"}),
        ({"url": URL, "headers": {}}, TOKEN, {}),
        ({"url": URL, "token": "changed"}, "changed", {"X-Key": "hush"}),
    ],
)
async def test_the_mask_keeps_a_secret(post: Post, config: Any, token: str, headers: Any) -> None:
    await post.channel(headers={"X-Key": "hush"})
    data(await post.api.put(f"{CHANNELS}/ops", json={"config": config}))
    await post.api.post(f"{CHANNELS}/ops/test")
    assert (post.pager.sent[0][0].token, post.pager.sent[0][0].headers) == (token, headers)


async def test_errors_show_no_secret(post: Post) -> None:
    answer = await post.api.post(CHANNELS, json={**PAGER, "url": 5, "token": TOKEN})
    assert TOKEN not in answer.text
    await post.channel()
    for failure in (ValueError(f"https://x/?t={TOKEN}"), Delivery(ok=False, detail=f"no {TOKEN}")):
        post.pager.answer = failure
        found = await post.api.post(f"{CHANNELS}/ops/test")
        assert TOKEN not in found.text
        assert data(found)["success"] is False


# ---- changing ----


async def test_name_and_type_are_fixed(post: Post) -> None:
    await post.channel()
    for change in ({"name": "other"}, {"channel_type": "mail"}):
        assert code(await post.api.put(f"{CHANNELS}/ops", json=change)) == (400, "BAD_REQUEST")
    data(await post.api.put(f"{CHANNELS}/ops", json={**PAGER, "volume": 2}))


async def test_a_change_keeps_the_filter_and_the_switch(post: Post) -> None:
    await post.channel(enabled=False, filter={"source_types": ["rule"], "categories": [], "min_severity": "warn"})
    await post.api.put(f"{CHANNELS}/ops", json={"config": {"url": URL, "enabled": True}})
    channel = await post.get("/channels/ops")
    assert channel["enabled"] is False
    assert channel["filter"] == {"source_types": ["rule"], "categories": [], "min_severity": "warning"}
    data(await post.api.put(f"{CHANNELS}/ops", json={"enabled": True}))
    assert (await post.get("/channels/ops"))["enabled"] is True


@pytest.mark.parametrize(("word", "meant"), [("crit", "critical"), ("EMERG", "emergency"), ("警告", "warning")])
async def test_the_filter_has_spellings(post: Post, word: str, meant: str) -> None:
    await post.channel()
    body = {"source_types": ["rule"], "categories": ["alert"], "min_severity": word}
    saved = data(await post.api.put(f"{CHANNELS}/ops/filter", json=body))
    assert saved["filter"] == saved["channel"]["filter"] == {**body, "min_severity": meant}
    assert await post.get("/channels/ops/filter") == saved["filter"]
    answer = await post.api.put(f"{CHANNELS}/ops/filter", json={**body, "min_severity": "error"})
    assert code(answer) == (400, "BAD_REQUEST")
    assert code(await post.api.put(f"{CHANNELS}/ops/filter", json={"min_severity": None}))[0] == 422


async def test_recipients(post: Post) -> None:
    await post.api.post(CHANNELS, json={"name": "mail", "channel_type": "mail", "recipients": ["a@b.c"]})
    path = f"{CHANNELS}/mail/recipients"
    added = data(await post.api.post(path, json={"email": "d@e.f"}))
    assert (added["channel"], added["recipients"]) == ("mail", ["a@b.c", "d@e.f"])
    for email in ("D@E.F", "no-at", "@", "a@", "a b@c"):
        assert code(await post.api.post(path, json={"email": email})) == (400, "BAD_REQUEST")
    assert data(await post.api.delete(f"{path}/A%40B.C"))["recipients"] == ["d@e.f"]
    assert code(await post.api.delete(f"{path}/a@b.c")) == (404, "RECIPIENT_NOT_FOUND")
    assert data(await post.api.get(path)) == {"channel": "mail", "recipients": ["d@e.f"], "count": 1}
    channel = await post.get("/channels/mail")
    assert channel["recipients"] == channel["config"]["recipients"] == ["d@e.f"]
    await post.channel()
    assert code(await post.api.post(f"{CHANNELS}/ops/recipients", json={"email": "a@b"})) == (400, "BAD_REQUEST")


async def test_only_administrators_change_channels(post: Post) -> None:
    await post.channel()
    user = post.host.client(role="user")
    for method, path in [("POST", ""), ("PUT", "/ops"), ("DELETE", "/ops"), ("POST", "/ops/test")]:
        body = {**PAGER, "enabled": True}
        assert code(await user.request(method, f"{CHANNELS}{path}", json=body))[0] == 403


async def test_a_channel_of_an_old_name_is_new(post: Post) -> None:
    await post.channel(filter={"source_types": ["rule"], "categories": []})
    await post.api.put(f"{CHANNELS}/ops/enabled", json={"enabled": False})
    gone = data(await post.api.delete(f"{CHANNELS}/ops"))
    assert gone["name"] == "ops"
    channel = await post.channel()
    assert (channel["enabled"], channel["filter"]["source_types"], post.outbox.holds) == (True, [], {})


# ---- where it sends ----


async def test_forbidden_targets_are_refused_when_saved() -> None:
    egress = FakeEgress().block("http://169.254.169.254")
    async with post_with(egress=egress) as post:
        await post.channel()
        assert egress.checked == [URL]
        bad = {"url": "http://169.254.169.254/latest"}
        answer = await post.api.post(CHANNELS, json={**PAGER, "name": "x", "token": TOKEN, **bad})
        assert code(answer) == (422, "EGRESS_BLOCKED")
        assert code(await post.api.put(f"{CHANNELS}/ops", json=bad)) == (422, "EGRESS_BLOCKED")
        assert (await post.get("/channels/ops"))["config"]["url"] == URL


async def test_a_type_whose_targets_cannot_be_read(post: Post) -> None:
    post.pager.targets = lambda config: 1 / 0  # type: ignore[method-assign]
    answer = await post.api.post(CHANNELS, json={**PAGER, "url": URL, "token": TOKEN})
    assert code(answer) == (422, "VALIDATION_ERROR")


# ---- the test ----


async def test_a_test_is_one_attempt_right_now(post: Post) -> None:
    await post.channel(enabled=False, filter={"source_types": ["rule"], "categories": [], "min_severity": "emergency"})
    answer = data(await post.api.post(f"{CHANNELS}/ops/test"))
    assert (answer["success"], isinstance(answer["duration_ms"], int)) == (True, True)
    assert {"message", "message_zh"} < answer.keys()
    [(_, message, tools)] = post.pager.sent
    assert (message.test, tools.attempt, tools.delivery_id.startswith("test_")) == (True, 1, True)
    assert post.outbox.orders == []
    assert (await post.list())["total"] == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Delivery(ok=False, detail="HTTP 500"), "HTTP 500"),
        (EgressFailed("the target did not answer in time"), "did not answer in time"),
        (KeyError("boom"), "KeyError"),
        (SystemExit(1), "SystemExit"),
        ("nonsense", "no Delivery"),
        (Delivery(ok=False), "no reason was given"),
    ],
)
async def test_what_does_not_get_through_is_no_error(post: Post, answer: Any, words: str) -> None:
    await post.channel()
    post.pager.answer = answer
    found = data(await post.api.post(f"{CHANNELS}/ops/test"))
    assert (found["success"], words in found["message"]) == (False, True)


async def test_a_test_has_a_limit() -> None:
    async with post_with(settings={"messages": {"test_timeout_s": 1}}) as post:
        await post.channel()
        post.pager.hangs = True
        found = data(await post.api.post(f"{CHANNELS}/ops/test"))
        assert (found["success"], "took over 1 s" in found["message"]) == (False, True)


async def test_a_broken_type_harms_nobody() -> None:
    class Broken:
        pass

    async with post_with(kinds_plugin(Kind("odd", Broken), name="odd"), strict=False) as post:
        answer = await post.api.post(CHANNELS, json={"name": "x", "channel_type": "odd"})
        assert code(answer) == (400, "BAD_REQUEST")
        assert (await post.get("/channels/types"))["count"] == 2
