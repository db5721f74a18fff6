"""Dashboards over HTTP: kept as they are sent, in order, with a default, copies and templates."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_sdk import DashboardUpdated

from .conftest import COMPONENT, LAYOUT, World, code, data

URL = "/api/dashboards"


def actions(world: World) -> list[str]:
    return [event.action for event in world.host.events.of(DashboardUpdated)]


async def names(world: World, **params: Any) -> list[str]:
    return [one["name"] for one in data(await world.owner.get(URL, params=params))["dashboards"]]


async def test_a_dashboard_is_made_and_shown(world: World) -> None:
    made = await world.dashboard()
    now = world.host.clock.now_ms() // 1000
    assert made["id"].startswith("dashboard_")
    assert made == {
        "id": made["id"],
        "name": "Cellar",
        "layout": LAYOUT,
        "components": [],
        "created_at": now,
        "updated_at": now,
        "sort_order": 0,
    }
    assert data(await world.owner.get(f"{URL}/{made['id']}")) == made
    assert actions(world) == ["create"]


async def test_components_without_an_id_are_numbered(world: World) -> None:
    plain = {name: value for name, value in COMPONENT.items() if name != "id"}
    made = await world.dashboard(components=[COMPONENT, plain, COMPONENT])
    assert [one["id"] for one in made["components"]] == ["c1", "component_1", "c1"]


async def test_unknown_types_and_inner_spellings_stay(world: World) -> None:
    odd = {
        **COMPONENT,
        "type": "nobody-knows-it",
        "title": "T",
        "data_source": [{"sourceId": "b", "timeWindow": {"startTime": 1.0}, "n": None}],
        "display": {"showLegend": False, "colorScale": []},
        "config": {"_transformId": "t", "big": 2**53 + 1, "é": "\x00"},
        "actions": [{"type": "api-call"}],
    }
    made = await world.dashboard(components=[odd])
    assert made["components"] == [odd]
    changed = data(await world.owner.put(f"{URL}/{made['id']}", json={"components": [odd, COMPONENT]}))
    assert changed["components"] == [odd, COMPONENT]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "n", "layout": {"columns": 12}}, "layout.rows"),
        ({"name": "n", "layout": {**LAYOUT, "rows": "many"}}, "layout.rows"),
        ({"name": "n", "components": {}}, "components"),
        ({"name": "n", "components": [1]}, "components[0]"),
        ({"name": "n", "components": [{"type": "a"}]}, "components[0].position"),
        ({"name": "n", "components": [COMPONENT, {**COMPONENT, "type": ""}]}, "components[1].type"),
        ({"name": "n", "components": [{**COMPONENT, "title": 1}]}, "components[0].title"),
    ],
)
async def test_what_cannot_be_made(world: World, body: Any, field: str) -> None:
    answer = await world.owner.post(URL, json=body)
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert field in [problem["field"] for problem in answer.json()["error"]["details"]]
    assert await names(world) == []


@pytest.mark.parametrize("bad", [-1, 1.5, True, "1", 2**32, None])
async def test_positions_are_unsigned_integers(world: World, bad: Any) -> None:
    made = await world.dashboard(components=[COMPONENT])
    wrong = [COMPONENT, {**COMPONENT, "position": {**COMPONENT["position"], "y": bad}}]
    assert code(await world.owner.post(URL, json={"name": "n", "components": wrong}))[0] == 422
    answer = await world.owner.put(f"{URL}/{made['id']}", json={"components": wrong})
    assert code(answer) == (400, "BAD_REQUEST")
    assert answer.json()["error"]["message"].startswith("Invalid component data: component[1].position.y: ")
    assert data(await world.owner.get(f"{URL}/{made['id']}")) == made


async def test_an_update_keeps_what_it_does_not_name(world: World) -> None:
    made = await world.dashboard(components=[COMPONENT])
    await world.host.clock.advance(5)
    body = {"name": "New", "is_default": True, "sort_order": 7, "layout": {**LAYOUT, "rows": 6}, "id": "other"}
    changed = data(await world.owner.put(f"{URL}/{made['id']}", json=body))
    later = made["updated_at"] + 5
    assert changed == {**made, "name": "New", "layout": {**LAYOUT, "rows": 6}, "updated_at": later}
    assert data(await world.owner.put(f"{URL}/{made['id']}", json={}))["components"] == [COMPONENT]


async def test_an_update_needs_ids(world: World) -> None:
    made = await world.dashboard()
    plain = {name: value for name, value in COMPONENT.items() if name != "id"}
    answer = await world.owner.put(f"{URL}/{made['id']}", json={"components": [plain]})
    assert answer.json()["error"]["message"] == "Invalid component data: component[0].id: is missing"


async def test_components_are_appended_and_removed(world: World) -> None:
    made = await world.dashboard(components=[COMPONENT])
    path = f"{URL}/{made['id']}/components"
    whole = data(await world.owner.post(path, json={"components": [{**COMPONENT, "id": "c2"}]}))
    assert [one["id"] for one in whole["components"]] == ["c1", "c2"]
    assert code(await world.owner.post(path, json={"components": [{"id": "c3"}]})) == (400, "BAD_REQUEST")
    removed = data(await world.owner.request("DELETE", path, json={"ids": ["c1", "nobody"]}))
    assert removed == {"ok": True, "removed": 1, "remaining": 1}
    assert actions(world) == ["create", "add_components", "remove_components"]


async def test_there_is_an_end_to_appending(world: World) -> None:
    made = await world.dashboard(components=[{**COMPONENT, "id": f"c{n}"} for n in range(999)])
    path = f"{URL}/{made['id']}/components"
    data(await world.owner.post(path, json={"components": [COMPONENT]}))
    assert code(await world.owner.post(path, json={"components": [COMPONENT]})) == (400, "BAD_REQUEST")


async def test_one_dashboard_is_not_larger_than_a_body(world: World) -> None:
    made = await world.dashboard(components=[{**COMPONENT, "config": "x" * 6_000_000}])
    more = {"components": [{**COMPONENT, "id": "c2", "config": "x" * 6_000_000}]}
    answer = await world.owner.post(f"{URL}/{made['id']}/components", json=more)
    assert code(answer) == (413, "PAYLOAD_TOO_LARGE")


async def test_the_list_is_ordered_before_it_is_paged(world: World) -> None:
    made = {name: (await world.dashboard(name=name))["id"] for name in "abcde"}
    assert await names(world) == list("abcde")
    data(await world.owner.put(f"{URL}/reorder", json={"dashboard_ids": [made[name] for name in "edcba"]}))
    page = data(await world.owner.get(URL, params={"limit": 2, "offset": 1}))
    assert [one["name"] for one in page["dashboards"]] == ["d", "c"]
    assert (page["count"], page["total"], page["limit"], page["offset"]) == (2, 5, 2, 1)
    assert code(await world.owner.get(URL, params={"limit": 1001}))[0] == 422


async def test_those_that_are_not_named_follow_in_their_order(world: World) -> None:
    made = {name: (await world.dashboard(name=name))["id"] for name in "abcd"}
    answer = data(await world.owner.put(f"{URL}/reorder", json={"dashboard_ids": [made["d"], made["b"]]}))
    assert answer == {"ok": True, "count": 2}
    assert await names(world) == list("dbac")
    assert (await world.dashboard(name="e"))["sort_order"] == 4


@pytest.mark.parametrize("ids", [[], ["dashboard_nobody"], ["FIRST", "dashboard_nobody"], ["FIRST", "FIRST"]])
async def test_an_order_that_cannot_be_changes_nothing(world: World, ids: list[str]) -> None:
    await world.dashboard(name="a")
    last = (await world.dashboard(name="b"))["id"]
    body = {"dashboard_ids": [last if ident == "FIRST" else ident for ident in ids]}
    assert code(await world.owner.put(f"{URL}/reorder", json=body)) == (400, "BAD_REQUEST")
    assert await names(world) == ["a", "b"]


async def test_one_is_the_default(world: World) -> None:
    first, second = (await world.dashboard())["id"], (await world.dashboard())["id"]
    for chosen in (first, second):
        assert data(await world.owner.post(f"{URL}/{chosen}/default")) == {"id": chosen, "is_default": True}
    rows = data(await world.owner.get(URL))["dashboards"]
    assert [one["is_default"] for one in rows] == [False, True]
    data(await world.owner.delete(f"{URL}/{first}"))
    assert data(await world.owner.get(f"{URL}/{second}"))["is_default"] is True
    assert "default" not in actions(world)
    assert "is_default" not in await world.dashboard()


async def test_a_copy(world: World) -> None:
    made = await world.dashboard(components=[COMPONENT])
    data(await world.owner.post(f"{URL}/{made['id']}/default"))
    copy = data(await world.owner.post(f"{URL}/{made['id']}/duplicate"))
    assert copy == {**made, "id": copy["id"], "name": "Cellar (copy)", "sort_order": 1}
    assert copy["id"] != made["id"]
    again = data(await world.owner.post(f"{URL}/{copy['id']}/duplicate"))
    assert again["name"] == "Cellar (copy) (copy)"


async def test_a_copy_of_a_long_name_can_be_changed(world: World) -> None:
    made = await world.dashboard(name="x" * 200)
    copy = data(await world.owner.post(f"{URL}/{made['id']}/duplicate"))
    data(await world.owner.put(f"{URL}/{copy['id']}", json={"name": copy["name"]}))


async def test_templates(world: World) -> None:
    listed = data(await world.owner.get(f"{URL}/templates"))
    assert [(one["id"], one["name"], one["icon"]) for one in listed] == [
        ("overview", "Overview", "LayoutDashboard"),
        ("blank", "Blank Canvas", "Square"),
    ]
    assert data(await world.owner.get(f"{URL}/templates/overview")) == listed[0]
    assert listed[0]["required_resources"] == {"devices": 1, "agents": 1, "rules": 0}
    assert code(await world.owner.get(f"{URL}/templates/nobody")) == (404, "TEMPLATE_NOT_FOUND")
    overview = data(await world.owner.get(f"{URL}/overview"))
    assert (overview["id"], overview["is_default"], overview["components"]) == ("overview", True, [])
    assert "is_default" not in data(await world.owner.get(f"{URL}/blank"))
    assert await names(world) == []
    assert code(await world.owner.put(f"{URL}/overview", json={"name": "n"})) == (404, "DASHBOARD_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"name": "n"}),
        ("DELETE", "", None),
        ("POST", "/components", {"components": [COMPONENT]}),
        ("DELETE", "/components", {"ids": ["c1"]}),
        ("POST", "/default", None),
        ("POST", "/duplicate", None),
        ("POST", "/share", {}),
    ],
)
async def test_a_dashboard_that_is_not_there(world: World, method: str, path: str, body: Any) -> None:
    answer = await world.owner.request(method, f"{URL}/dashboard_nobody{path}", json=body)
    assert code(answer) == (404, "DASHBOARD_NOT_FOUND")
    assert actions(world) == []


async def test_scopes(world: World) -> None:
    reader, writer = (world.host.client(scopes=[f"dashboards:{verb}"]) for verb in ("read", "write"))
    assert (await reader.get(URL)).status_code == 200
    assert (await reader.post(URL, json={"name": "n"})).status_code == 403
    made = data(await writer.post(URL, json={"name": "n"}))
    assert (await writer.get(URL)).status_code == 403
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/share"), ("POST", "/default"), ("DELETE", "/share/x")):
        assert (await reader.request(method, f"{URL}/{made['id']}{path}")).status_code == 403
    assert (await world.stranger.get(URL)).status_code == 401
