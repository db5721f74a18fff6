"""Suites for what is kept: tables with their migrations, and sections of settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from neomind_core.contracts import SettingsSection, Tables
from neomind_core.contracts.fields import META

from . import base

STEP = re.compile(r"\d{4}_[a-z0-9_]+")
SECRET = "do-not-show-this-0123456789"  # noqa: S105 - the text that must not be shown


class TablesContract(base.Contract):
    """For the object that ``neomind_tables`` returns."""

    def test_names_carry_the_prefix(self, subject: Any) -> None:
        from neomind_core.host.tables import Model

        assert isinstance(subject, Tables), f"tables are a Tables(…), not a {type(subject).__name__}"
        base.check_name(subject.name, "a set of tables")
        for model in subject.models:
            assert issubclass(model, Model), f"{model.__name__} must inherit neomind_sdk.tables.Model"
            table, start = model._meta.table_name, f"{subject.name}_"
            text = f"the table '{table}' of {model.__name__} must be named '{start}…': set Meta.table_name"
            assert table.startswith(start), text

    def test_steps_are_named_in_order(self, subject: Any) -> None:
        names = [step.name for step in subject.steps]
        assert names, "there is no step: tables are made by a first Migration(name='0001_init', apply=create(…))"
        wrong = [name for name in names if not STEP.fullmatch(name)]
        assert not wrong, f"steps are named like '0001_init', not {wrong}"
        assert len(set(names)) == len(names), f"two steps have one name: {names}"
        assert names == sorted(names), f"steps must stand in the order of their names: {names}"

    async def test_the_steps_make_the_tables_of_the_models(self, subject: Any) -> None:
        with memory_database() as database:
            await self.migrate(database, subject)
            for model in subject.models:
                table = model._meta.table_name
                assert database.table_exists(table), f"after all steps there is no table '{table}'; is a step missing?"
                wanted = {field.column_name for field in model._meta.sorted_fields}
                found = {column.name for column in database.get_columns(table)}
                text = f"after all steps the table '{table}' and {model.__name__} differ in {sorted(wanted ^ found)}"
                assert wanted == found, f"{text}: add a step for the difference"

    async def test_the_models_work_on_them(self, subject: Any) -> None:
        with memory_database() as database:
            await self.migrate(database, subject)
            for model in subject.models:
                assert model.select().count() == 0, f"{model.__name__}: a fresh table must be empty"

    async def test_a_second_run_does_nothing(self, subject: Any) -> None:
        with memory_database() as database:
            first = await self.migrate(database, subject)
            assert first == [step.name for step in subject.steps], (
                f"the first run must take every step, it took {first}"
            )
            tables = sorted(database.get_tables())
            again = await self.migrate(database, subject)
            assert again == [], f"the ledger knows every step, and {again} ran again"
            assert sorted(database.get_tables()) == tables, "the second run changed the tables"

    async def migrate(self, database: Any, tables: Tables) -> list[str]:
        """Run the steps as the host does."""
        from neomind_core.host.tables import MigrationFailed, migrate

        try:
            storage: Any = MemoryStorage(database)
            return await migrate(storage, tables, 1_700_000_000_000)
        except MigrationFailed as error:
            raise AssertionError(f"on an empty database: {error}") from error


class MemoryStorage:
    """As much of an ``OpenStorage`` as migrations need."""

    def __init__(self, database: Any) -> None:
        self._database = database

    async def migrate(self, work: Callable[[Any], Any]) -> Any:
        with self._database.atomic():
            return work(self._database)


@contextmanager
def memory_database() -> Iterator[Any]:
    """An empty database that models work on in this thread."""
    import peewee

    from neomind_core.host.tables import use_database

    database = peewee.SqliteDatabase(":memory:")
    database.connect()
    try:
        with use_database(database):
            yield database
    finally:
        database.close()


class SettingsContract(base.Contract):
    """For objects that ``neomind_settings`` returns; ``make`` may return one or a list."""

    def test_every_field_has_a_default(self, subject: Any) -> None:
        for section in base.listed(subject):
            assert isinstance(section, SettingsSection), (
                f"a section is a SettingsSection(…), not a {type(section).__name__}"
            )
            base.check_name(section.name, "a section")
            base.check_config_class(section.cls, f"cls of the section '{section.name}'")
            bare = [field.name for field in attrs.fields(section.cls) if field.default is attrs.NOTHING]
            text = (
                f"{section.cls.__name__} must have a default for every field, so that the plugin starts without a file"
            )
            assert not bare, f"{text}; {bare} have none"

    def test_the_defaults_pass_their_own_checks(self, subject: Any) -> None:
        for section in base.listed(subject):
            try:
                base.structured(section.cls, {})
            except Exception as error:
                raise AssertionError(
                    f"the defaults of {section.cls.__name__} do not pass its own checks: {error}"
                ) from error

    def test_secrets_are_not_shown(self, subject: Any) -> None:
        for section in base.listed(subject):
            names = [field.name for field in attrs.fields(section.cls) if field.metadata.get(META, {}).get("secret")]
            for name in names:
                shown = repr(attrs.evolve(section.cls(), **{name: SECRET}))
                base.check_no_secret(shown, [SECRET], f"repr() of {section.cls.__name__}")

    def test_what_is_editable_is_described(self, subject: Any) -> None:
        for section in base.listed(subject):
            described = bool(section.summary.strip()) or not section.editable
            assert described, f"the section '{section.name}' is editable, so people read its summary: give it one"
