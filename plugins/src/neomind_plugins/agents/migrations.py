"""How the tables of agents came to be."""

from __future__ import annotations

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import MODELS

STEPS = (Migration(name="0001_init", apply=create(*MODELS)),)
