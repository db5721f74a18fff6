"""A process that appends without end and prints what was acknowledged, until somebody kills it.

``appender.py <data dir> <first number> [early]``; with ``early`` it acknowledges before the commit, which is wrong.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import threading
from pathlib import Path

import peewee

from neomind_plugins.storage_sqlite import store, writer
from neomind_plugins.storage_sqlite.models import SqliteSettings
from neomind_sdk import Point
from neomind_sdk.tables import Model

CONNECTIONS = 16


class Row(Model):
    number = peewee.IntegerField()

    class Meta:
        table_name = "appender_rows"


class EarlyWriter(writer.Writer):
    def _commit(self, group):
        self.intake.settle(group)
        threading.Event().wait(0.005)
        return super()._commit(group)


async def append(storage, numbers):
    for number in numbers:
        await storage.telemetry.append(
            [Point(f"device:{number % 7}:x", number, number), Point("device:all:x", 1, number)]
        )
        os.write(1, b"point %d\n" % number)


async def write(storage, numbers):
    for number in numbers:
        await storage.database.write(lambda number=number: Row.create(number=number))
        os.write(1, b"row %d\n" % number)


async def main(data_dir, first):
    storage = await store.open_store(Path(data_dir), SqliteSettings(checkpoint_kib=256))
    await storage.migrate(lambda database: database.create_tables([Row], safe=True))
    numbers = itertools.count(int(first))
    appending = [append(storage, numbers) for _ in range(CONNECTIONS)]
    await asyncio.gather(*appending, *(write(storage, numbers) for _ in range(3)))


if __name__ == "__main__":
    if sys.argv[3:] == ["early"]:
        store.Writer = EarlyWriter
    asyncio.run(main(*sys.argv[1:3]))
