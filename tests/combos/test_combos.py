"""Any plugin may be missing, any may be alone: the host starts, says what is lacking, and serves the rest."""

import pytest

from neomind_core.contracts import Plugin

ENABLED, BLOCKED, MISSING = "enabled", "blocked", "missing_requirement"


async def check_serves(running):
    """The edge works, whichever plugins there are: a description of exactly what is served, and the envelope."""
    described = await running.get("/api/openapi.json")
    assert (described.status_code, described.json()["openapi"]) == (200, "3.1.0")
    await check_every_described_path_answers(running, described.json()["paths"])
    unknown = await running.get("/api/surely/not/there")
    assert unknown.status_code == 404
    assert unknown.json()["success"] is False
    assert unknown.json()["error"]["code"] == "NOT_FOUND"


async def check_every_described_path_answers(running, paths):
    """Nothing is 500, and nothing says that the path is not there."""
    for path in (path for path, operations in paths.items() if "get" in operations):
        answer = await running.get(path if path.startswith("/api") else f"/api{path}")
        assert answer.status_code < 500, (path, answer.text)
        if answer.headers["content-type"].startswith("application/json") and "openapi" not in answer.json():
            assert answer.json()["success"] is (answer.status_code < 400), path
            assert answer.status_code != 404 or "{" in path, path


def expected(plugins, rules, wanted):
    """The status that follows, for each plugin, when just ``wanted`` may be loaded."""
    can_run, _ = rules
    enabled = can_run(plugins, wanted)
    status = {name: ENABLED if name in enabled else MISSING for name in wanted}
    return {name: status.get(name, BLOCKED) for name in plugins}


async def test_all_of_them(start, plugins):
    async with start() as running:
        assert running.statuses == dict.fromkeys(plugins, ENABLED), running.reasons
        await check_serves(running)


async def test_none_of_them(start, plugins):
    async with start(NEOMIND_BLOCK=",".join(plugins)) as running:
        assert running.statuses == dict.fromkeys(plugins, BLOCKED)
        await check_serves(running)


async def test_all_but_one(start, plugins, rules, name):
    async with start(NEOMIND_BLOCK=name) as running:
        assert running.statuses == expected(plugins, rules, set(plugins) - {name}), running.reasons
        await check_serves(running)


async def test_one_alone(start, plugins, rules, name):
    async with start(NEOMIND_ONLY=name) as running:
        assert running.statuses == expected(plugins, rules, {name}), running.reasons
        await check_serves(running)


async def test_one_with_what_it_requires(start, plugins, rules, name):
    _, with_requirements = rules
    wanted = with_requirements(plugins, name)
    async with start(NEOMIND_ONLY=" ".join(wanted)) as running:
        assert running.statuses[name] == ENABLED, running.reasons
        assert running.statuses == expected(plugins, rules, wanted), running.reasons
        await check_serves(running)


async def test_a_plugin_that_lacks_another_names_it(start, plugins, rules):
    """A plugin is not merely absent: its reason leads to the one that was blocked."""
    can_run, _ = rules
    for name in plugins:
        stuck = set(plugins) - {name} - can_run(plugins, set(plugins) - {name})
        direct = [one for one in stuck if {name, *plugins[name].provides} & set(plugins[one].requires)]
        if direct:
            async with start(NEOMIND_BLOCK=name) as running:
                assert all("requires" in running.reasons[one] for one in direct), running.reasons
            return
    pytest.fail("no plugin requires another one")


async def test_a_second_start_on_the_same_data_without_one(start, plugins, name):
    """What a plugin stored does not keep the others from starting when it is gone."""
    async with start():
        pass
    async with start(NEOMIND_BLOCK=name) as running:
        assert running.statuses[name] == BLOCKED
        await check_serves(running)


class TestRules:
    """The expectations themselves: a chain, something provided, a loop of needs."""

    plugins = {
        "disk": Plugin(name="disk", summary="", provides=("storage",)),
        "things": Plugin(name="things", summary="", requires=("storage",)),
        "alarms": Plugin(name="alarms", summary="", requires=("things",)),
        "lamp": Plugin(name="lamp", summary=""),
    }

    def test_what_can_run(self, rules):
        can_run, _ = rules
        assert can_run(self.plugins, self.plugins) == set(self.plugins)
        assert can_run(self.plugins, {"things", "alarms", "lamp"}) == {"lamp"}
        assert can_run(self.plugins, {"disk", "alarms"}) == {"disk"}

    def test_what_is_required(self, rules):
        _, with_requirements = rules
        assert with_requirements(self.plugins, "alarms") == {"alarms", "things", "disk"}
        assert with_requirements(self.plugins, "lamp") == {"lamp"}
