"""The default storage: one SQLite file in the data directory, written by one thread in groups."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="storage_sqlite",
    summary="Keeps configuration and samples in one SQLite file in the data directory.",
    provides=("storage",),
)
