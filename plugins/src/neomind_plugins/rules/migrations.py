"""How the tables of rules came to be."""

from __future__ import annotations

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import FiringRow, RuleRow, StateRow

STEPS = (Migration(name="0001_init", apply=create(RuleRow, StateRow, FiringRow)),)
