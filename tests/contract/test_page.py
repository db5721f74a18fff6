"""The kept list of operations is what the page says."""

from __future__ import annotations

import pytest

from . import page
from .operations import OPERATIONS, PUBLIC

TEXT = """
| Method | Path | Description |
|---|---|---|
| GET | /things | List |
| PATCH | /things/:id/x | Change (`{"a": 1}`) |
| Base URL | http://x | no operation |
/api/health//health/live/api/setup/*(first-run)/api/tools
"""


@pytest.fixture(scope="module")
def text():
    path = page.found()
    if path is None:
        return None
    return path.read_text(encoding="utf-8")


def test_every_row_of_the_page_is_kept_and_no_other(text):
    if text is None:
        return  # the kept list stands for it
    kept = {one.name for one in OPERATIONS if one.group not in ("public", "realtime")}
    assert kept == page.rows(text)


def test_what_the_page_calls_public_is_public(text):
    if text is None:
        return
    kept = {one.path for one in OPERATIONS if one.auth == PUBLIC}
    assert page.public(text) <= kept
    # The page says "no auth" of these in their rows, and of types and components the contract decides it.
    rest = {"/devices/:id/webhook", "/dashboards/shared/:token", "/extensions/types", "/extensions/:id/components"}
    assert kept - page.public(text) == rest


def test_the_page_is_read():
    assert page.rows(TEXT) == {"GET /things", "PATCH /things/:id/x"}
    assert page.public(TEXT) == {"/health", "/health/live", "/setup/*", "/tools"}


def test_where_the_page_is(monkeypatch, tmp_path):
    monkeypatch.setenv(page.VARIABLE, str(tmp_path / "nowhere.txt"))
    assert page.found() is None
    (tmp_path / "nowhere.txt").touch()
    assert page.found() == tmp_path / "nowhere.txt"


def test_no_operation_is_kept_twice():
    names = [one.name for one in OPERATIONS]
    assert sorted(set(names)) == sorted(names)


def test_there_are_enough_of_them():
    assert len(OPERATIONS) > 70
