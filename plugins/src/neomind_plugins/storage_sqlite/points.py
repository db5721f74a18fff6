"""Samples as rows: what the writer thread does to the telemetry tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import orjson

from neomind_sdk import Point

NUMBER, BOOL, JSON_TEXT, TEXT = range(4)
KINDS: dict[type, int] = {int: NUMBER, float: NUMBER, bool: BOOL, dict: JSON_TEXT, list: JSON_TEXT, str: TEXT}
MAX_KNOWN = 100_000
FAR_MS = 2**62

# All rows are one parameter: a statement per row would hand the interpreter lock back and forth for each of them.
INSERT = """
INSERT INTO storage_sqlite_points (series, ts, seq, kind, value)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)
"""
# Where a series has samples at that millisecond already, the new ones come after them; that is looked up unless they
# are newer than all that the series has. What a row does not have is NULL.
INSERT_ANY = """
INSERT INTO storage_sqlite_points (series, ts, seq, kind, value, quality)
SELECT s, t, CASE WHEN older
    THEN turn + ifnull((SELECT max(seq) + 1 FROM storage_sqlite_points WHERE series = s AND ts = t), 0)
    ELSE turn END, k, v, q
FROM (SELECT value ->> 0 AS s, value ->> 1 AS t, value ->> 2 AS turn, value ->> 3 AS k, value ->> 4 AS v,
      value ->> 5 AS q, value ->> 6 AS older FROM json_each(?))
"""
ADD_SERIES = "INSERT OR IGNORE INTO storage_sqlite_series (name) SELECT value FROM json_each(?)"
FIND_SERIES = """
SELECT json_group_object(name, json_array(id, (SELECT max(ts) FROM storage_sqlite_points WHERE series = id)))
FROM storage_sqlite_series WHERE name IN (SELECT value FROM json_each(?))
"""
# The sample after the ones that a step may delete.
BOUNDARY = """
SELECT ts, seq FROM storage_sqlite_points WHERE series = ? AND ts < ? ORDER BY ts, seq LIMIT 1 OFFSET ?
"""
DELETE = "DELETE FROM storage_sqlite_points WHERE series = ? AND (ts, seq) < (?, ?)"
DELETE_EMPTY = """
DELETE FROM storage_sqlite_series
WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM storage_sqlite_points WHERE series = ?1) RETURNING name
"""


class PointTable:
    """Inserts and deletes samples; used in the writer thread only.

    Remembers the ids of series, and of each a time (by id) that none of its samples is after.
    """

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._newest: dict[int, int] = {}

    def missing(self, points: Iterable[Point]) -> list[str]:
        """The series whose ids must be learnt before these points can be inserted."""
        if len(self._ids) > MAX_KNOWN:
            self.forget()
        return list({point.series for point in points} - self._ids.keys())

    def learn(self, connection: apsw.Connection, names: Sequence[str]) -> None:
        """Find the ids of series, new ones included; inside a transaction."""
        wanted = orjson.dumps(names).decode()
        connection.execute(ADD_SERIES, (wanted,))
        for name, (ident, newest_ms) in orjson.loads(connection.execute(FIND_SERIES, (wanted,)).get).items():
            self._ids[name] = ident
            self._newest[ident] = -FAR_MS if newest_ms is None else newest_ms

    def forget(self) -> None:
        """Forget all ids, as is needed when a transaction that made some of them was undone."""
        self._ids.clear()
        self._newest.clear()

    def insert(self, connection: apsw.Connection, points: Iterable[Point]) -> None:
        """Insert points of known series, in order, by one statement."""
        rows, plain = self._rows(points)
        connection.execute(INSERT if plain else INSERT_ANY, (orjson.dumps(rows).decode(),))

    def _rows(self, points: Iterable[Point]) -> tuple[list[tuple[Any, ...]], bool]:
        """The rows, and whether there is nothing about any of them: no quality, and newer than all of its series."""
        ids, newest, before, plain = self._ids, self._newest, dict[int, int](), True
        rows, turns = list[tuple[Any, ...]](), dict[tuple[int, int], int]()
        for series, ts_ms, value, quality in points:
            ident = ids[series]
            place = (ident, ts_ms)
            turn = turns.get(place, 0)
            turns[place] = turn + 1
            kind = KINDS[type(value)]
            row = (ident, ts_ms, turn, kind, orjson.dumps(value).decode() if kind == JSON_TEXT else value)
            if ts_ms > before.setdefault(ident, newest[ident]) and quality is None:
                rows.append(row)
            else:
                rows.append((*row, quality, ts_ms <= before[ident]))
                plain = False
            newest[ident] = max(newest[ident], ts_ms)
        return rows, plain

    def delete_step(
        self, connection: apsw.Connection, ids: Sequence[int], ts_ms: int, budget: int
    ) -> tuple[int, Sequence[int]]:
        """Delete at most ``budget`` samples older than ``ts_ms``; returns how many, and the series still to do."""
        deleted = 0
        for index, series in enumerate(ids):
            if deleted == budget:
                return deleted, ids[index:]
            boundary = connection.execute(BOUNDARY, (series, ts_ms, budget - deleted)).get
            connection.execute(DELETE, (series, *(boundary or (ts_ms, 0))))
            deleted += connection.changes()
            if boundary is not None:
                return deleted, ids[index:]
            self._ids.pop(connection.execute(DELETE_EMPTY, (series,)).get, None)
        return deleted, ()
