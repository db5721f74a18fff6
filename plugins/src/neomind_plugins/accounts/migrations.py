"""How the tables of accounts came to be."""

from __future__ import annotations

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import SessionRow, SetupRow, UserRow

STEPS = (Migration(name="0001_init", apply=create(UserRow, SessionRow, SetupRow)),)
