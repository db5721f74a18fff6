"""The threads that read, each on a connection of its own that cannot write."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

from neomind_sdk.tables import bind_thread

from . import errors
from .intake import Intake
from .models import Entry, SqliteSettings
from .threads import spawn

T = TypeVar("T")


class Readers:
    """A small pool of threads; a read sees what was committed before it began."""

    def __init__(self, database: APSWDatabase, settings: SqliteSettings) -> None:
        self._database = database
        self._intake = Intake(max_works=settings.queue_reads)
        self._connections: set[apsw.Connection] = set()
        self._threads = [spawn(self._serve, f"neomind-sqlite-reader-{n}") for n in range(settings.readers)]

    async def run(self, work: Callable[[APSWDatabase], T]) -> T:
        """Call ``work`` in one of the threads."""
        return await self._intake.run(work)

    async def close(self, cap_s: float) -> None:
        """Serve who waits; after ``cap_s`` interrupt what still runs, and fail it."""
        self._intake.close(threads=len(self._threads))
        _, running = await asyncio.wait(self._threads, timeout=cap_s)
        if running:
            for connection in self._connections:
                connection.interrupt()
            self._intake.abandon(errors.CLOSED)

    def _serve(self) -> None:
        bind_thread(self._database)
        # At once, because the index of the log lives as long as somebody has it open: without it, a writer that opens
        # the file again after a failed commit would find in the log what it told nobody of, and take it for committed.
        with contextlib.suppress(apsw.Error, peewee.PeeweeException):  # the first read tries again, and tells
            self._connect()
        try:
            while (entry := self._intake.queue.get()) is not None:
                if not entry.future.cancelled():
                    self._answer(entry)
                self._intake.settle([entry])
        finally:
            self._disconnect()

    def _answer(self, entry: Entry) -> None:
        assert entry.work is not None
        try:
            self._connect()
            entry.result = entry.work(self._database)
        except BaseException as error:  # whatever a plugin's work raises goes to its caller
            entry.error = errors.for_caller(error)
            if errors.is_disk_fault(error):
                self._disconnect()

    def _connect(self) -> None:
        if self._database.connect(reuse_if_open=True):
            self._connections.add(self._database.connection())

    def _disconnect(self) -> None:
        if not self._database.is_closed():
            self._connections.discard(self._database.connection())
            with contextlib.suppress(
                apsw.Error, peewee.PeeweeException
            ):  # nothing is lost with a connection that only reads
                self._database.close()
