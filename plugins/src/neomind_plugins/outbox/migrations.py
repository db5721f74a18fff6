"""How the tables of the outbox came to be."""

from __future__ import annotations

from typing import Any

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import AttemptRow, LaneRow, OrderRow


def beats_for_times(database: Any) -> None:
    """A lease was a time at which it ended; now it is a number that changes. The first step makes it so already."""
    if any(column.name == "lease_ms" for column in database.get_columns("outbox_lanes")):
        database.execute_sql("ALTER TABLE outbox_lanes RENAME COLUMN lease_ms TO beat")


STEPS = (
    Migration(name="0001_init", apply=create(OrderRow, LaneRow, AttemptRow)),
    Migration(name="0002_beats", apply=beats_for_times),
)
