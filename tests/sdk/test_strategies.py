"""What the strategies make is what their docstrings say."""

from __future__ import annotations

import json

from hypothesis import given, settings

from neomind_core.contracts import SEVERITIES
from neomind_core.contracts.fields import clean
from neomind_sdk.testing import strategies

brief = settings(max_examples=30, deadline=None)


@brief
@given(strategies.json_values())
def test_json_values(value):
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert json.dumps(value, ensure_ascii=False).encode()


@brief
@given(strategies.json_objects())
def test_json_objects(value):
    assert isinstance(value, dict)
    assert all(map(clean, value))


@brief
@given(strategies.ids(), strategies.metric_names())
def test_names(ident, metric):
    assert 1 <= len(ident) <= 64
    assert metric.replace(".", "").replace("_", "").isalnum()


@brief
@given(strategies.points("device:x"))
def test_points(point):
    assert point.series.startswith("device:x:")
    assert point.value is not None
    assert point.ts_ms >= 0


@brief
@given(strategies.messages())
def test_messages(message):
    assert message.title.strip()
    assert message.severity in SEVERITIES
    assert clean(message.message)


@brief
@given(strategies.credentials())
def test_credentials(credentials):
    assert all(name == name.lower() for name in credentials.headers)
