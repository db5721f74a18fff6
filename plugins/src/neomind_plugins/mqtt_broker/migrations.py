"""How the tables of the broker came to be."""

from __future__ import annotations

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import ConfigRow, CredentialRow

STEPS = (Migration(name="0001_init", apply=create(ConfigRow, CredentialRow)),)
