"""The routes of rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neomind_plugins.rules import forms
from neomind_plugins.rules.actions import ActionTypes
from neomind_plugins.rules.kept import Rule
from neomind_plugins.rules.models import RuleBody
from neomind_sdk.schema import structure

from .conftest import BLINK, HOT, Blink, House, code, data, leaf, logic

EXAMPLE = {
    "name": "High Temp Alert",
    "trigger": {"trigger_type": "data_change"},
    "condition": {
        "condition_type": "comparison",
        "source": "device:sensor-01:temperature",
        "operator": "greater_than",
        "threshold": 30,
    },
    "actions": [{"type": "blink", "message": "Too hot"}],
}


async def test_the_example_of_the_reference(house: House) -> None:
    found = data(await house.api.post("/api/rules", json=EXAMPLE))
    rule = found["rule"]
    assert rule["condition"] == {
        **EXAMPLE["condition"],  # type: ignore[dict-item]
        "operator": ">",
        "source_type": "device",
        "source_id": "sensor-01",
        "metric": "temperature",
    }
    assert rule["trigger"] == {"trigger_type": "data_change", "sources": ["device:sensor-01:temperature"]}
    assert (rule["cooldown"], rule["enabled"], rule["trigger_count"]) == (60_000, True, 0)
    assert rule["dsl_preview"].splitlines() == [
        'RULE "High Temp Alert"',
        "WHEN device:sensor-01:temperature > 30",
        "DO",
        "    BLINK message=Too hot",
        "END",
    ]
    for absent in ("tags", "for_duration", "last_triggered", "source", "paused"):
        assert rule.get(absent) is None
    # The device is not there yet.
    assert [(each["code"], each["field"]) for each in found["warnings"]] == [("DEVICE_NOT_FOUND", "condition.source")]


async def test_previews(house: House) -> None:
    notify = {"type": "notify", "message": "Hot {value}", "severity": "critical"}
    execute = {"type": "execute", "target": "p", "target_type": "device", "command": "on", "params": {"a": 1}}
    agent = {"type": "trigger_agent", "agent_id": "x", "input": "look", "data": {"b": [2]}}
    condition = logic("and", leaf(), logic("not", leaf("device:a:b", "contains", 0, threshold_value="x")))
    body = structure(
        RuleBody,
        {
            "name": "All",
            "trigger": {"trigger_type": "schedule", "cron": "0 * * * *"},
            "condition": condition,
            "actions": [notify, execute, agent],
            "for_duration": 120_000,
        },
    )
    from neomind_plugins.rules.preview import preview

    rule = forms.new_rule(body, house.rules.parts.types, 0)
    assert preview(rule).splitlines() == [
        'RULE "All"',
        'ON SCHEDULE "0 * * * *"',
        'WHEN device:boiler:t > 80 AND (NOT (device:a:b contains "x"))',
        "FOR 2min",
        "DO",
        '    NOTIFY [CRITICAL] "Hot {value}"',
        "    EXECUTE device.p on(a=1)",
        '    TRIGGER AGENT x INPUT "look" DATA {"b": [2]}',
        "END",
    ]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"name": None}, 400, "name"),
        ({"name": "  "}, 422, "name"),
        ({"name": "x" * 101}, 422, "name"),
        ({"name": 5}, 422, "name"),
        ({"description": "x" * 501}, 422, "description"),
        ({"description": 5}, 422, "description"),
        ({"enabled": "yes"}, 422, "enabled"),
        ({"tags": [""]}, 422, "tags[0]"),
        ({"tags": "a"}, 422, "tags"),
        ({"cooldown": -1}, 422, "cooldown"),
        ({"cooldown": "1m"}, 422, "cooldown"),
        ({"for_duration": -1}, 422, "for_duration"),
        ({"for_duration": True}, 422, "for_duration"),
        ({"trigger": {"trigger_type": "moon"}}, 400, "trigger.trigger_type"),
        ({"trigger": {"trigger_type": "schedule"}}, 400, "trigger.cron"),
        ({"trigger": {"trigger_type": "schedule", "interval": 0}}, 400, "trigger.interval"),
        ({"trigger": 5}, 422, "trigger"),
        ({"condition": leaf(operator="~")}, 400, "condition.operator"),
        ({"condition": 5}, 400, "condition"),
        ({"actions": {}}, 422, "actions"),
        ({"actions": ["blink"]}, 400, "actions[0].type"),
        ({"actions": [{"type": "explode"}]}, 400, "actions[0].type"),
        ({"actions": [BLINK, {"type": "blink"}]}, 400, "actions[1].message"),
        ({"actions": [{"type": "blink", "message": ""}]}, 400, "actions[0].message"),
        ({"actions": [{**BLINK, "times": "two"}]}, 400, "actions[0].times"),
        ({"actions": [BLINK] * 51}, 400, "actions"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(house: House, changes: Any, status: int, words: str) -> None:
    body = {**EXAMPLE, **changes}
    body = {name: value for name, value in body.items() if value is not None}
    answer = await house.api.post("/api/rules", json=body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == ("BAD_REQUEST" if status == 400 else "VALIDATION_ERROR")
    assert words in error["message"]
    assert data(await house.api.get("/api/rules"))["count"] == 0
    # The same as a change of a rule that is there; a change needs no name.
    if "name" not in changes or changes["name"] is not None:
        rule_id = await house.add()
        before = await house.show(rule_id)
        assert (await house.api.put(f"/api/rules/{rule_id}", json=changes)).status_code == status
        assert await house.show(rule_id) == before


async def test_all_problems_are_named_at_once(house: House) -> None:
    body = {"name": "x", "trigger": {"trigger_type": "no"}, "condition": {}, "actions": [{}]}
    answer = await house.api.post("/api/rules", json=body)
    fields = [each["field"] for each in answer.json()["error"]["details"]]
    assert fields == ["trigger.trigger_type", "condition.condition_type", "actions[0].type"]


async def test_an_unknown_action_names_those_that_are_there(house: House) -> None:
    answer = await house.api.post("/api/rules", json={**EXAMPLE, "actions": [{"type": "notify", "message": "x"}]})
    assert "there are: blink" in answer.json()["error"]["message"]


async def test_warnings(house: House) -> None:
    house.blink.warnings = ["the lamp is not plugged in"]
    condition = logic(
        "not",
        leaf(threshold=-5),
        leaf(threshold=500),
        leaf("device:boiler:unknown"),
        leaf("device:boiler:h", "regex", 0, threshold_value="("),
        leaf("device:nobody:t"),
    )
    found = await house.added(condition=condition)
    assert [each["code"] for each in found["warnings"]] == [
        "not_multi_child",
        "THRESHOLD_BELOW_MIN",
        "THRESHOLD_ABOVE_MAX",
        "METRIC_NOT_SUPPORTED",
        "INVALID_REGEX",
        "DEVICE_NOT_FOUND",
        "ACTION_TARGET",
    ]
    assert (await house.added(condition=None))["warnings"][0]["code"] == "NO_CONDITION"


async def test_source_comes_back_as_it_is(house: House) -> None:
    source = {"uiMode": "visual", "nested": [1, {"a": None}], "text": "é🔥"}
    rule_id = await house.add(source=source)
    assert (await house.show(rule_id))["source"] == source
    assert "source" not in data(await house.api.get("/api/rules"))["rules"][0]
    data(await house.api.put(f"/api/rules/{rule_id}", json={"name": "Other"}))
    assert (await house.show(rule_id))["source"] == source
    data(await house.api.put(f"/api/rules/{rule_id}", json={"source": None}))
    assert "source" not in await house.show(rule_id)


async def test_unknown_members_of_actions_come_back(house: House) -> None:
    rule_id = await house.add(actions=[{**BLINK, "ui": {"open": True}}])
    assert (await house.show(rule_id))["actions"] == [{**BLINK, "ui": {"open": True}}]
    await house.store(81)
    assert house.blinks == 1


async def test_a_client_s_id_is_ignored(house: House) -> None:
    assert await house.add(id="mine", state={"trigger_count": 9}, created_at="x") != "mine"


async def test_what_is_shown_may_be_put_back(house: House) -> None:
    condition = logic("or", leaf(), {"condition_type": "range", "source": "device:boiler:h", "min": 1, "max": 2})
    rule_id = await house.add(condition=condition, tags=["x"], for_duration=5000, description="d", source=[1])
    before = await house.show(rule_id)
    await house.pass_s(1)
    after = data(await house.api.put(f"/api/rules/{rule_id}", json=before))["rule"]
    assert {**after, "updated_at": ""} == {**before, "updated_at": ""}


CHANGES: dict[str, tuple[Any, Any]] = {
    "name": ("New", "New"),
    "description": (None, None),
    "enabled": (False, False),
    "tags": (["b", "b"], ["b"]),
    "cooldown": (0, 0),
    "for_duration": (None, None),
    "actions": ([], []),
    "condition": (None, {"condition_type": "none"}),
    "trigger": ({"trigger_type": "manual"}, {"trigger_type": "manual"}),
}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(names=st.sets(st.sampled_from(sorted(CHANGES))))
def test_a_change_changes_what_it_has_and_nothing_else(names: set[str]) -> None:
    class Types:
        check_shape = ActionTypes.check_shape

    types: Any = Types()
    whole = {"name": "Old", "description": "d", "tags": ["a"], "cooldown": 5, "for_duration": 7, "condition": HOT}
    rule = forms.new_rule(structure(RuleBody, {**whole, "actions": [BLINK], "source": 1}), types, 1)
    body = {name: CHANGES[name][0] for name in names}
    changed = forms.merged(rule, structure(RuleBody, body), types, 2)
    columns = {"cooldown": "cooldown_ms", "for_duration": "for_duration_ms"}
    touched = {columns.get(name, name) for name in names} | {"updated_ms"}
    for field in Rule.__attrs_attrs__:  # type: ignore[attr-defined]
        if field.name not in touched:
            assert getattr(changed, field.name) == getattr(rule, field.name)
    assert changed.updated_ms == 2
    assert ("condition" not in names) or changed.condition is None
    assert ("for_duration" not in names) or changed.for_duration_ms is None


async def test_merging_over_the_wire(house: House) -> None:
    members = {"tags": ["a"], "description": "d", "for_duration": 7}
    for name, (given_, shown) in CHANGES.items():
        rule_id = await house.add(**members)
        before = await house.show(rule_id)
        answer = data(await house.api.put(f"/api/rules/{rule_id}", json={name: given_}))
        after = answer["rule"]
        assert answer["updated"] is True
        assert after.get(name) == shown
        linked = {name, "updated_at", "dsl_preview", "state", "trigger"}
        assert {key: value for key, value in after.items() if key not in linked} == {
            key: value for key, value in before.items() if key not in linked
        }


async def test_unknown_rules(house: House) -> None:
    for method, path in (
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/enable"),
        ("POST", "/trigger"),
        ("POST", "/test"),
        ("GET", "/history"),
        ("GET", "/trace"),
    ):
        body = {"json": {}} if method in ("PUT", "POST") else {}
        for rule_id in ("nope", "00000000-0000-0000-0000-000000000000"):
            answer = await house.api.request(method, f"/api/rules/{rule_id}{path}", **body)
            assert code(answer) == (404, "RULE_NOT_FOUND"), path


async def test_lists_are_filtered_and_paged(house: House) -> None:
    for number in range(7):
        trigger = {"trigger_type": "manual" if number % 2 else "data_change"}
        await house.add(name=f"Rule {number}", enabled=number < 5, trigger=trigger, tags=["odd"] if number % 2 else [])

    async def names(**query: Any) -> list[str]:
        answer = (await house.api.get("/api/rules", params=query)).json()
        assert answer["meta"]["count"] == answer["data"]["count"] == len(answer["data"]["rules"])
        return [rule["name"][-1] for rule in answer["data"]["rules"]]

    assert await names() == list("0123456")
    assert await names(limit=3) == list("012")
    assert await names(limit=3, offset=5) == list("56")
    assert await names(enabled="false") == list("56")
    assert await names(enabled="true", trigger_type="manual") == list("13")
    assert await names(tag="odd") == list("135")
    assert await names(search="RULE 4") == ["4"]
    for wrong in ({"limit": 0}, {"limit": "x"}, {"offset": -1}, {"enabled": "maybe"}, {"trigger_type": "x"}):
        assert (await house.api.get("/api/rules", params=wrong)).status_code == 422
    meta = (await house.api.get("/api/rules", params={"limit": 2})).json()["meta"]
    assert meta["pagination"]["total"] == 7


async def test_who_may_what(house: House) -> None:
    rule_id = await house.add()
    viewer, nobody = house.host.client(role="viewer"), house.host.client(role=None)
    assert (await viewer.get("/api/rules")).status_code == 200
    assert (await viewer.post("/api/rules/validate", json={})).status_code == 200
    for method, path in (
        ("POST", "/api/rules"),
        ("PUT", f"/api/rules/{rule_id}"),
        ("DELETE", f"/api/rules/{rule_id}"),
        ("POST", f"/api/rules/{rule_id}/trigger"),
        ("POST", f"/api/rules/{rule_id}/enable"),
        ("POST", "/api/rules/import"),
    ):
        assert (await viewer.request(method, path, json={})).status_code == 403, path
        assert (await nobody.request(method, path, json={})).status_code == 401, path
    assert (await nobody.get("/api/rules")).status_code == 401


async def test_validate(house: House) -> None:
    async def check(**body: Any) -> Any:
        return data(await house.api.post("/api/rules/validate", json=body))

    assert await check() == {"valid": True, "errors": [], "warnings": []}
    found = await check(condition=leaf("device:nobody:t"), actions=[BLINK, {"type": "no"}, {"type": "blink"}])
    assert found["valid"] is False
    assert [(each["code"], each["field"]) for each in found["errors"]] == [
        ("UNKNOWN_ACTION_TYPE", "actions[1].type"),
        ("MISSING_PARAMETER", "actions[2].message"),
    ]
    assert [(each["code"], each["severity"]) for each in found["warnings"]] == [("DEVICE_NOT_FOUND", "warning")]
    assert (await check(actions=[5]))["errors"][0]["field"] == "actions[0].type"
    assert (await check(trigger={"trigger_type": "schedule", "cron": "x"}))["errors"][0]["code"] == "INVALID_SCHEDULE"
    assert code(await house.api.post("/api/rules/validate", json={"condition": {}})) == (400, "BAD_REQUEST")


async def test_export_and_import(house: House) -> None:
    condition = logic("and", leaf(), leaf("device:boiler:h", "==", True))
    await house.add(condition=condition, tags=["x"], for_duration=9, source={"a": 1}, enabled=False)
    await house.add(name="Second", trigger={"trigger_type": "schedule", "cron": "0 0 * * *"})
    export = data(await house.api.get("/api/rules/export"))
    assert (export["version"], export["count"], len(export["rules"])) == ("1.0", 2, 2)
    # Over rules that are there: all are new ones.
    assert data(await house.api.post("/api/rules/import", json=export)) == {"imported": 2, "skipped": 0, "errors": []}
    assert len({live.id for live in house.rules.all()}) == 4
    for live in house.rules.all():
        data(await house.api.delete(f"/api/rules/{live.id}"))
    data(await house.api.post("/api/rules/import", json=export))
    again = data(await house.api.get("/api/rules/export"))["rules"]
    times = {"created_at", "updated_at"}
    strip = [{key: value for key, value in rule.items() if key not in times} for rule in again]
    assert strip == [{key: value for key, value in rule.items() if key not in times} for rule in export["rules"]]


async def test_import_takes_what_is_good_and_says_what_is_not(house: House) -> None:
    bad = [5, {}, {**EXAMPLE, "actions": [{"type": "no"}]}, {**EXAMPLE, "cooldown": "x"}]
    found = data(await house.api.post("/api/rules/import", json={"rules": [EXAMPLE, *bad]}))
    assert (found["imported"], found["skipped"]) == (1, 4)
    assert [text.partition(":")[0] for text in found["errors"]] == [f"rules[{index}]" for index in range(1, 5)]
    for body in ({}, [], {"rules": 5}):
        assert code(await house.api.post("/api/rules/import", json=body)) == (400, "BAD_REQUEST")


async def test_resources(house: House) -> None:
    found = data(await house.api.get("/api/rules/resources"))
    [device] = found["devices"]
    assert device["metrics"][0] == {"name": "t", "data_type": "number", "unit": "", "min_value": 0, "max_value": 200}
    assert (device["id"], device["online"], device["commands"]) == ("boiler", False, [])
    assert [each["id"] for each in found["message_categories"]] == ["alert", "system", "business"]
    assert found["actions"] == [{"type": "blink", "summary": "Blinks."}]


async def test_stats(house: House) -> None:
    await house.add()
    await house.add(enabled=False, trigger={"trigger_type": "manual"})
    await house.store(81)
    stats = data(await house.api.get("/api/stats/rules"))["stats"]
    assert (stats["total_rules"], stats["enabled_rules"], stats["disabled_rules"]) == (2, 1, 1)
    assert stats["by_type"] == {"data_change": 1, "manual": 1}
    assert (stats["triggered_today"], stats["paused_rules"], stats["firings_waiting"]) == (1, 0, 0)


async def test_without_a_scheduler_schedules_wait_for_it() -> None:
    from neomind_plugins.devices import plugin as devices
    from neomind_plugins.rules import plugin as rules
    from neomind_sdk.testing import make_host

    async with make_host(devices, rules, Blink().plugin()) as host:
        api = host.client()
        trigger = {"trigger_type": "schedule", "cron": "0 0 * * *"}
        found = data(await api.post("/api/rules", json={**EXAMPLE, "trigger": trigger, "condition": None}))
        assert [each["code"] for each in found["warnings"]] == ["NO_SCHEDULER"]
        assert found["rule"]["problems"] == ["schedule: the plugin scheduler does not run"]


async def test_the_history_is_paged(house: House) -> None:
    rule_id = await house.add(cooldown=0)
    for value in range(81, 91):
        await house.store(value)
    answer = await house.api.get(f"/api/rules/{rule_id}/history", params={"limit": 3, "offset": 2})
    values = [each["values"]["device:boiler:t"] for each in data(answer)["executions"]]
    assert values == [88, 87, 86]
    detail = data(await house.api.get(f"/api/rules/{rule_id}"))
    assert [each["values"]["device:boiler:t"] for each in detail["history"]] == list(range(81, 91))


async def test_old_firings_go(house: House) -> None:
    rule_id = await house.add(cooldown=0)
    await house.store(90)
    await house.pass_s(1)
    house.clock.jump_ms(31 * 86_400_000)
    await house.pass_s(4000)
    assert await house.history(rule_id) == []
