"""Tables and the ledger of migrations, on both storages, alone and through the host."""

from __future__ import annotations

import importlib.util
from contextlib import closing

import peewee
import pytest

from neomind_core.contracts import Migration, Tables
from neomind_core.host.tables import Ledger, MigrationFailed, Model, create, migrate, use_database
from neomind_sdk.testing.memory import MemoryStorage


class Thing(Model):
    name = peewee.TextField(unique=True)

    class Meta:
        table_name = "things_thing"


ENGINES = ["memory", "sqlite"] if importlib.util.find_spec("neomind_plugins") else ["memory"]


@pytest.fixture(params=ENGINES)
async def storage(request, tmp_path):
    one = MemoryStorage() if request.param == "memory" else await open_sqlite(tmp_path)
    yield one
    await one.close()


async def open_sqlite(directory):
    from neomind_plugins.storage_sqlite.models import SqliteSettings
    from neomind_plugins.storage_sqlite.store import open_store

    return await open_store(directory, SqliteSettings())


def tables(*steps):
    return Tables(
        name="things", models=(Thing,), steps=tuple(Migration(name=name, apply=apply) for name, apply in steps)
    )


def add(name):
    return lambda db: Thing.create(name=name)


def boom(db):
    db.execute_sql("CREATE TABLE things_half (x)")
    Thing.create(name="half")
    raise ValueError("boom")


async def names(storage):
    return await storage.database.read(lambda: [thing.name for thing in Thing.select().order_by(Thing.id)])


async def existing(storage):
    return await storage.migrate(lambda db: set(db.get_tables()))


async def ledger(storage):
    def work(db):
        return [(row.step, row.applied_ms) for row in Ledger.select().where(Ledger.set_name == "things")]

    return sorted(await storage.migrate(work))


FIRST = ("0001_first", create(Thing))


async def test_steps_run_once_and_in_order(storage):
    steps = [FIRST, ("0002_a", add("a")), ("0003_b", add("b"))]
    assert await migrate(storage, tables(*steps[:2]), 5) == ["0001_first", "0002_a"]
    assert await migrate(storage, tables(*steps), 6) == ["0003_b"]
    assert await migrate(storage, tables(*steps), 7) == []
    assert await names(storage) == ["a", "b"]
    assert await ledger(storage) == [("0001_first", 5), ("0002_a", 5), ("0003_b", 6)]


async def test_a_failing_step_is_rolled_back_whole_and_named(storage):
    with pytest.raises(MigrationFailed, match="step '0002_boom' of 'things': ValueError: boom"):
        await migrate(storage, tables(FIRST, ("0002_boom", boom), ("0003_c", add("c"))), 5)
    assert await names(storage) == []
    assert "things_half" not in await existing(storage)
    assert await ledger(storage) == [("0001_first", 5)], "the step before it stays"
    assert await migrate(storage, tables(FIRST, ("0002_boom", add("mended"))), 6) == ["0002_boom"]
    assert await names(storage) == ["mended"]


async def test_the_database_says_what_is_wrong(storage):
    with pytest.raises(MigrationFailed, match=r"step '0003_again' of 'things': \w*(IntegrityError|ConstraintError)"):
        await migrate(storage, tables(FIRST, ("0002_a", add("a")), ("0003_again", add("a"))), 5)
    assert await names(storage) == ["a"]


async def test_an_older_version_over_newer_data(storage):
    await migrate(storage, tables(FIRST, ("0002_new", add("a"))), 5)
    text = (
        "the data of 'things' were written by a newer version .step '0002_new' is unknown here.; install that version"
    )
    with pytest.raises(MigrationFailed, match=text):
        await migrate(storage, tables(FIRST), 6)
    assert await names(storage) == ["a"], "nothing was touched"


async def test_sets_do_not_see_each_other(storage):
    await migrate(storage, tables(FIRST), 5)
    other = Tables(name="others", models=(), steps=(Migration(name="0001_first", apply=lambda db: None),))
    assert await migrate(storage, other, 5) == ["0001_first"]


async def test_models_outside_of_a_storage(storage):
    with pytest.raises(RuntimeError, match=r"inside `await db\.read"):
        list(Thing.select())


def test_threads_may_be_bound_for_a_block():
    database, empty = peewee.SqliteDatabase(":memory:"), peewee.SqliteDatabase(":memory:")
    with closing(database), closing(empty), use_database(database):
        database.create_tables([Thing])
        Thing.create(name="x")
        with use_database(empty), pytest.raises(peewee.OperationalError):
            Thing.create(name="y")
        assert [thing.name for thing in Thing.select()] == ["x"]


