"""The suite for storage engines: life of a storage here, samples and the database in two files beside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from neomind_core.contracts import ApiError, Health, OpenStorage, Point, StorageInfo
from neomind_core.host.tables import Model

from . import base
from .storage_database import DatabaseRules
from .storage_samples import FAR_MS, SampleRules

SERIES = "device:boiler:temperature"


class Note(Model):
    """What the database's tests keep."""

    text = peewee.TextField(unique=True)

    class Meta:
        table_name = "contract_notes"


class StorageContract(SampleRules, DatabaseRules, base.Contract):
    """For what ``Storage.open`` returns. Override ``open``.

    ``durable``  what is stored is there again after a new start; ``False`` for engines that keep nothing
    """

    durable = True

    async def open(self, data_dir: Path) -> OpenStorage:
        """An open storage whose files, if any, are in ``data_dir``; called again for the same one after a close."""
        raise NotImplementedError(f"{type(self).__name__} must override open()")

    @pytest.fixture
    async def subject(self, tmp_path: Path) -> AsyncIterator[Any]:
        storage = await self.open(tmp_path)
        await storage.migrate(lambda database: database.create_tables([Note]))
        yield storage
        await storage.close()

    @pytest.fixture
    def note(self) -> type[Any]:
        """The model of the database's tests; its table exists."""
        return Note

    async def test_info_and_health(self, subject: Any) -> None:
        info, health = await subject.info(), await subject.health()
        assert isinstance(info, StorageInfo), f"info() returns a StorageInfo, not {info!r}"
        assert info.engine, "info() names the engine"
        assert info.durability, "info() names the durability"
        assert isinstance(health, Health), f"health() returns a Health, not {health!r}"
        assert health.ok, f"a fresh storage is well, it says: {health.detail}"

    async def test_what_was_accepted_is_committed_by_close(self, subject: Any, tmp_path: Path) -> None:
        tasks = [asyncio.create_task(subject.telemetry.append([Point(SERIES, n, n)])) for n in range(20)]
        await asyncio.sleep(0)
        await subject.close()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        strange = [error for error in answers if error is not None and not isinstance(error, ApiError)]
        assert not strange, f"who waits at close() is answered, or refused with an ApiError, not {strange[:1]}"
        if self.durable:
            stored = sum(error is None for error in answers)
            assert stored == 20, "close() commits what was accepted before it"
            assert await self._reopened(tmp_path) == list(range(20))

    async def _reopened(self, data_dir: Path) -> list[Any]:
        storage = await self.open(data_dir)
        try:
            return [sample.value for sample in await self.stored(storage, SERIES)]
        finally:
            await storage.close()

    async def test_everything_is_there_after_a_new_start(self, subject: Any, note: Any, tmp_path: Path) -> None:
        if not self.durable:
            return
        await subject.telemetry.append([Point(SERIES, 5, "first"), Point(SERIES, 5, 2.0)])
        await subject.database.write(lambda: note.create(text="kept"))
        await subject.close()
        storage = await self.open(tmp_path)
        await storage.telemetry.append([Point(SERIES, 5, True)])
        samples = await self.stored(storage, SERIES)
        notes = await storage.database.read(lambda: [row.text for row in note.select()])
        await storage.close()
        text = "samples of one millisecond stay in the order of arrival, across a new start too"
        assert [sample.value for sample in samples] == ["first", 2.0, True], text
        assert notes == ["kept"], "what write() stored is there after a new start"

    async def test_a_closed_storage_refuses(self, subject: Any, note: Any) -> None:
        await subject.close()
        await subject.close()  # once more does no harm
        store, database = subject.telemetry, subject.database
        answers = await asyncio.gather(
            store.append([Point(SERIES, 1, 1)]),
            store.latest([SERIES]),
            store.range(SERIES, 0, FAR_MS, limit=1),
            store.delete_source("device:boiler"),
            database.read(lambda: None),
            database.write(lambda: note.create(text="late")),
            subject.migrate(lambda _database: None),
            return_exceptions=True,
        )
        refused = [isinstance(answer, ApiError) and "closed" in answer.message for answer in answers]
        assert all(refused), f"a closed storage says so in an ApiError, whatever is asked of it: {answers}"
