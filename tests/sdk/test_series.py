"""Data source ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_sdk import series

PART = st.text(st.characters(exclude_characters=":"), min_size=1)


@given(PART, PART, st.text(min_size=1))
def test_ids_split_at_their_first_two_colons(kind: str, ident: str, metric: str) -> None:
    assert series.split(f"{kind}:{ident}:{metric}") == (kind, ident, metric)
    assert series.split(f"{kind}:{ident}:{metric}").source == f"{kind}:{ident}"


@given(PART, st.text(min_size=1))
def test_what_is_made_for_a_device_splits_again(device_id: str, metric: str) -> None:
    assert series.split(series.of_device(device_id, metric)) == ("device", device_id, metric)


@pytest.mark.parametrize("text", ["", "device", "device:", "device:boiler", "device:boiler:", "::t", "device::t"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="<type>:<id>:<metric>"):
        series.split(text)


@pytest.mark.parametrize(("metric", "virtual"), [("temperature", False), ("virtual", False), ("virtual.mean", True)])
def test_virtual_metrics_are_known_by_their_name(metric: str, virtual: bool) -> None:
    assert series.is_virtual(metric) is virtual
    assert series.split(f"device:boiler:{metric}").virtual is virtual
    assert series.split(f"transform:mean:{metric}").virtual
    assert series.undeclared(metric).data_type == ("float" if virtual else "string")
