"""How the tables of the scheduler came to be.

The scheduler works without a storage, so it cannot require one, and contributes no tables that would need one: it has
its steps run itself, at each start. So each must be one that does nothing when it has been done.
"""

from __future__ import annotations

from typing import Any

from neomind_sdk import Migration

from .tables import MODELS


def create(database: Any) -> None:
    database.create_tables(MODELS, safe=True)


def migrate(database: Any) -> None:
    """Bring the tables up to date."""
    for step in STEPS:
        step.apply(database)


STEPS = (Migration(name="0001_init", apply=create),)