# ---- through the host ----------------------------------------------------------------------------------------------

NOTES = """
import peewee
from neomind_sdk.tables import Model, create
class Note(Model):
    text = peewee.TextField()
    class Meta:
        table_name = "notes_note"
def boom(db):
    Note.create(text="half")
    raise ValueError("boom")
STEPS = (Migration(name="0001_first", apply=create(Note)), %s)
@hookimpl
def neomind_tables(ctx): return [Tables(name="notes", models=(Note,), steps=STEPS)]
@hookimpl
def neomind_start(ctx):
    async def start():
        await ctx.services[Database].write(lambda: Note.create(text="hello"))
    return [Step(name="start", run=start)]
"""
BOOM = "Migration(name='0002_boom', apply=boom)"
NEEDS = {"requires": ("storage",)}


async def test_tables_are_there_when_the_plugin_starts(house, reason):
    house.storage = True
    house.add("notes", NOTES % "", **NEEDS)
    async with house.host() as host:
        reason(host, "notes", "enabled")


async def test_a_failing_migration(house, reason):
    house.storage = True
    house.add("notes", NOTES % BOOM, **NEEDS)
    house.add("needs", requires=("notes",))
    house.add("good")
    async with house.host() as host:
        text = "step '0002_boom' of 'notes': ValueError: boom"
        assert reason(host, "notes", "failed_at_run") == text
        assert text in reason(host, "needs", "missing_requirement")
        reason(host, "good", "enabled")


async def test_tables_without_requiring_storage(house, reason):
    house.add("notes", NOTES % "")
    async with house.host() as host:
        assert "it must require 'storage'" in reason(host, "notes", "failed_at_run")


async def test_table_names_carry_the_plugins(house, reason):
    house.storage = True
    house.add("notes", (NOTES % "").replace("notes_note", "people"), **NEEDS)
    async with house.host() as host:
        assert "the table 'people' must be named 'notes_…'" in reason(host, "notes", "self_check_failed")


ENGINE = """
from neomind_sdk.testing.memory import MemoryStorage
opened = []
async def open_it(data_dir, settings):
    %s
    opened.append(MemoryStorage())
    return opened[-1]
@hookimpl
def neomind_storages(ctx): return [Storage(name="%s", open=open_it)]
"""
PROVIDES = {"provides": ("storage",)}


async def test_a_storage_that_does_not_open(house, reason):
    house.add("disk", ENGINE % ("raise OSError('no such disk')", "disk"), **PROVIDES)
    house.add("notes", NOTES % "", **NEEDS)
    async with house.host() as host:
        assert reason(host, "disk", "failed_at_run") == "OSError: no such disk"
        text = "requires 'storage', which is not running: failed_at_run: OSError: no such disk"
        assert reason(host, "notes", "missing_requirement") == text


@pytest.mark.parametrize(("engine", "opens"), [(None, "sqlite"), ("other", "other")])
async def test_which_engine_is_opened_among_several(house, reason, engine, opens):
    for name in ("other", "sqlite", "zzz"):
        house.add(name, ENGINE % ("pass", name), **PROVIDES)
    house.add("notes", NOTES % "", requires=("storage",))
    async with house.host(engine=engine) as host:
        reason(host, "notes", "enabled")
        import fake_other
        import fake_sqlite
        import fake_zzz

        opened = {"other": fake_other.opened, "sqlite": fake_sqlite.opened, "zzz": fake_zzz.opened}
        assert {name for name, storages in opened.items() if storages} == {opens}


async def test_an_engine_that_nobody_has(house, reason):
    house.storage = True
    house.add("notes", NOTES % "", **NEEDS)
    async with house.host(engine="postgres") as host:
        text = "requires 'storage', and no engine is open: wanted is postgres, there is ['memory']"
        assert reason(host, "notes", "missing_requirement") == text


async def test_a_storage_plugin_that_fails_after_opening_is_closed(house, reason):
    fails = "@hookimpl\ndef neomind_start(ctx): raise ValueError('after all')\n"
    house.add("disk", ENGINE % ("pass", "disk") + fails, **PROVIDES)
    async with house.host() as host:
        import fake_disk

        reason(host, "disk", "failed_at_run")
        assert not (await fake_disk.opened[0].health()).ok
