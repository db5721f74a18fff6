"""What people changed: in force at once, kept, and put back into force by a restart."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.settings.errors import SectionNotFound
from neomind_plugins.settings.tables import load, save
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import (
    Database,
    Platform,
    Plugin,
    SettingsChanged,
    SettingsSection,
    StorageFailed,
    ValidationFailed,
    fields,
    hookimpl,
)
from neomind_sdk.testing.harness import candidate_of


async def stored(host: Any) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in (await host.services[Database].read(load)).items()}


async def test_changes_hold_at_once(house: Any) -> None:
    async with house.host() as host:
        kept = house.kept(host)
        assert kept.values("boiler")["limit"] == 60
        changed = await kept.change("boiler", {"limit": 70})
        assert changed == kept.values("boiler") == kept.all()["boiler"]
        assert house.boiler(host).limit == 70
        assert [event.section for event in host.events.of(SettingsChanged)] == ["boiler"]
        assert await stored(host) == {"boiler": {"limit": 70}}


async def test_what_is_absent_stays(house: Any) -> None:
    async with house.host(settings={"boiler": {"name": "cellar"}}) as host:
        kept = house.kept(host)
        await kept.change("boiler", {"limit": 70})
        await kept.change("boiler", {"mode": "full", "topics": []})
        await kept.change("boiler", {})
        boiler = house.boiler(host)
        assert (boiler.limit, boiler.mode, boiler.name, boiler.topics) == (70, "full", "cellar", [])
        assert await stored(host) == {"boiler": {"limit": 70, "mode": "full", "topics": []}}


async def test_null_takes_away_what_may_be_absent(house: Any) -> None:
    async with house.host() as host:
        assert (await house.kept(host).change("boiler", {"stop_after": None}))["stop_after"] is None
        with pytest.raises(ValidationFailed, match="limit"):
            await house.kept(host).change("boiler", {"limit": None})


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": "60"}, "limit"),
        ({"limit": True}, "limit"),
        ({"mode": "off"}, "mode"),
        ({"topics": ["a", 5]}, r"topics\[1\]"),
        ({"name": "x" * 21}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"colour": "red"}, "colour"),
        ({"limit": 70, "enabled": "yes"}, "enabled"),
    ],
)
async def test_changes_that_do_not_fit_change_nothing(house: Any, changes: Any, path: str) -> None:
    async with house.host() as host:
        before = house.boiler(host)
        with pytest.raises(ValidationFailed, match=path):
            await house.kept(host).change("boiler", changes)
        assert house.boiler(host) == before
        assert (await stored(host), host.events.of(SettingsChanged)) == ({}, [])


@pytest.mark.parametrize("name", ["hidden", "nothing", "", "test_login", "BOILER"])
async def test_sections_that_are_not_shown(house: Any, name: str) -> None:
    async with house.host() as host:
        assert sorted(house.kept(host).all()) == ["boiler", "timezone"]
        with pytest.raises(SectionNotFound):
            house.kept(host).values(name)
        with pytest.raises(SectionNotFound):
            await house.kept(host).change(name, {"depth": 2})


async def test_secrets_are_masked_and_the_mask_keeps_them(house: Any) -> None:
    async with house.host() as host:
        kept = house.kept(host)
        assert kept.values("boiler")["token"] == ""
        assert (await kept.change("boiler", {"token": "hush-hush"}))["token"] == "***"
        assert (await kept.change("boiler", {**kept.values("boiler"), "limit": 70}))["token"] == "***"
        assert (house.boiler(host).token, house.boiler(host).limit) == ("hush-hush", 70)
        assert (await kept.change("boiler", {"name": "***"}))["name"] == "***"
        assert (await kept.change("boiler", {"token": ""}))["token"] == ""
        assert house.boiler(host).token == ""


async def test_restarts_keep_changes_and_the_file_keeps_the_rest(house: Any, tmp_path: Path) -> None:
    more: dict[str, Any] = {"data_dir": tmp_path, "settings": {"boiler": {"limit": 50, "name": "cellar"}}}
    async with house.host(storage_sqlite, **more) as host:
        assert house.boiler(host).limit == 50
        await house.kept(host).change("boiler", {"limit": 70, "token": "hush-hush", "stop_after": None})
        await house.kept(host).change("timezone", {"timezone": "Europe/Berlin"})
    more["settings"] = {"boiler": {"limit": 40, "name": "attic"}}
    async with house.host(storage_sqlite, **more) as host:
        boiler = house.boiler(host)
        assert (boiler.limit, boiler.name, boiler.token, boiler.stop_after) == (70, "attic", "hush-hush", None)
        assert house.kept(host).values("timezone") == {"timezone": "Europe/Berlin"}


@attrs.frozen(kw_only=True)
class NewerBoiler:
    """A later version: other limits, one field less, one more."""

    limit: int = fields.number(ge=1, le=65, default=60)
    mode: str = fields.one_of(("eco", "full"), default="eco")
    colour: str = "red"


async def test_a_newer_version_takes_what_still_fits(
    house: Any, make_house: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house.host(storage_sqlite, data_dir=tmp_path) as host:
        await house.kept(host).change("boiler", {"limit": 70, "mode": "full", "name": "cellar"})
    newer = make_house(NewerBoiler)
    async with newer.host(storage_sqlite, data_dir=tmp_path) as host:
        assert newer.boiler(host) == NewerBoiler(limit=60, mode="full")
        assert capsys.readouterr().out.count("stored_setting_refused") == 2
        await newer.kept(host).change("boiler", {"limit": 50})
    async with newer.host(storage_sqlite, data_dir=tmp_path) as host:
        assert newer.boiler(host) == NewerBoiler(limit=50, mode="full")


@pytest.mark.parametrize("text", ["", "{", "[1]", "5", "null", '"text"'])
async def test_a_row_that_cannot_be_read_costs_its_own_section(house: Any, tmp_path: Path, text: str) -> None:
    async with house.host(storage_sqlite, data_dir=tmp_path) as host:
        await house.kept(host).change("timezone", {"timezone": "Europe/Berlin"})
        await host.services[Database].write(lambda: save("boiler", text))
    async with house.host(storage_sqlite, data_dir=tmp_path) as host:
        assert house.boiler(host).limit == 60
        assert house.kept(host).values("timezone")["timezone"] == "Europe/Berlin"
        await house.kept(host).change("boiler", {"limit": 70})
    async with house.host(storage_sqlite, data_dir=tmp_path) as host:
        assert house.boiler(host).limit == 70


async def test_what_is_not_written_does_not_hold(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house.host() as host:

        def fail(*_: Any) -> None:
            raise StorageFailed("the disk is gone")

        monkeypatch.setattr("neomind_plugins.settings.tables.save", fail)
        with pytest.raises(StorageFailed):
            await house.kept(host).change("boiler", {"limit": 70})
        assert house.boiler(host).limit == 60
        monkeypatch.undo()
        await house.kept(host).change("boiler", {"mode": "full"})
        assert await stored(host) == {"boiler": {"mode": "full"}}


async def test_changes_at_once_are_all_kept(house: Any) -> None:
    changes = [{"limit": 70}, {"mode": "full"}, {"name": "cellar"}, {"enabled": False}, {"topics": ["c"]}]
    async with house.host() as host:
        await asyncio.gather(*(house.kept(host).change("boiler", change) for change in changes))
        expected = {key: value for change in changes for key, value in change.items()}
        assert await stored(host) == {"boiler": expected}
        assert {key: getattr(house.boiler(host), key) for key in expected} == expected


async def test_who_goes_away_leaves_memory_and_database_alike(house: Any) -> None:
    async with house.host() as host:
        request = asyncio.create_task(house.kept(host).change("boiler", {"limit": 70}))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        assert request.cancelled()
        await house.kept(host).close()
        assert house.boiler(host).limit == 70
        assert await stored(host) == {"boiler": {"limit": 70}}


class Late:
    """A plugin that is found while the platform runs."""

    @hookimpl
    def neomind_settings(self, ctx: Any) -> list[SettingsSection]:
        return [SettingsSection(name="late", cls=NewerBoiler, editable=True, summary="Came late")]


async def test_plugins_that_come_later_get_what_was_stored(house: Any) -> None:
    late = Plugin(name="late", summary="Comes late.", hooks=Late())
    found: list[Any] = []
    async with house.host(find=lambda: found) as host:
        await host.services[Database].write(lambda: save("late", '{"limit": 50}'))
        await house.kept(host).load()
        with pytest.raises(SectionNotFound):
            house.kept(host).values("late")
        found.append(candidate_of(late))
        await host.services[Platform].discover()
        await host.settle()
        assert house.kept(host).values("late")["limit"] == 50
        assert host.host.settings.value(NewerBoiler).limit == 50
