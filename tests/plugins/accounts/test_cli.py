"""``neomind user``."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from neomind_plugins.accounts import hooks
from neomind_plugins.accounts.service import Accounts

PASSWORD = "lovelace1"


class Tools:
    """Starts the accounts of a world for each command, as ``neomind`` does."""

    def __init__(self, world: Any) -> None:
        self._world = world

    def run(self, work: Any) -> Any:
        return asyncio.run(self._run(work))

    async def _run(self, work: Any) -> Any:
        accounts = await self._world.start()
        try:
            return await work(SimpleNamespace(services={Accounts: accounts}))
        finally:
            await accounts.close()


@pytest.fixture
def world(make_world: Any) -> Any:
    world = make_world()
    yield world
    asyncio.run(world.storage.close())


def neomind(world: Any, *arguments: str, typed: str | bytes | None = None) -> Result:
    (command,) = hooks.neomind_cli(None)
    return CliRunner().invoke(command.build(Tools(world)), list(arguments), input=typed)


def good(world: Any, *arguments: str, typed: str | None = None) -> str:
    result = neomind(world, *arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.stdout


def add(world: Any, name: str, *options: str) -> str:
    return good(world, "add", name, "--password-stdin", *options, typed=f"{PASSWORD}\n")


def login(world: Any, name: str, password: str = PASSWORD) -> Any:
    async def work(ctx: Any) -> Any:
        return await ctx.services[Accounts].login(name, password)

    return Tools(world).run(work)


def test_the_first_is_an_administrator_unless_said_otherwise(world: Any) -> None:
    assert add(world, "ada") == "Added ada (admin)\n"
    assert add(world, "bob") == "Added bob (user)\n"
    assert add(world, "eve", "--role", "viewer") == "Added eve (viewer)\n"
    assert good(world, "list") == "ada\tadmin\nbob\tuser\neve\tviewer\n"
    assert login(world, "ada").user.role == "admin"


def test_json_is_for_programs(world: Any) -> None:
    add(world, "李雷")
    [row] = json.loads(good(world, "list", "--json"))
    assert set(row) == {"id", "username", "role", "disabled", "created_at"}
    assert (row["username"], row["role"], row["disabled"]) == ("李雷", "admin", False)
    assert row["created_at"] == world.clock.ms // 1000


def test_a_lost_password_is_set_anew(world: Any) -> None:
    add(world, "ada")
    token = login(world, "ada").token
    assert good(world, "passwd", "ada", typed="byron1815\nbyron1815\n").endswith("The password of ada is changed\n")
    with pytest.raises(Exception, match="Wrong username or password"):
        login(world, "ada")
    login(world, "ada", "byron1815")
    assert not world.knows(token)


def test_passwords_are_not_shown(world: Any) -> None:
    add(world, "ada")
    result = neomind(world, "passwd", "ada", typed="byron1815\nbyron1815\n")
    assert "byron1815" not in result.output


def test_who_lost_every_administrator_makes_one(world: Any) -> None:
    add(world, "ada")
    asyncio.run(world.empty(0))
    assert add(world, "eve") == "Added eve (admin)\n"


def test_disabled_enabled_deleted(world: Any) -> None:
    add(world, "ada")
    add(world, "bob")
    assert good(world, "disable", "bob") == "bob is disabled\n"
    assert good(world, "list") == "ada\tadmin\nbob\tuser\tdisabled\n"
    assert good(world, "enable", "bob") == "bob is enabled\n"
    assert login(world, "bob").user.username == "bob"
    assert good(world, "delete", "bob") == "bob is deleted\n"
    assert good(world, "list") == "ada\tadmin\n"


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (["add", "ab", "--password-stdin"], PASSWORD, "The username must have at least 3 characters"),
        (["add", "bob", "--password-stdin"], "short", "The password must have at least 6 characters"),
        (["add", "bob", "--password-stdin"], "", "The password must have at least 6 characters"),
        (["add", "bob", "--password-stdin"], "love\x00lace", "The password is not valid text"),
        (["add", "bob"], "love\x00lace\nlove\x00lace\n", "The password is not valid text"),
        (["add", "Ada", "--password-stdin"], PASSWORD, "A user named 'Ada' exists already"),
        (["add", "bob", "--role", "root", "--password-stdin"], PASSWORD, "'root' is not one of"),
        (["passwd", "nobody", "--password-stdin"], PASSWORD, "User with name 'nobody' not found"),
        (["disable", "ada"], None, "'ada' is the last administrator who can log in"),
        (["delete", "ada"], None, "'ada' is the last administrator who can log in"),
        (["delete", "no\udc80body"], None, "not found"),
    ],
)
def test_what_cannot_be_is_one_sentence(world: Any, arguments: list[str], typed: Any, sentence: str) -> None:
    add(world, "ada")
    result = neomind(world, *arguments, typed=typed)
    assert result.exit_code in (1, 2)
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert good(world, "list") == "ada\tadmin\n"
