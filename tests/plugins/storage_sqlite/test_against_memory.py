"""Whatever is stored and asked: the file answers as the simple storage in memory does."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neomind_sdk import Point
from neomind_sdk.testing import strategies
from neomind_sdk.testing.memory import MemoryStorage
from neomind_sdk.testing.suites.base import fuzzed
from neomind_sdk.testing.suites.storage_samples import same

_fresh = itertools.count()
METRICS = ("x", "y", "x:y", "ä")
TIMES = st.integers(-50, 50)
VALUES = st.integers(-9, 9) | st.booleans() | st.sampled_from([1.5, -0.25, "text", "", {"a": [1.0, None]}])
BATCHES = st.lists(st.lists(st.tuples(st.sampled_from(METRICS), TIMES, VALUES), max_size=12), max_size=5)


@attrs.frozen
class Question:
    start: int
    width: int
    bucket: int
    limit: int
    offset: int
    newest_first: bool


QUESTIONS = st.builds(
    Question, TIMES, st.integers(-5, 120), st.integers(1, 30), st.integers(0, 20), st.integers(0, 5), st.booleans()
)


async def answers(store, source, question, cut):
    series, start, end = f"{source}:x", question.start, question.start + question.width
    page = {"limit": question.limit, "offset": question.offset, "newest_first": question.newest_first}
    bucket = question.bucket
    return [
        list(await store.range(series, start, end, **page)),
        await store.count(series, start, end),
        list(await store.aggregate(series, start, end)),
        list(await store.aggregate(series, start, end, bucket_ms=bucket)),
        list(await store.newest_per_bucket(series, start, end, bucket_ms=bucket, limit=question.limit)),
        dict(await store.latest([series, f"{source}:y", f"{source}:none"])),
        dict(await store.latest_of(source)),
        list(await store.series(f"{source}:x")),
        await store.delete_before(cut, series=[series, f"{source}:y"]),
        list(await store.range(series, -99, 99, limit=999)),
        list(await store.series(source)),
        await store.delete_source(source),
        list(await store.series(source)),
    ]


def plain(value):
    """Tuples and mappings as lists, so that types are compared all the way down."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


@given(batches=BATCHES, question=QUESTIONS, cut=TIMES)
@settings(fuzzed, max_examples=150)
async def test_the_same_answers(storage, batches, question, cut):
    memory, source = MemoryStorage(), f"device:{next(_fresh)}"
    for batch in batches:
        points = [Point(f"{source}:{metric}", ts, value, value == 1 or None) for metric, ts, value in batch]
        points = [point._replace(quality=0.5 if point.quality else None) for point in points]
        await storage.telemetry.append(points)
        await memory.telemetry.append(points)
    ours = await answers(storage.telemetry, source, question, cut)
    expected = await answers(memory.telemetry, source, question, cut)
    await memory.close()
    for mine, theirs in zip(plain(ours), plain(expected), strict=True):
        assert mine == pytest.approx(theirs) if isinstance(mine, float) else same(mine, theirs)


@given(numbers=st.lists(strategies.FINITE | strategies.INT64 | st.booleans(), min_size=1, max_size=30))
@settings(fuzzed, max_examples=100)
async def test_aggregates_of_any_numbers(storage, numbers):
    series = f"device:{next(_fresh)}:x"
    await storage.telemetry.append([Point(series, index, number) for index, number in enumerate(numbers)])
    (bucket,) = await storage.telemetry.aggregate(series, 0, 99)
    floats = [float(number) for number in numbers]
    assert (bucket.count, bucket.min, bucket.max) == (len(numbers), min(floats), max(floats))
    assert same(bucket.last, numbers[-1])
    if bucket.sum is not None:
        scale = max(map(abs, floats)) or 1.0
        assert bucket.sum == pytest.approx(sum(floats), rel=1e-9, abs=scale * 1e-9)
        assert bucket.avg == pytest.approx(bucket.sum / len(numbers))
