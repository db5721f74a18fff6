"""How the tables of dashboards came to be."""

from __future__ import annotations

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import DashboardRow, ShareRow

STEPS = (Migration(name="0001_init", apply=create(DashboardRow, ShareRow)),)
