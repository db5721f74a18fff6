"""Looking for new plugins while the platform runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_plugins.extension_admin.service import Discovery
from neomind_sdk.testing import make_host

from .conftest import code, data

DISCOVER = "/api/extensions/discover"
GREETER = """
from neomind_sdk import ExtensionCommand, Plugin, hookimpl

plugin = Plugin(name="{name}", summary="Greets.", version="{version}")


async def greet(args, call):
    return {{"hello": call.principal.name}}


@hookimpl
def neomind_commands(ctx):
    return [ExtensionCommand(name="greet", run=greet)]
"""


def drop(host: Any, name: str, source: str) -> Path:
    """Put a file into the extensions directory."""
    directory = Path(host.host.extensions_dir())
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{name}.py"
    file.write_text(source, encoding="utf-8")
    return file


def greeter(name: str, version: str = "1.2.0") -> str:
    return GREETER.format(name=name, version=version)


async def test_a_new_file_is_found_and_runs() -> None:
    async with make_host(extension_admin, storage=False, extensions=True) as host:
        drop(host, "greet_one", greeter("greet_one"))
        answer = data(await host.client().post(DISCOVER))
        ran = data(await host.client("user").post("/api/extensions/greet_one/commands/greet"))
        again = data(await host.client().post(DISCOVER))
    assert {key: answer[key] for key in ("discovered", "scanned", "installed", "upgraded", "skipped")} == {
        "discovered": 1,
        "scanned": 3,
        "installed": 1,
        "upgraded": 0,
        "skipped": 2,
    }
    [row] = answer["extensions"]
    assert (row["id"], row["name"], row["version"], row["state"]) == ("greet_one", "greet_one", "1.2.0", "Running")
    assert (row["status"], row["reason"], row["distribution"]) == ("enabled", "running", "file:greet_one.py")
    assert ran == {"hello": "user"}
    assert (again["discovered"], again["extensions"]) == (0, [])


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("source", "status", "word"),
    [
        ("import nothing_such_as_this", "import_error", "nothing_such_as_this"),
        ("raise SystemExit(3)", "import_error", "SystemExit"),
        ("def (", "import_error", "SyntaxError"),
        ("plugin = 5", "manifest_error", "Plugin"),
        (greeter("other_name"), "manifest_error", "must be equal"),
        (greeter("bad").replace("neomind_commands", "neomind_comands"), "manifest_error", "did you mean"),
        (greeter("bad").replace("return [", "raise OSError('x') or ["), "self_check_failed", "OSError"),
        (greeter("bad").replace("summary=", "requires=('nobody',), summary="), "missing_requirement", "nobody"),
    ],
)
async def test_a_plugin_that_fails_is_an_answer(source: str, status: str, word: str, strict: bool) -> None:
    async with make_host(extension_admin, storage=False, extensions=True, strict=strict) as host:
        drop(host, "bad", source)
        answer = data(await host.client().post(DISCOVER))
        listed = data(await host.client(None).get("/api/extensions?state=failed"))
    [row] = answer["extensions"]
    assert (row["id"], row["state"], row["status"]) == ("bad", "Failed", status)
    assert word in row["reason"]
    assert (answer["discovered"], answer["installed"]) == (1, 0)
    assert [each["status"] for each in listed] == [status]


async def test_one_that_fails_does_not_keep_the_others_back() -> None:
    async with make_host(extension_admin, storage=False, extensions=True, strict=False) as host:
        drop(host, "a_bad", "raise ValueError('x')")
        drop(host, "greet_two", greeter("greet_two"))
        answer = data(await host.client().post(DISCOVER))
    assert {row["id"]: row["status"] for row in answer["extensions"]} == {
        "a_bad": "import_error",
        "greet_two": "enabled",
    }
    assert (answer["discovered"], answer["installed"]) == (2, 1)


async def test_one_that_was_mended_runs() -> None:
    async with make_host(extension_admin, storage=False, extensions=True, strict=False) as host:
        drop(host, "greet_three", "raise ValueError('x')")
        assert data(await host.client().post(DISCOVER))["installed"] == 0
        drop(host, "greet_three", greeter("greet_three", "2.0.0-mended"))
        answer = data(await host.client().post(DISCOVER))
    [row] = answer["extensions"]
    assert (row["status"], row["version"]) == ("enabled", "2.0.0-mended")


async def test_public_lists_do_not_show_where_files_are() -> None:
    async with make_host(extension_admin, storage=False, extensions=True, strict=False) as host:
        file = drop(host, "bad", "open('/no/such/place/at.all')")
        data(await host.client().post(DISCOVER))
        listed = (await host.client(None).get("/api/extensions")).text
        full = (await host.client().get("/api/extensions/bad")).text
    assert "/no/such" not in listed
    assert str(file.parent) not in listed
    assert "at.all" in listed
    assert "/no/such/place/at.all" in full
    assert str(file) in full


@pytest.mark.parametrize(("role", "expected"), [("admin", 200), ("user", 403), ("viewer", 403), (None, 401)])
async def test_only_administrators_discover(host: Any, role: str | None, expected: int) -> None:
    assert (await host.client(role).post(DISCOVER)).status_code == expected


async def test_get_is_not_served_at_discover_as_if_it_were_a_name(host: Any) -> None:
    answer = await host.client().get(DISCOVER)
    assert code(answer) == (405, "METHOD_NOT_ALLOWED")


async def test_who_goes_away_does_not_stop_it_half_way() -> None:
    class SlowPlatform:
        """A platform that takes its time to look around."""

        def __init__(self) -> None:
            self.begun, self.go_on, self.done = asyncio.Event(), asyncio.Event(), False

        def plugins(self) -> list[Any]:
            return []

        async def discover(self) -> list[Any]:
            self.begun.set()
            await self.go_on.wait()
            self.done = True
            return []

    platform: Any = SlowPlatform()
    log: Any = None
    discovery = Discovery(platform, log)
    asked = asyncio.create_task(discovery.run())
    await platform.begun.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    platform.go_on.set()
    await discovery.close()
    assert platform.done
