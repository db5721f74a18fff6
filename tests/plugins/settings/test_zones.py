"""Time zones."""

from __future__ import annotations

import zoneinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neomind_plugins.settings import zones


def test_the_common_zones_are_zones() -> None:
    assert len(zones.COMMON) == 17
    assert zones.DEFAULT in zones.COMMON
    assert [name for name in zones.COMMON if zones.problem(name)] == []
    assert all(zones.COMMON.values())


@settings(deadline=None, database=None)
@given(st.sampled_from(sorted(zoneinfo.available_timezones())))
def test_every_zone_is_a_zone(name: str) -> None:
    assert zones.problem(name) is None


@settings(deadline=None, database=None)
@given(st.text(max_size=40))
def test_nothing_else_is_a_zone(text: str) -> None:
    assert (zones.problem(text) is None) == (text in zoneinfo.available_timezones())


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "Europe",
        "Europe/",
        "Europe/Atlantis",
        "../zoneinfo/UTC",
        "/usr/share/zoneinfo/UTC",
        "./UTC",
        "UTC\x00",
        "UTC\udc80",
        "zone.tab",
        "tzdata.zi",
        "+02:00",
        "x" * 10_000,
        "a/" * 3000 + "b",
    ],
)
def test_what_is_no_zone(name: str) -> None:
    assert zones.problem(name) == "must be the IANA name of a time zone, e.g. Europe/Berlin"
