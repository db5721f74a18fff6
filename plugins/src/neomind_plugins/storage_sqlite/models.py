"""Settings of the plugin, and what waits to be written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from neomind_sdk import Point, fields


@attrs.frozen(kw_only=True)
class SqliteSettings:
    """``[plugin.storage_sqlite]``.

    ``durability``      ``durable``: an acknowledged write survives a power cut; ``fast``: it survives a crash of the
                        platform, and the last moments before a power cut may be lost
    ``group_rows``      a commit takes in at most about this many waiting samples and writes
    ``group_ms``        and begins no further write once it has run this long
    ``queue_rows``      samples that may wait; more are refused with 503
    ``queue_works``     writes of configuration that may wait; the same
    ``queue_reads``     reads that may wait; the same
    ``readers``         reads that run at the same time
    ``cache_kib``       page cache of each connection
    ``checkpoint_kib``  the write-ahead log goes into the database after every so much that was written
    """

    durability: str = fields.one_of(("durable", "fast"), default="durable")
    group_rows: int = fields.number(ge=1, le=100_000, default=500)
    group_ms: int = fields.number(ge=1, le=1_000, default=5)
    queue_rows: int = fields.number(ge=1, default=20_000)
    queue_works: int = fields.number(ge=1, default=1_000)
    queue_reads: int = fields.number(ge=1, default=1_000)
    readers: int = fields.number(ge=1, le=16, default=2)
    cache_kib: int = fields.number(ge=64, default=4_096)
    checkpoint_kib: int = fields.number(ge=64, default=4_096)


@attrs.define(eq=False)
class Entry:
    """Points, or a work that is called with the peewee database; ``future`` is settled after the commit."""

    future: asyncio.Future[None]
    points: Sequence[Point] = ()
    work: Callable[[Any], Any] | None = None
    result: Any = None
    error: BaseException | None = None

    @property
    def weight(self) -> int:
        """How much of a group it takes up."""
        return len(self.points) or 1
