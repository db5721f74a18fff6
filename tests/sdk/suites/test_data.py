"""The suites for tables and settings: good ones pass, broken ones are found out."""

from __future__ import annotations

import attrs
import peewee
import pytest

from neomind_core.contracts import Migration, SettingsSection, Tables, fields
from neomind_sdk.tables import Model, create
from neomind_sdk.testing.suites import SettingsContract, TablesContract


class Card(Model):
    front = peewee.TextField()
    back = peewee.TextField(null=True)

    class Meta:
        table_name = "cards_cards"


def make_old(database):
    database.execute_sql("CREATE TABLE cards_cards (id INTEGER PRIMARY KEY, front TEXT NOT NULL)")


def add_back(database):
    database.execute_sql("ALTER TABLE cards_cards ADD COLUMN back TEXT")


OLD, BACK = Migration(name="0001_init", apply=make_old), Migration(name="0002_back", apply=add_back)
TABLES = Tables(name="cards", models=(Card,), steps=(OLD, BACK))


class ForTables(TablesContract):
    def make(self):
        return TABLES


class TestTables(ForTables):
    pass


class TestTablesMadeFromModels(TablesContract):
    def make(self):
        return attrs.evolve(TABLES, steps=(Migration(name="0001_init", apply=create(Card)),))


class Elsewhere(Model):
    class Meta:
        table_name = "things"


class Foreign(peewee.Model):
    class Meta:
        table_name = "cards_foreign"


def broken_step(database):
    database.execute_sql("CREATE TABLE oops (")


SUITE = ForTables()


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (SUITE.test_names_carry_the_prefix, {"name": "Cards"}, "is named 'Cards'"),
        (SUITE.test_names_carry_the_prefix, {"models": (Elsewhere,)}, "'things' of Elsewhere must be named 'cards_"),
        (SUITE.test_names_carry_the_prefix, {"models": (Foreign,)}, "must inherit neomind_sdk.tables.Model"),
        (SUITE.test_steps_are_named_in_order, {"steps": ()}, "there is no step"),
        (SUITE.test_steps_are_named_in_order, {"steps": (OLD, OLD)}, "two steps have one name"),
        (SUITE.test_steps_are_named_in_order, {"steps": (BACK, OLD)}, "in the order of their names"),
        (SUITE.test_steps_are_named_in_order, {"steps": (attrs.evolve(OLD, name="init"),)}, "named like '0001_init'"),
        (SUITE.test_the_steps_make_the_tables_of_the_models, {"steps": (OLD,)}, r"differ in \['back'\]: add a step"),
        (SUITE.test_the_steps_make_the_tables_of_the_models, {"steps": ()}, "no table 'cards_cards'"),
        (
            SUITE.test_the_steps_make_the_tables_of_the_models,
            {"steps": (OLD, attrs.evolve(BACK, apply=broken_step))},
            "on an empty database: step '0002_back' of 'cards'",
        ),
    ],
)
async def test_broken_tables(breach, test, changes, expected):
    await breach(test, expected, attrs.evolve(TABLES, **changes))


async def test_rows_that_steps_left(breach):
    def fill(database):
        add_back(database)
        database.execute_sql("INSERT INTO cards_cards (front) VALUES ('x')")

    broken = attrs.evolve(TABLES, steps=(OLD, attrs.evolve(BACK, apply=fill)))
    await breach(SUITE.test_the_models_work_on_them, "a fresh table must be empty", broken)


async def test_what_is_no_set_of_tables(breach):
    await breach(SUITE.test_names_carry_the_prefix, "not a list", [Card])


@attrs.frozen
class CardSettings:
    deck: int = fields.number(ge=1, default=52)
    key: str = fields.secret(default="")


class ForSettings(SettingsContract):
    def make(self):
        return SettingsSection(name="cards", cls=CardSettings, editable=True, summary="How cards are dealt")


class TestSettings(ForSettings):
    pass


@attrs.frozen
class NoDefault:
    deck: int = fields.number(ge=1)


@attrs.frozen
class WrongDefault:
    deck: int = fields.number(ge=1, default=0)


@attrs.frozen
class ShowsKey:
    key: str = fields.secret(default="", repr=True)


SETTINGS = ForSettings()


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (SETTINGS.test_every_field_has_a_default, {"name": "My cards"}, "is named 'My cards'"),
        (SETTINGS.test_every_field_has_a_default, {"cls": dict}, "must be an attrs class"),
        (SETTINGS.test_every_field_has_a_default, {"cls": NoDefault}, r"\['deck'\] have none"),
        (SETTINGS.test_the_defaults_pass_their_own_checks, {"cls": WrongDefault}, "do not pass its own checks"),
        (SETTINGS.test_secrets_are_not_shown, {"cls": ShowsKey}, r"repr\(\) of ShowsKey shows a secret"),
        (SETTINGS.test_what_is_editable_is_described, {"summary": ""}, "give it one"),
    ],
)
async def test_broken_settings(breach, test, changes, expected):
    await breach(test, expected, attrs.evolve(SETTINGS.make(), **changes))
