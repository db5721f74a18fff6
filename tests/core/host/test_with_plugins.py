"""What only the first-party distribution itself can show; left out where it is not installed."""

from __future__ import annotations

from neomind_core.host.discovery import scan
from neomind_sdk.testing import fake_dist

NEEDS = {"requires": ("storage",)}
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


def find(name):
    return [one for one in scan(None) if one.name == name]


async def test_a_newer_ledger(house, reason):
    """Two runs on one SQLite file: the second has fewer steps than the first."""
    store = """
    from neomind_plugins.storage_sqlite.hooks import *
    from neomind_plugins.storage_sqlite.models import SqliteSettings
    """
    house.add("storage_sqlite", store, provides=("storage",))
    dist = house.add("notes", NOTES % "Migration(name='0002_new', apply=lambda db: None)", **NEEDS)
    async with house.host() as host:
        reason(host, "notes", "enabled")
    dist.uninstall()
    house.add("notes", NOTES % "", **NEEDS)
    async with house.host() as host:
        text = reason(host, "notes", "failed_at_run")
        assert text.startswith("the data of 'notes' were written by a newer version (step '0002_new' is unknown here)")


def test_metadata_that_lie_about_the_name(tmp_path):
    """An installer names the directory after the distribution; where the two differ the directory's name counts."""
    with fake_dist(tmp_path, "stranger", plugins={"evil": "evil:plugin"}) as dist:
        metadata = dist.dist_info / "METADATA"
        metadata.write_text(metadata.read_text().replace("Name: stranger", "Name: neomind-plugins"))
        assert find("evil") == [], "the real one goes by that name"
