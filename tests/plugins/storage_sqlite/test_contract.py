"""The SQLite storage keeps the contract, with either durability."""

from __future__ import annotations

from pathlib import Path

from neomind_plugins.storage_sqlite.models import SqliteSettings
from neomind_plugins.storage_sqlite.store import open_store
from neomind_sdk import OpenStorage
from neomind_sdk.testing.suites import SettingsContract
from neomind_sdk.testing.suites.storage import StorageContract


class TestDurable(StorageContract):
    async def open(self, data_dir: Path) -> OpenStorage:
        return await open_store(data_dir, SqliteSettings())


class TestFast(StorageContract):
    async def open(self, data_dir: Path) -> OpenStorage:
        return await open_store(data_dir, SqliteSettings(durability="fast", group_rows=1, readers=1))


class TestSettings(SettingsContract):
    def make(self) -> object:
        from neomind_plugins.storage_sqlite.hooks import neomind_settings

        return neomind_settings(None)
