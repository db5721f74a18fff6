"""Samples as columns are the same sequence as samples one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_sdk import Sample, Samples

ROWS = st.lists(st.builds(Sample, st.integers(0, 2**40), st.floats(allow_nan=False), st.none() | st.floats(0, 1)))


@given(ROWS, st.slices(10))
def test_they_are_what_they_are_made_of(rows, part):
    samples = Samples.of(rows)
    assert list(samples) == rows
    assert samples == rows
    assert len(samples) == len(rows)
    assert samples[part] == rows[part]
    assert isinstance(samples[part], Samples)
    assert [samples[at] for at in range(len(rows))] == rows
    assert Samples.of(samples) is samples


def test_others_are_not_the_same():
    samples = Samples.of([Sample(1, 2.0)])
    assert samples != [Sample(1, 3.0)]
    assert samples != 7
    with pytest.raises(IndexError):
        samples[1]
    with pytest.raises(TypeError):
        hash(samples)
