"""How the tables of the transport came to be."""

from __future__ import annotations

from neomind_sdk import Migration
from neomind_sdk.tables import create

from .tables import BrokerRow, MutedRow, TopicRow

STEPS = (Migration(name="0001_init", apply=create(BrokerRow, TopicRow, MutedRow)),)
