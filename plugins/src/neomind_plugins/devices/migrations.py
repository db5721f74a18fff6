"""How the tables of devices came to be. The ledger remembers the steps, so the types of the first are seeded once."""

from __future__ import annotations

from typing import Any

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .builtin import BUILTIN_TYPES
from .tables import DeviceRow, SeenRow, StandingRow, TypeRow, put_type


def seed_types(database: Any) -> None:
    """The types that every platform knows at its first start; whoever deletes one does not get it back."""
    for device_type in BUILTIN_TYPES:
        put_type(device_type)


STEPS = (
    Migration(name="0001_init", apply=create(TypeRow, DeviceRow, SeenRow)),
    Migration(name="0002_builtin_types", apply=seed_types),
    Migration(name="0003_standing", apply=create(StandingRow)),
)
