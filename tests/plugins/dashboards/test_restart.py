"""On a real storage: everything is there again, exactly as it was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk.testing import VirtualClock
from neomind_sdk.testing.strategies import json_objects, json_values

from .conftest import COMPONENT, SHOWN, World, a_world, code, data

URL = "/api/dashboards"
COMPONENTS = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["c1", "c2"]), "type": st.just("x"), "position": st.just(COMPONENT["position"])},
        optional={
            "data_source": json_values(8) | st.sampled_from(SHOWN),
            "display": json_objects(5),
            "config": json_values(8),
            "actions": json_values(5),
            "title": st.none() | st.just("é🔥"),
        },
    ),
    max_size=3,
)


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """A platform on the same disk."""
    clock = VirtualClock()
    return lambda: a_world(storage_sqlite, data_dir=tmp_path, clock=clock)


async def test_dashboards_and_links_come_back(start: Any) -> None:
    async with start() as world:
        first = await world.dashboard(components=[{**COMPONENT, "data_source": SHOWN}])
        second = await world.dashboard(name="Second")
        data(await world.owner.put(f"{URL}/reorder", json={"dashboard_ids": [second["id"], first["id"]]}))
        data(await world.owner.post(f"{URL}/{first['id']}/default"))
        links = [
            data(await world.owner.post(f"{URL}/{first['id']}/share", json=body))
            for body in ({}, {"expires_in_hours": 1}, {})
        ]
        data(await world.owner.delete(f"{URL}/{first['id']}/share/{links[2]['id']}"))
        before = data(await world.owner.get(URL))
    async with start() as world:
        assert data(await world.owner.get(URL)) == before
        await world.store("device:boiler:temperature", 21.5)
        assert data(await world.look(links[0]["token"], "/data"))["sources"][0]["value"] == 21.5
        assert (await world.look(links[1]["token"])).status_code == 200
        await world.host.clock.advance(3600)
        assert code(await world.look(links[1]["token"])) == (410, "GONE")
        assert code(await world.look(links[2]["token"])) == (404, "SHARE_NOT_FOUND")
        assert (await world.look(links[0]["token"])).status_code == 200


@pytest.fixture
async def world(start: Any) -> Any:
    async with start() as world:
        yield world


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(components=COMPONENTS)
async def test_components_come_back_as_they_were_sent(world: World, components: Any) -> None:
    """Byte for byte: names in their order, numbers in their kind."""
    sent = orjson.dumps({"name": "n", "components": components})
    answer = await world.owner.post(URL, content=sent)
    whole = orjson.dumps(components)
    made = orjson.loads(answer.content)["data"]
    assert orjson.dumps(made["components"]) == whole
    put = await world.owner.put(f"{URL}/{made['id']}", content=orjson.dumps({"components": components}))
    assert orjson.dumps(orjson.loads(put.content)["data"]["components"]) == whole
    copy = data(await world.owner.post(f"{URL}/{made['id']}/duplicate"))
    shown = await world.owner.get(f"{URL}/{copy['id']}")
    assert whole in shown.content
