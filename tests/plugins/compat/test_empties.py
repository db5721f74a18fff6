"""What there is nothing of is well-formed and empty, and wants a login like anything else."""

from __future__ import annotations

import pytest

from neomind_plugins.compat.empties import EMPTIES
from neomind_sdk import PUBLIC

from .conftest import data

CLOSED = [empty for empty in EMPTIES if empty.scope != PUBLIC]


def path_of(empty):
    return "/api" + empty.path.replace("{path:path}", "short-term")


@pytest.mark.parametrize("empty", EMPTIES, ids=lambda empty: empty.path)
async def test_what_is_answered(alone, empty):
    answer = await alone.client("viewer" if empty.method == "GET" else "user").request(empty.method, path_of(empty))
    assert await data(answer) == empty.data


@pytest.mark.parametrize("empty", CLOSED, ids=lambda empty: empty.path)
async def test_strangers_see_none_of_it(alone, empty):
    answer = await alone.client(None).request(empty.method, path_of(empty))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/instances", "instances"),
        ("/im-bridges", "bridges"),
        ("/frontend-components", "components"),
        ("/skills", "skills"),
        ("/extensions/market/list", "extensions"),
        ("/suggestions", "suggestions"),
        ("/memory/mid-term", "memories"),
        ("/automations", "automations"),
        ("/automations/export", "automations"),
    ],
)
async def test_known_clients_read_these_keys(alone, path, key):
    assert (await data(await alone.client().get(f"/api{path}")))[key] == []


async def test_skills_are_paged(alone):
    found = await data(await alone.client().get("/api/skills?page=3&page_size=7"))
    assert found == {"skills": [], "total": 0, "page": 3, "page_size": 7, "total_pages": 0}
    answer = await alone.client().get("/api/skills?page=0")
    assert answer.status_code == 422


class TestSessions:
    async def test_the_list_is_an_empty_page(self, alone):
        answer = await alone.client().get("/api/sessions?page=2&page_size=10")
        assert await data(answer) == []
        paging = answer.json()["meta"]["pagination"]
        assert (paging["page"], paging["page_size"], paging["total_count"]) == (2, 10, 0)
        assert (paging["has_next"], paging["has_prev"]) == (False, False)

    async def test_one_begins_and_is_empty(self, alone):
        client = alone.client()
        ident = (await data(await client.post("/api/sessions")))["sessionId"]
        assert (await data(await client.get(f"/api/sessions/{ident}")))["sessionId"] == ident
        assert await data(await client.get(f"/api/sessions/{ident}/history")) == {"messages": [], "count": 0}
        assert (await data(await client.get(f"/api/sessions/{ident}/pending")))["hasPending"] is False

    async def test_nothing_is_claimed_that_was_not_done(self, alone):
        client = alone.client()
        assert (await data(await client.put("/api/sessions/s1", json={"title": "x"})))["updated"] is False
        assert (await data(await client.delete("/api/sessions/s1")))["deleted"] is False
        assert (await data(await client.delete("/api/sessions/s1/pending")))["cleared"] is False
        assert (await data(await client.post("/api/sessions/cleanup")))["cleaned"] == 0

    async def test_an_answer_says_that_there_is_none(self, alone):
        found = await data(await alone.client().post("/api/sessions/s1/chat", json={"message": "hello"}))
        assert "not available" in found["response"]
        assert found["toolsUsed"] == []

    async def test_a_viewer_may_look(self, alone):
        assert await data(await alone.client("viewer").get("/api/sessions")) == []


class TestExtensions:
    async def test_of_one_that_is_there(self, alone):
        client = alone.client()
        assert await data(await client.get("/api/extensions/compat/logs")) == []
        assert "compat" in (await data(await client.delete("/api/extensions/compat/logs")))["message"]
        found = await data(await client.get("/api/extensions/compat/config"))
        assert (found["extension_id"], found["current_config"]) == ("compat", {})

    @pytest.mark.parametrize("what", ["logs", "config"])
    async def test_of_one_that_is_not(self, alone, what):
        answer = await alone.client().get(f"/api/extensions/nobody/{what}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "EXTENSION_NOT_FOUND")
