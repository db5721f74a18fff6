"""Restarts: backends, the active one, pins and counts are there again, and what is not installed says so."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.llm import hooks, tables
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Completion, Database, LLMError, StorageFull, Unavailable, Usage
from neomind_sdk.testing import VirtualClock
from neomind_sdk.vault import FILE_NAME

from .conftest import HEADER, KEY, PATH, SEES, Kind, Lab, ask, code, data, kinds_plugin, lab_with


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """A platform on the same disk."""
    clock = VirtualClock()

    def started(*more: Any, **options: Any) -> AbstractAsyncContextManager[Lab]:
        return lab_with(storage_sqlite, *more, data_dir=tmp_path, clock=clock, **options)

    return started


async def test_all_is_there_again(start: Any) -> None:
    async with start() as lab:
        lab.kind.probed = SEES
        brain = await lab.active(headers={"X": HEADER}, thinking_effort="high", capabilities={"max_context": 9})
        box = await lab.create("b", backend_type="box", model="", endpoint="http://10.0.0.9")
        await lab.pin(brain, False)
        await lab.models.complete(ask())
        before = data(await lab.api.get(PATH))
    async with start() as lab:
        assert data(await lab.api.get(PATH)) == before
        assert before["active_id"] == brain
        assert (lab.kind.probes, lab.box.probes) == (0, 0)
        lab.kind.probed = SEES
        await lab.probe_again()
        shown = await lab.show(brain)
        assert shown["capabilities"]["supports_multimodal"] is False
        await lab.models.complete(ask())
        assert (lab.kind.opened[-1].api_key, lab.kind.opened[-1].headers) == (KEY, {"X": HEADER})
        assert (await lab.show(brain))["usage"]["calls"] == 2
        await lab.pin(brain, None)
        await lab.api.post(f"{PATH}/{box}/activate")
        data(await lab.api.delete(f"{PATH}/{brain}"))
    async with start() as lab:
        listed = data(await lab.api.get(PATH))
        assert ([one["id"] for one in listed["backends"]], listed["active_id"]) == ([box], box)


async def test_counts_are_written_now_and_then(start: Any) -> None:
    async with start() as lab:
        ident = await lab.active()
        database = lab.host.services[Database]
        for _ in range(5):
            await lab.models.complete(ask())
        lab.kind.answer = LLMError("refused", "no")
        await lab.fails(lab.models.complete(ask()), "refused")
        assert await database.read(tables.usage) == {}
        await lab.clock.advance(10)
        await database.write(lambda: None)  # the one before this is the one that counts
        used = (await database.read(tables.usage))[ident]
        assert (used.calls, used.errors, used.prompt_tokens, used.completion_tokens) == (6, 1, 25, 5)
        lab.kind.answer = Completion(text="again", usage=Usage(prompt_tokens=1))
        await lab.models.complete(ask())
    async with start() as lab:
        used = (await lab.show(ident))["usage"]
        assert (used["calls"], used["errors"], used["prompt_tokens"]) == (7, 1, 26)


async def test_counts_that_could_not_be_written_are_not_lost(start: Any) -> None:
    async with start() as lab:
        ident = await lab.active()
        await lab.models.complete(ask())
        database = lab.host.services[Database]
        write, database.write = database.write, broken
        await lab.clock.advance(10)
        await lab.models.complete(ask())
        database.write = write
    async with start() as lab:
        assert (await lab.show(ident))["usage"]["calls"] == 2


async def broken(work: Any) -> Any:
    raise StorageFull


async def test_secrets_are_encrypted_at_rest(start: Any, tmp_path: Path) -> None:
    async with start() as lab:
        await lab.create(headers={"X": HEADER}, region="us")
    files = contents(tmp_path)
    assert b"brain-2" in files
    assert KEY.encode() not in files
    assert HEADER.encode() not in files


def contents(where: Path) -> bytes:
    return b"".join(path.read_bytes() for path in where.rglob("*") if path.is_file())


async def test_a_type_that_is_gone(start: Any) -> None:
    async with start() as lab:
        ident = await lab.active(thinking_effort="low")
        await lab.pin(ident, True)
        before = await lab.show(ident)
    async with start(types=False) as lab:
        shown = await lab.show(ident)
        reason = "the backend type 'brain' is not installed; the plugin 'llm_brain' provided it"
        assert shown == {**before, "available": False, "reason": reason, "usage": shown["usage"]}
        with pytest.raises(Unavailable, match="is not available: the backend type 'brain' is not installed"):
            await lab.models.complete(ask())
        result = data(await lab.api.post(f"{PATH}/{ident}/test"))["result"]
        assert (result["success"], reason in result["error"]) == (False, True)
        found = lab.models.find()
        assert found is not None
        assert (found.available, found.reason) == (False, reason)
        await lab.put(ident, name="renamed", temperature=1)
        assert code(await lab.api.put(f"{PATH}/{ident}", json={"model": "m"})) == (409, "CONFLICT")
        assert (await lab.pin(ident, None))["supports_multimodal"] is False
        await lab.probe_again()
        assert data(await lab.api.get(f"{PATH}/stats"))["by_type"] == {"brain": 1}
    async with start() as lab:
        shown = await lab.show(ident)
        assert (shown["name"], shown["available"]) == ("renamed", True)
        await lab.models.complete(ask())
        assert lab.kind.opened[-1].api_key == KEY


async def test_an_active_backend_of_a_type_that_is_gone_is_not_well(start: Any) -> None:
    async with start() as lab:
        await lab.active()
    async with start(types=False) as lab:
        [check] = hooks.neomind_health(lab.host.context("llm"))
        health = await check.check()
        assert (health.ok, "not installed" in health.detail, check.vital) == (False, True, False)


async def test_another_key_for_secrets(start: Any, tmp_path: Path) -> None:
    async with start() as lab:
        ident = await lab.active(region="us")
    (tmp_path / FILE_NAME).unlink()
    async with start() as lab:
        shown = await lab.show(ident)
        assert shown["available"] is False
        assert "give them again" in shown["reason"]
        await lab.put(ident, api_key="sk-new")
        assert (await lab.show(ident))["available"] is True
        await lab.models.complete(ask())
        assert (lab.kind.opened[-1].api_key, lab.kind.opened[-1].region) == ("sk-new", "us")


async def test_a_type_whose_configuration_changed(start: Any) -> None:
    @attrs.frozen(kw_only=True)
    class Stricter:
        endpoint: str
        model: str
        project: str

    async with start() as lab:
        ident = await lab.active()
    new = kinds_plugin(Kind("brain", Stricter))
    async with start(new, types=False) as lab:
        shown = await lab.show(ident)
        assert (shown["available"], "project: is required" in shown["reason"]) == (False, True)
        await lab.put(ident, project="p")
        assert (await lab.show(ident))["available"] is True
