"""The queries of the telemetry store.

Each returns one row with one value, a number or a JSON text: rows one by one would hand the interpreter lock back and
forth. Of queries about one series ``?1`` is its name, ``?2`` and ``?3`` are the inclusive range.
"""

from __future__ import annotations

from string import Template

PARTS = {
    "points": "storage_sqlite_points",
    "series": "storage_sqlite_series",
    "id": "(SELECT id FROM storage_sqlite_series WHERE name = ?1)",
    # json() keeps what is JSON already from being quoted as text.
    "value": "CASE kind WHEN 1 THEN json(iif(value, 'true', 'false')) WHEN 2 THEN json(value) ELSE value END",
    "number": "CASE WHEN kind <= 1 THEN value * 1.0 END",
    # Down to a multiple of ?4; SQLite's % has the sign of what is divided.
    "floor_ts": "ts - (ts % ?4 + ?4) % ?4",
    "floor_at": "at - (at % ?4 + ?4) % ?4",
    "largest": "1.7976931348623157e308",
}


def _sql(text: str, **parts: str) -> str:
    return Template(Template(text).substitute(PARTS, **parts)).substitute(PARTS)


# Samples are three lists: times, values, qualities.
RANGE = """
SELECT json_array(json_group_array(ts), json_group_array($value), json_group_array(quality))
FROM (SELECT ts, kind, value, quality FROM $points
      WHERE series = $id AND ts BETWEEN ?2 AND ?3
      ORDER BY ts $direction, seq $direction LIMIT ?4 OFFSET ?5)
"""
RANGE_NEWEST_FIRST = _sql(RANGE, direction="DESC")
RANGE_OLDEST_FIRST = _sql(RANGE, direction="ASC")

# The one query with more than one value: the rows as JSON, how many, the time of the last, and of the one behind it.
ROWS = _sql("""
SELECT json_group_array(json_object('timestamp', iif(ts % 1000, ts / 1000.0, ts / 1000), 'value', $value)),
    count(*), min(ts),
    (SELECT ts FROM $points WHERE series = $id AND ts BETWEEN ?2 AND ?3
     ORDER BY ts DESC, seq DESC LIMIT 1 OFFSET ?4 + ?5)
FROM (SELECT ts, kind, value FROM $points
      WHERE series = $id AND ts BETWEEN ?2 AND ?3
      ORDER BY ts DESC, seq DESC LIMIT ?4 OFFSET ?5)
""")

COUNT = _sql("SELECT count(*) FROM $points WHERE series = $id AND ts BETWEEN ?2 AND ?3")

NEWEST_OF = """
SELECT json_group_array(json_array(s.name, p.ts, $value, p.quality)) FROM $source
CROSS JOIN $points p ON p.series = s.id
    AND (p.ts, p.seq) = (SELECT ts, seq FROM $points WHERE series = s.id ORDER BY ts DESC, seq DESC LIMIT 1)
"""
LATEST = _sql(NEWEST_OF, source="(SELECT value AS wanted FROM json_each(?1)) CROSS JOIN $series s ON s.name = wanted")
LATEST_OF = _sql(NEWEST_OF, source="(SELECT id, name FROM $series WHERE name >= ?1 AND name < ?2) s")

SERIES = _sql("""
SELECT json_group_array(name) FROM (
    SELECT name FROM $series s WHERE name >= ?1 AND name < ?2
    AND EXISTS (SELECT 1 FROM $points WHERE series = s.id) ORDER BY name)
""")
SERIES_OLDER = _sql("""
SELECT json_group_array(id) FROM $series s
WHERE EXISTS (SELECT 1 FROM $points WHERE series = s.id AND ts < ?1)
AND (?2 IS NULL OR name IN (SELECT value FROM json_each(?2)))
""")

# Buckets are seven lists, in the order of the fields of Bucket.
BUCKETS = """
SELECT json_array(json_group_array(bucket), json_group_array(n), json_group_array(low), json_group_array(high),
    json_group_array(iif(abs(total) <= $largest, total, NULL)),
    json_group_array(iif(abs(total) <= $largest, total / numbers, NULL)),
    json_group_array(json((SELECT json_quote($value) FROM $points WHERE series = $id AND ts = newest
                           ORDER BY seq DESC LIMIT 1))))
FROM (SELECT $bucket AS bucket, count(*) AS n, count(number) AS numbers, min(number) AS low, max(number) AS high,
          sum(number) AS total, max(ts) AS newest
      FROM (SELECT ts, $number AS number FROM $points WHERE series = $id AND ts BETWEEN ?2 AND ?3)
      $grouping)
"""
AGGREGATE = _sql(BUCKETS, bucket="?2", grouping="HAVING count(*) > 0")
AGGREGATE_BUCKETS = _sql(BUCKETS, bucket="$floor_ts", grouping="GROUP BY 1 ORDER BY 1")

# From the newest sample hop to the newest one before its bucket, and so on: as many steps as buckets are wanted.
NEWEST_PER_BUCKET = _sql("""
WITH RECURSIVE hop (at, step) AS (
    SELECT (SELECT max(ts) FROM $points WHERE series = $id AND ts BETWEEN ?2 AND ?3), 1
    UNION ALL
    SELECT (SELECT max(ts) FROM $points WHERE series = $id AND ts BETWEEN ?2 AND $floor_at - 1), step + 1
    FROM hop WHERE at IS NOT NULL AND step < ?5)
SELECT json_array(json_group_array(ts), json_group_array($value), json_group_array(quality))
FROM hop CROSS JOIN $points ON series = $id AND ts = at
    AND seq = (SELECT max(seq) FROM $points WHERE series = $id AND ts = at)
""")


def after(prefix: str) -> str | bytes:
    """What is greater than every text with this prefix and not greater than any other text behind it."""
    for length in range(len(prefix), 0, -1):
        code = ord(prefix[length - 1])
        if code < 0x10FFFF:
            return prefix[: length - 1] + chr(0xE000 if code == 0xD7FF else code + 1)
    return b""  # SQLite sorts any blob behind all texts
