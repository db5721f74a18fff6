"""A database that an earlier version has written is taken over."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from .conftest import OK, Receiver

NODE = "0123456789abcdef"
LATER_MS = 4_000_000_000_000
BEFORE_BEATS = f"""
CREATE TABLE neomind_migrations (set_name TEXT NOT NULL, step TEXT NOT NULL, applied_ms INTEGER NOT NULL,
    PRIMARY KEY (set_name, step));
INSERT INTO neomind_migrations VALUES ('outbox', '0001_init', 1);
CREATE TABLE outbox_attempts (id INTEGER NOT NULL PRIMARY KEY, delivery_id TEXT NOT NULL, attempt INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, took_ms INTEGER NOT NULL, ok INTEGER NOT NULL, detail TEXT NOT NULL);
CREATE TABLE outbox_lanes (lane TEXT NOT NULL PRIMARY KEY, held TEXT NOT NULL, owner TEXT, lease_ms INTEGER NOT NULL);
CREATE TABLE outbox_orders (seq INTEGER NOT NULL PRIMARY KEY, delivery_id TEXT NOT NULL, lane TEXT NOT NULL,
    kind TEXT NOT NULL, payload TEXT NOT NULL, subject TEXT NOT NULL, cause TEXT, hops INTEGER NOT NULL,
    expires_ms INTEGER, state TEXT NOT NULL, attempts INTEGER NOT NULL, created_ms INTEGER NOT NULL, first_ms INTEGER,
    next_ms INTEGER, finished_ms INTEGER, tell_ms INTEGER, detail TEXT NOT NULL);
INSERT INTO outbox_lanes VALUES ('own', '', '{NODE}', {LATER_MS}), ('other', '', 'fedcba9876543210', {LATER_MS}),
    ('free', '', NULL, 0), ('held', 'HTTP 410', NULL, 0);
INSERT INTO outbox_orders (delivery_id, lane, kind, payload, subject, hops, state, attempts, created_ms, detail)
    SELECT 'msg_' || lane, lane, 'test', '{{"n":1}}', '', 0, 'pending', 1, 1, '' FROM outbox_lanes;
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "data" / "outbox").mkdir(parents=True)
    (tmp_path / "data" / "outbox" / "node").write_text(NODE)
    path = tmp_path / "data" / "neomind.db"
    with closing(apsw.Connection(str(path))) as database:
        database.execute(BEFORE_BEATS)
    return path


def columns(path: Path) -> list[str]:
    with closing(apsw.Connection(str(path))) as database:
        return [row[1] for row in database.execute("PRAGMA table_info(outbox_lanes)")]


async def test_what_waits_goes_on_and_what_is_held_stays_held(old: Path, start: Any, receiver: Receiver) -> None:
    receiver.answers("own", OK)
    async with start(sqlite=True) as world:
        await world.until(lambda: len(receiver.ended) == 2)
        assert {lane for lane, _, _ in receiver.made} == {"own", "free"}  # at once: this node had the one
        assert await world.outbox.held() == {"held": "HTTP 410"}
        await world.pass_time(70, 1)
        await world.until(lambda: len(receiver.ended) == 3)
        assert receiver.made[-1][0] == "other"  # which says of itself that it is taken for long
    assert columns(old) == ["lane", "held", "owner", "beat"]


async def test_a_new_one_has_the_same_columns(start: Any, tmp_path: Path) -> None:
    async with start(sqlite=True):
        pass
    async with start(sqlite=True):
        pass
    assert columns(tmp_path / "data" / "neomind.db") == ["lane", "held", "owner", "beat"]
