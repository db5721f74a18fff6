"""The one thread that writes: it owns the only connection that can, commits in groups, and checkpoints."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

from neomind_sdk import Point, StorageFailed, StorageFull
from neomind_sdk.tables import bind_thread

from . import errors, files
from .intake import Intake
from .lock import DirectoryLock
from .models import Entry, SqliteSettings
from .points import PointTable
from .threads import finish, spawn, tell

IDLE_S = 30.0  # not sooner: a checkpoint after each sample of a slow device would wear out its card
RETRY_S = 1.0
log = logging.getLogger(__name__)


class Writer:
    """Takes what waits, as a group, commits it, and only then has the callers told.

    Groups form by themselves: while one is committed, the next one gathers. Whoever is alone is committed at once.
    The lock on the data directory is held for exactly as long as the thread runs.

    ``intake``   the queue; its methods are called in the event loop
    ``points``   the telemetry tables; for works, in the thread
    ``trouble``  what was wrong with the latest group, or empty
    """

    def __init__(self, database: APSWDatabase, lock: DirectoryLock, settings: SqliteSettings) -> None:
        self.intake = Intake(max_works=settings.queue_works, max_rows=settings.queue_rows)
        self.points = PointTable()
        self.trouble = ""
        self._database = database
        self._lock = lock
        self._settings = settings
        self._checkpoint_pages = settings.checkpoint_kib * 1024 // files.PAGE_BYTES
        self._merged = 0
        self._stopping = False
        self._distrusted = False

    async def open(self) -> None:
        """Start the thread and wait until it has the file open; raises ``StorageUnusable``."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._thread = spawn(
            lambda: self._run(lambda error: tell(loop, finish, opened, error)), "neomind-sqlite-writer"
        )
        try:
            await opened
        except BaseException:
            self.intake.close()
            raise

    async def close(self, cap_s: float) -> None:
        """Commit what was accepted and end the thread; what is not done after ``cap_s`` fails."""
        self.intake.close()
        _, running = await asyncio.wait([self._thread], timeout=cap_s)
        if running:
            self.intake.abandon(errors.CLOSED)

    # ---- in the thread ----------------------------------------------------------------------------------------

    def _run(self, opened: Callable[[BaseException | None], None]) -> None:
        try:
            self._lock.acquire()
            files.prepare(self._database)
        except BaseException as error:
            self._leave()
            opened(error)
            return
        bind_thread(self._database)
        opened(None)
        try:
            self._serve()
        except BaseException as error:  # nobody may wait for a thread that is no more
            self._blame("the writer ended", error)
            self.intake.give_up("The storage's writer ended unexpectedly")
        finally:
            self._leave()

    def _leave(self) -> None:
        self._disconnect()
        self._lock.release()

    def _serve(self) -> None:
        while (entry := self._next()) is not None:
            group = self._gather(entry)
            while group:
                group = group[self._transact(group) :]
            if self._unmerged() >= self._checkpoint_pages:
                self._checkpoint()

    def _next(self) -> Entry | None:
        """Wait for an entry, and tidy up when nothing comes for a while. ``None`` is the end."""
        while not self._stopping:
            patience = RETRY_S if self.trouble else IDLE_S if self._unmerged() else None
            try:
                return self.intake.queue.get(timeout=patience)
            except Empty:
                self._tidy()
        return None

    def _gather(self, first: Entry) -> list[Entry]:
        """``first`` and what else waits already, up to the size of a group."""
        group, weight = [first], first.weight
        while weight < self._settings.group_rows and not self.intake.queue.empty():
            entry = self.intake.queue.get_nowait()
            if entry is None:
                self._stopping = True
                break
            group.append(entry)
            weight += entry.weight
        return group

    def _transact(self, group: Sequence[Entry]) -> int:
        """Commit a group, or the beginning of it that fits into the time; settle and count what was tried."""
        try:
            self._reconnect_if_distrusted()
            done = self._commit(group)
            self.trouble = ""
        except BaseException as error:
            self._fail(group, error)
            done = len(group)
        self.intake.settle(group[:done])
        return done

    def _commit(self, group: Sequence[Entry]) -> int:
        points = [point for entry in group for point in entry.points]
        if all(entry.work is None for entry in group) and not self.points.missing(points):
            # One statement is a transaction of its own: the interpreter lock changes hands once, not four times.
            self.points.insert(self._database.connection(), points)
            return len(group)
        with self._database.transaction("IMMEDIATE"):
            return self._apply(group)

    def _apply(self, group: Sequence[Entry]) -> int:
        until = time.monotonic() + self._settings.group_ms / 1000
        done = 0
        for is_work, entries in itertools.groupby(group, lambda entry: entry.work is not None):
            if not is_work:
                done += self._append(list(entries))
                continue
            for entry in entries:
                self._attempt(entry)
                done += 1
                if time.monotonic() > until:
                    return done
        return done

    def _append(self, entries: Sequence[Entry]) -> int:
        points: list[Point] = [point for entry in entries for point in entry.points]
        connection = self._database.connection()
        missing = self.points.missing(points)
        if missing:
            self.points.learn(connection, missing)
        self.points.insert(connection, points)
        return len(entries)

    def _attempt(self, entry: Entry) -> None:
        """Run a work so that, when it raises, its own changes are undone and nobody else's."""
        assert entry.work is not None
        connection = self._database.connection()
        connection.execute("SAVEPOINT work")
        try:
            entry.result = entry.work(self._database)
            _check_deferred(connection)
        except BaseException as error:
            if not connection.in_transaction or errors.is_full(error) or errors.is_disk_fault(error):
                raise  # the disk fails everybody, and SQLite may have given up the whole transaction
            connection.execute("ROLLBACK TO work")
            entry.error = errors.for_caller(error)
        connection.execute("RELEASE work")

    def _fail(self, group: Iterable[Entry], error: BaseException) -> None:
        """Nobody in the group is acknowledged, and nothing is tried again: what the disk has now is not known."""
        full = errors.is_full(error)
        for entry in group:
            entry.error = StorageFull() if full else StorageFailed(errors.FAILED)
        self.points.forget()
        if not full:
            self._distrusted = True
        elif not self._distrusted:
            self._checkpoint()  # what is in the database then frees its place in the log
        self._blame("the disk is full" if full else "the latest commit failed", error)

    # ---- looking after the file -------------------------------------------------------------------------------

    def _blame(self, what: str, error: BaseException) -> None:
        trouble = f"{what}: {errors.one_line(error)}"
        if trouble != self.trouble:
            log.error("storage trouble: %s", what, exc_info=error)
        self.trouble = trouble

    def _tidy(self) -> None:
        """In a quiet moment: see whether the disk works again, or move the log into the database."""
        if not self.trouble:
            self._checkpoint()
            return
        try:
            self._reconnect_if_distrusted()
            files.probe(self._database)
            self.trouble = ""
        except Exception as error:
            self._blame("the disk does not work yet", error)

    def _reconnect_if_distrusted(self) -> None:
        if self._distrusted:
            self._disconnect()
            files.prepare(self._database)
            self._merged = 0
            self._distrusted = False

    def _disconnect(self) -> None:
        try:
            self._database.close()
        except (apsw.Error, peewee.PeeweeException):
            log.exception("the database file was not closed well")

    def _written(self) -> int:
        """Pages written to the log since the connection was made."""
        pages: int = self._database.connection().status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)[0]
        return pages

    def _unmerged(self) -> int:
        """How many of them came after the latest checkpoint."""
        return 0 if self._distrusted else self._written() - self._merged

    def _checkpoint(self) -> None:
        self._merged = self._written()
        try:
            self._database.connection().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            self._blame("the log cannot be moved into the database", error)


def _check_deferred(connection: apsw.Connection) -> None:
    """Raise when a deferred foreign key is still broken: at the commit it would fail the whole group."""
    if connection.status(apsw.SQLITE_DBSTATUS_DEFERRED_FKS)[0]:
        raise peewee.IntegrityError("FOREIGN KEY constraint failed")
