"""peewee models for plugins, and the ledger of migrations.

Models are classes of the process, while hosts (in tests: several) and storage threads come and go. So models are bound
to no database but to a router: each storage thread says once which peewee database it serves, and a model used in
that thread works on that one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import peewee

from neomind_core.contracts import Migration, OpenStorage, Tables

_current = threading.local()


class RoutedDatabase(peewee.DatabaseProxy):
    """A peewee database that is, in each thread, the one that ``use_database`` named there."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Any], Any]] = []

    @property
    def obj(self) -> Any:
        database = getattr(_current, "database", None)
        if database is None:
            raise RuntimeError("models are used inside `await db.read(…)` or `await db.write(…)` only")
        return database

    @obj.setter
    def obj(self, value: Any) -> None:
        raise AttributeError("use use_database()")


ROUTED = RoutedDatabase()


class Model(peewee.Model):
    """Base of all models of all plugins; name the table with ``class Meta: table_name = "<plugin>_<things>"``."""

    class Meta:
        database = ROUTED
        legacy_table_names = False


def bind_thread(database: Any) -> None:
    """Serve ``database`` to models in this thread from now on (called by a storage engine in each of its threads)."""
    _current.database = database


@contextmanager
def use_database(database: Any) -> Iterator[None]:
    """Serve ``database`` to models in this thread for the length of the block."""
    before = getattr(_current, "database", None)
    _current.database = database
    try:
        yield
    finally:
        _current.database = before


class Ledger(Model):
    """Which steps of which set have run."""

    set_name = peewee.TextField()
    step = peewee.TextField()
    applied_ms = peewee.BigIntegerField()

    class Meta:
        table_name = "neomind_migrations"
        primary_key = peewee.CompositeKey("set_name", "step")


class MigrationFailed(Exception):
    """A set of tables cannot be brought up to date; the message names the step and the reason."""


async def migrate(storage: OpenStorage, tables: Tables, now_ms: int) -> list[str]:
    """Run the steps that the ledger does not know, one transaction each; returns their names."""
    done = await storage.migrate(lambda db: _applied(db, tables.name))
    _refuse_newer(tables, done)
    pending = [step for step in tables.steps if step.name not in done]
    for step in pending:
        await _run(storage, tables.name, step, now_ms)
    return [step.name for step in pending]


def _applied(database: Any, set_name: str) -> set[str]:
    database.create_tables([Ledger], safe=True)
    return {row.step for row in Ledger.select().where(Ledger.set_name == set_name)}


def _refuse_newer(tables: Tables, done: Iterable[str]) -> None:
    unknown = sorted(set(done) - {step.name for step in tables.steps})
    if unknown:
        text = f"the data of '{tables.name}' were written by a newer version (step '{unknown[0]}' is unknown here)"
        raise MigrationFailed(f"{text}; install that version again or restore a backup")


async def _run(storage: OpenStorage, set_name: str, step: Migration, now_ms: int) -> None:
    def work(database: Any) -> None:
        step.apply(database)
        Ledger.create(set_name=set_name, step=step.name, applied_ms=now_ms)

    try:
        await storage.migrate(work)
    except Exception as error:
        raise MigrationFailed(f"step '{step.name}' of '{set_name}': {type(error).__name__}: {error}") from error


def create(*models: type[Model]) -> Callable[[Any], None]:
    """The ``apply`` of a first step: create the tables and indexes of ``models`` as they are now."""

    def apply(database: Any) -> None:
        database.create_tables(models, safe=False)

    return apply
