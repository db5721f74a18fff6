"""Times as texts keep their milliseconds."""

from __future__ import annotations

from datetime import datetime

from hypothesis import example, given
from hypothesis import strategies as st

from neomind_plugins.devices.views import iso
from neomind_sdk.units import MAX_MS


@given(st.integers(min_value=0, max_value=MAX_MS))
@example(0)
@example(999)
@example(1000)
@example(10**11 - 1)
@example(10**11)
def test_a_time_and_its_text_are_the_same(ts_ms: int) -> None:
    text = iso(ts_ms)
    assert text is not None
    assert text.endswith("+00:00")
    assert round(datetime.fromisoformat(text).timestamp() * 1000) == ts_ms


def test_no_time_has_no_text() -> None:
    assert iso(None) is None
