"""How the tables of the outbox came to be."""

from __future__ import annotations

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import AttemptRow, LaneRow, OrderRow

STEPS = (Migration(name="0001_init", apply=create(OrderRow, LaneRow, AttemptRow)),)
