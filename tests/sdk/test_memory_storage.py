"""The storage of the test harness keeps the contract."""

from __future__ import annotations

from pathlib import Path

from neomind_sdk import OpenStorage, Storage
from neomind_sdk.testing.memory import memory_storage_plugin, open_memory
from neomind_sdk.testing.suites.storage import StorageContract


class TestMemoryStorage(StorageContract):
    durable = False

    async def open(self, data_dir: Path) -> OpenStorage:
        return await open_memory(data_dir, None)


async def test_the_plugin_contributes_the_engine(tmp_path: Path) -> None:
    plugin = memory_storage_plugin()
    (engine,) = plugin.hooks.neomind_storages(None)
    assert isinstance(engine, Storage)
    assert (plugin.provides, engine.name, engine.settings) == (("storage",), "memory", None)
    storage = await engine.open(tmp_path, None)
    assert (await storage.info()).engine == "memory"
    await storage.close()
    assert not (await storage.health()).ok
