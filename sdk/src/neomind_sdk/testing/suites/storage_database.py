"""Rules of ``Database``, part of the suite for storage engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


class Refused(Exception):
    """What works raise here."""


class DatabaseRules:
    """Tests with the fixtures ``subject`` (an open storage) and ``note`` (a model with one unique ``text``)."""

    async def texts(self, subject: Any, note: Any) -> list[str]:
        """All notes in the order of their ids."""
        found: list[str] = await subject.database.read(lambda: [row.text for row in note.select().order_by(note.id)])
        return found

    async def test_write_returns_what_the_work_returned(self, subject: Any, note: Any) -> None:
        row = await subject.database.write(lambda: note.create(text="one"))
        assert row.text == "one", "write() returns what the work returned"
        count = await subject.database.read(lambda: note.select().count())
        assert count == 1, "read() sees what an earlier write() stored, and returns what the work returned"

    async def test_a_work_that_raises_leaves_nothing(self, subject: Any, note: Any) -> None:
        error = Refused("no")

        def work() -> None:
            note.create(text="half")
            raise error

        with pytest.raises(Refused, match="no"):
            await subject.database.write(work)
        assert await self.texts(subject, note) == [], "when a work raises, its changes are undone"

    async def test_one_failure_among_many_harms_nobody(self, subject: Any, note: Any) -> None:
        def work(number: int) -> int:
            note.create(text=str(number))
            if number % 3 == 0:
                raise Refused(number)
            return number

        answers = await asyncio.gather(
            *(subject.database.write(lambda number=number: work(number)) for number in range(12)),
            return_exceptions=True,
        )
        failed = [number for number, answer in enumerate(answers) if isinstance(answer, Refused)]
        assert failed == [0, 3, 6, 9], f"the exception of a work goes to its caller and to nobody else: {answers}"
        kept = [str(number) for number in range(12) if number % 3]
        assert await self.texts(subject, note) == kept, "works run in the order given, each with a fate of its own"

    async def test_errors_of_the_database_come_back(self, subject: Any, note: Any) -> None:
        import peewee

        await subject.database.write(lambda: note.create(text="twin"))
        with pytest.raises(peewee.IntegrityError):
            await subject.database.write(lambda: note.create(text="twin"))
        with pytest.raises(note.DoesNotExist):
            await subject.database.read(lambda: note.get(note.text == "nobody"))
        assert await self.texts(subject, note) == ["twin"]

    async def test_works_can_have_savepoints(self, subject: Any, note: Any) -> None:
        def inner() -> None:
            with note._meta.database.atomic():
                note.create(text="undone")
                raise Refused("inner")

        def work() -> None:
            note.create(text="before")
            with pytest.raises(Refused):
                inner()
            note.create(text="behind")

        await subject.database.write(work)
        assert await self.texts(subject, note) == ["before", "behind"], "atomic() in a work undoes its own part only"

    async def test_read_cannot_write(self, subject: Any, note: Any) -> None:
        with pytest.raises(Exception):  # noqa: B017 - each engine has its own; what counts is that nothing is stored
            await subject.database.read(lambda: note.create(text="sly"))
        assert await self.texts(subject, note) == [], "read() runs on a connection that cannot write"
        await subject.database.write(lambda: note.create(text="honest"))
        assert await self.texts(subject, note) == ["honest"], "and write() can, afterwards"

    async def test_a_migration_is_undone_as_a_whole(self, subject: Any, note: Any) -> None:
        def work(database: Any) -> None:
            database.execute_sql("CREATE TABLE contract_half (id INTEGER)")
            note.create(text="half")
            raise Refused("step")

        with pytest.raises(Refused):
            await subject.migrate(work)
        tables = await subject.migrate(lambda database: database.get_tables())
        assert "contract_half" not in tables, "migrate() undoes the schema changes of a work that raises"
        assert await self.texts(subject, note) == [], "migrate() undoes all changes of a work that raises"

    async def test_a_migration_gets_the_peewee_database(self, subject: Any, note: Any) -> None:
        def work(database: Any) -> str:
            database.execute_sql("ALTER TABLE contract_notes ADD COLUMN colour TEXT")
            note.create(text="models work in it too")
            return "done"

        assert await subject.migrate(work) == "done", "migrate() returns what the work returned"
        columns = await subject.migrate(lambda database: database.get_columns("contract_notes"))
        assert "colour" in {column.name for column in columns}
        assert await self.texts(subject, note) == ["models work in it too"]

    async def test_a_cancelled_caller_harms_nobody(self, subject: Any, note: Any) -> None:
        tasks = [asyncio.create_task(subject.database.write(lambda n=n: note.create(text=str(n)))) for n in range(9)]
        await asyncio.sleep(0)
        tasks[4].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[4], asyncio.CancelledError), "who is cancelled while waiting is cancelled"
        assert not [a for n, a in enumerate(answers) if n != 4 and isinstance(a, BaseException)], f"{answers}"
        stored = [text for text in await self.texts(subject, note) if text != "4"]
        assert stored == ["0", "1", "2", "3", "5", "6", "7", "8"], "the others are stored, in their order"
