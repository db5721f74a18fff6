"""The suite for storage engines finds out what is wrong with broken ones."""

from __future__ import annotations

import pytest

from neomind_core.contracts import ApiError, Sample
from neomind_sdk.testing.memory import MemoryDatabase, MemoryStorage, MemoryTelemetry
from neomind_sdk.testing.suites.storage import Note, StorageContract


class ForStorage(StorageContract):
    """Not collected; its methods are called with broken storages."""


suite = ForStorage()


def storage_with(telemetry=MemoryTelemetry, database=MemoryDatabase):
    """A memory storage of which one part is replaced."""
    storage = MemoryStorage()
    gate = storage._gate
    storage.telemetry = telemetry(gate)
    if database is not MemoryDatabase:
        storage._database.close()
        storage._database = storage.database = database(gate)
    return storage


class Floats(MemoryTelemetry):
    """Keeps every number as a float."""

    async def append(self, points):
        await super().append([p._replace(value=float(p.value)) if type(p.value) is int else p for p in points])


class Dedupe(MemoryTelemetry):
    """Keeps one sample per millisecond."""

    async def append(self, points):
        await super().append(points)
        for kept in self._series.values():
            kept[:] = {sample.ts_ms: sample for sample in kept}.values()


class HalfOpen(MemoryTelemetry):
    """The end of a range does not belong to it."""

    def _between(self, series, start_ms, end_ms):
        return super()._between(series, start_ms, end_ms - 1)


class Truncating(MemoryTelemetry):
    """Buckets are rounded towards zero."""

    async def aggregate(self, series, start_ms, end_ms, *, bucket_ms=None):
        buckets = await super().aggregate(series, start_ms, end_ms, bucket_ms=bucket_ms)
        return [b._replace(ts_ms=b.ts_ms + bucket_ms) if b.ts_ms < 0 and bucket_ms else b for b in buckets]


class Greedy(MemoryTelemetry):
    """Takes device:boiler2 for a part of device:boiler."""

    async def latest_of(self, source):
        found = {name: kept[-1] for name, kept in self._series.items() if name.startswith(source)}
        return {name.rpartition(":")[2]: sample for name, sample in found.items()}


class Careless(MemoryTelemetry):
    """Stores the good part of a bad batch."""

    async def append(self, points):
        for point in points:
            self._series.setdefault(point.series, []).append(Sample(*point[1:]))
        await super().append(points)


@pytest.mark.parametrize(
    ("telemetry", "test", "text"),
    [
        (Floats, suite.test_large_values, "came back as"),
        (Dedupe, suite.test_one_millisecond_holds_many_in_order, "all live"),
        (HalfOpen, suite.test_ranges_are_inclusive_and_paged, "both ends belong"),
        (Truncating, suite.test_buckets_are_aligned, "multiples of the width"),
        (Greedy, suite.test_latest, "device:boiler2 is another source"),
    ],
)
async def test_broken_telemetry_is_found_out(breach, telemetry, test, text):
    storage = storage_with(telemetry=telemetry)
    await breach(test, text, storage)
    await storage.close()


async def test_half_stored_batches_are_found_out(breach):
    from neomind_sdk.testing.suites.storage_samples import BAD_POINTS

    storage = storage_with(telemetry=Careless)
    await breach(suite.test_what_cannot_be_kept_is_refused, "nothing is stored", storage, BAD_POINTS[0])
    await storage.close()


class Leaky(MemoryDatabase):
    """Keeps what a failed work did."""

    async def write(self, work):
        from neomind_sdk.tables import use_database

        with use_database(self._peewee):
            return work()


class OpenDoor(MemoryDatabase):
    """Reads may write."""

    async def read(self, work):
        return await self.write(work)


@pytest.mark.parametrize(
    ("database", "test", "text"),
    [
        (Leaky, suite.test_a_work_that_raises_leaves_nothing, "its changes are undone"),
        (Leaky, suite.test_one_failure_among_many_harms_nobody, "a fate of its own"),
    ],
)
async def test_a_broken_database_is_found_out(breach, database, test, text):
    storage = storage_with(database=database)
    await storage.migrate(lambda peewee_database: peewee_database.create_tables([Note]))
    await breach(test, text, storage, Note)
    await storage.close()


async def test_a_read_that_writes_is_found_out():
    storage = storage_with(database=OpenDoor)
    await storage.migrate(lambda peewee_database: peewee_database.create_tables([Note]))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        await suite.test_read_cannot_write(storage, Note)
    await storage.close()


async def test_a_storage_that_answers_after_close_is_found_out(breach, tmp_path):
    class Undead(MemoryStorage):
        async def close(self):
            """Says that it closes."""

    storage = Undead()
    await storage.migrate(lambda peewee_database: peewee_database.create_tables([Note]))
    await breach(suite.test_a_closed_storage_refuses, "a closed storage says so", storage, Note)
    await MemoryStorage.close(storage)


async def test_a_storage_that_drops_what_waits_is_found_out(breach, tmp_path):
    class Hasty(MemoryStorage):
        async def close(self):
            self._gate.open = False
            self._database.close()

    class ForDurable(ForStorage):
        async def open(self, data_dir):
            return Hasty()

    with pytest.raises((AssertionError, ApiError)):
        await ForDurable().test_what_was_accepted_is_committed_by_close(Hasty(), tmp_path)
