"""The table of settings and its queries; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from peewee import TextField

from neomind_sdk.tables import Model


class SectionRow(Model):
    """What was changed of a section, as a JSON object; fields that nobody changed are not in it."""

    section = TextField(primary_key=True)
    json = TextField()

    class Meta:
        table_name = "settings_values"


MODELS = (SectionRow,)


def load() -> dict[str, str]:
    """The JSON texts by section."""
    return {row.section: row.json for row in SectionRow.select()}


def save(section: str, text: str) -> None:
    row = SectionRow.insert(section=section, json=text)
    row.on_conflict(conflict_target=[SectionRow.section], preserve=[SectionRow.json]).execute()
