"""How the tables of drafts came to be."""

from __future__ import annotations

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import ConfigRow, DraftRow, SampleRow

STEPS = (Migration(name="0001_init", apply=create(DraftRow, SampleRow, ConfigRow)),)
