"""``neomind key``."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from neomind_plugins.api_keys import hooks
from neomind_plugins.api_keys.service import ApiKeys
from neomind_sdk.units import DAY_MS


class Tools:
    """Starts the keys of a world for each command, as ``neomind`` does."""

    def __init__(self, world: Any) -> None:
        self._world = world

    def run(self, work: Any) -> Any:
        return asyncio.run(self._run(work))

    async def _run(self, work: Any) -> Any:
        keys = await self._world.start()
        result = await work(SimpleNamespace(services={ApiKeys: keys}, clock=self._world.clock))
        await keys.close()
        return result


@pytest.fixture
def world(make_world: Any) -> Any:
    world = make_world()
    yield world
    asyncio.run(world.storage.close())


def neomind(world: Any, *arguments: str) -> Result:
    (command,) = hooks.neomind_cli(None)
    return CliRunner().invoke(command.build(Tools(world)), list(arguments))


def good(world: Any, *arguments: str) -> str:
    result = neomind(world, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_key_is_made_shown_once_listed_and_deleted(world: Any) -> None:
    made = neomind(world, "create", "robot")
    key = made.stdout.strip()
    assert key.startswith("nmk_")
    assert "robot" in made.stderr
    ident, name, preview, permissions, validity = good(world, "list").strip().split("\t")
    assert (name, preview, permissions, validity) == ("robot", f"{key[:8]}...", "*", "never expires")
    assert key not in good(world, "list", "--json")
    assert world.keys.identify(key)
    assert good(world, "delete", ident) == "The key robot is deleted\n"
    assert good(world, "list") == ""


def test_json_is_for_programs(world: Any) -> None:
    options = ("--permission", "devices:read", "--permission", "write", "--expires-in-days", "30", "--json")
    made = json.loads(good(world, "create", "Küche", *options))
    (listed,) = json.loads(good(world, "list", "--json"))
    assert listed == {**made["info"], "preview": made["api_key"][:8] + "..."}
    assert listed["permissions"] == ["devices:read", "write"]
    assert listed["expires_at"] == (world.clock.ms + 30 * DAY_MS) // 1000
    assert (listed["name"], listed["active"], listed["last_used_at"]) == ("Küche", True, None)


def test_the_list_tells_what_is_over(world: Any) -> None:
    good(world, "create", "robot", "--expires-in-days", "1")
    assert good(world, "list").strip().endswith("expires 2023-11-15T22:13:20+00:00")
    world.clock.ms += DAY_MS
    assert good(world, "list").strip().endswith("expired 2023-11-15T22:13:20+00:00")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["create", " "], "name: must not be blank"),
        (["create", "a\x1bb"], "name: must not hold control or invisible characters"),
        (["create", "robot", "--permission", "fly"], "permissions[0]: must be"),
        (["create", "robot", "--expires-in-days", "0"], "--expires-in-days"),
        (["create", "robot", "--expires-in-days", "1e9"], "--expires-in-days"),
        (["create", "robot", "--expires-in-days", "nan"], "expires_in_days: must be more than 0"),
        (["delete", "nothing"], "API key with id 'nothing' not found"),
    ],
)
def test_what_cannot_be_is_one_sentence(world: Any, arguments: list[str], text: str) -> None:
    result = neomind(world, *arguments)
    assert result.exit_code != 0
    assert text in result.stderr
    assert "Traceback" not in result.output
    assert good(world, "list") == ""
