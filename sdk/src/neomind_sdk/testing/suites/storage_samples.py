"""Rules of ``TelemetryStore``, part of the suite for storage engines."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_core.contracts import Bucket, Point, Sample, ValidationFailed
from neomind_sdk.testing import strategies

from . import base

FAR_MS = 8_000_000_000_000_000
SERIES = "device:boiler:temperature"
_fresh = itertools.count()


def same(left: Any, right: Any) -> bool:
    """Equal, and of equal types all the way down: ``1``, ``1.0`` and ``True`` are three values."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


BAD_VALUES: Sequence[Any] = (
    *(None, float("nan"), float("inf"), 2**63, -(2**63) - 1, "a\0b", "\ud800", b"bytes", (1, 2), object()),
    *({"a": float("nan")}, {"a": {"b": 2**64}}, {1: 2}, ["\udfff"], {"\0": 1}, [(1,)], nested(40)),
)
BAD_SERIES: Sequence[Any] = ("", "device:a\0:b", "device:\ud800:b", None, 7)
BAD_TIMES: Sequence[Any] = (1.5, True, None, "1", 2**63, -(2**62))
BAD_QUALITIES: Sequence[Any] = ("good", float("nan"), float("-inf"), True)
BAD_POINTS = (
    *(Point(SERIES, 1, value) for value in BAD_VALUES),
    *(Point(series, 1, 1) for series in BAD_SERIES),
    *(Point(SERIES, ts_ms, 1) for ts_ms in BAD_TIMES),
    *(Point(SERIES, 1, 1, quality) for quality in BAD_QUALITIES),
)


class SampleRules:
    """Tests with the fixture ``subject`` (an open storage)."""

    async def stored(self, subject: Any, series: str) -> Sequence[Sample]:
        """All samples of a series, by time then arrival."""
        found: Sequence[Sample] = await subject.telemetry.range(
            series, -FAR_MS, FAR_MS, limit=100_000, newest_first=False
        )
        return found

    async def fill(self, subject: Any, *samples: tuple[int, Any], series: str = SERIES) -> None:
        """Append samples in one batch."""
        await subject.telemetry.append([Point(series, ts_ms, value) for ts_ms, value in samples])

    # ---- append -----------------------------------------------------------------------------------------------

    @given(value=strategies.metric_values(), quality=st.none() | strategies.FINITE)
    @base.fuzzed
    async def test_values_come_back_as_they_were(self, subject: Any, value: Any, quality: float | None) -> None:
        series = f"device:fuzz:{next(_fresh)}"
        await subject.telemetry.append([Point(series, 1, value, quality)])
        sample = (await self.stored(subject, series))[0]
        assert isinstance(sample, Sample), f"range() returns Samples, not {sample!r}"
        assert same(sample.value, value), f"{value!r} came back as {sample.value!r}: types and digits must be kept"
        assert sample.quality == quality, "quality is kept as it is"
        latest = (await subject.telemetry.latest([series]))[series]
        assert same(latest.value, value), f"{value!r} came back from latest() as {latest.value!r}"
        last = (await subject.telemetry.aggregate(series, 0, 1))[0].last
        assert same(last, value), f"{value!r} came back as the last of a bucket as {last!r}"

    async def test_large_values(self, subject: Any) -> None:
        values = ["x" * 200_000, {"list": list(range(5_000))}, "", {}, [], "null", "[1]", "1", 2**53 + 1, 5e-324]
        await self.fill(subject, *enumerate(values))
        found = [sample.value for sample in await self.stored(subject, SERIES)]
        assert all(map(same, found, values)), f"{values} came back as {found}"

    @pytest.mark.parametrize("bad", BAD_POINTS, ids=lambda point: ascii(point)[:60])
    async def test_what_cannot_be_kept_is_refused(self, subject: Any, bad: Point) -> None:
        with pytest.raises(ValidationFailed, match=r"points\[1\]"):
            await subject.telemetry.append([Point(SERIES, 1, 1), bad])
        assert await self.stored(subject, SERIES) == [], "of a batch with a bad point nothing is stored"

    async def test_appending_nothing(self, subject: Any) -> None:
        await subject.telemetry.append([])
        assert await subject.telemetry.series() == []

    async def test_one_millisecond_holds_many_in_order(self, subject: Any) -> None:
        await self.fill(subject, (7, "a"), (7, "b"), (6, "early"), (7, "c"))
        await self.fill(subject, (7, "d"))
        await asyncio.gather(*(self.fill(subject, (7, n)) for n in range(40)))
        values = [sample.value for sample in await self.stored(subject, SERIES)]
        expected = ["early", "a", "b", "c", "d", *range(40)]
        assert values == expected, "samples of one millisecond all live, in the order of arrival"
        newest = await subject.telemetry.range(SERIES, 7, 7, limit=3, offset=1)
        assert [sample.value for sample in newest] == [38, 37, 36], "newest first turns the order of arrival too"
        assert (await subject.telemetry.latest([SERIES]))[SERIES].value == 39, "the last to arrive is the newest"

    async def test_the_caller_keeps_its_objects(self, subject: Any) -> None:
        value, points = {"list": [1]}, [Point(SERIES, 1, {"list": [0]})]
        points.append(Point(SERIES, 2, value))
        await subject.telemetry.append(points)
        value["list"].append(2)
        points.clear()
        (await self.stored(subject, SERIES))[1].value["list"].append(3)
        found = [sample.value for sample in await self.stored(subject, SERIES)]
        assert found == [{"list": [0]}, {"list": [1]}], "what is stored is not the caller's own object"

    async def test_a_cancelled_append_harms_nobody(self, subject: Any) -> None:
        tasks = [asyncio.create_task(self.fill(subject, (n, n))) for n in range(30)]
        await asyncio.sleep(0)
        for task in tasks[::7]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        acked = [n for n, answer in enumerate(answers) if answer is None]
        assert len(acked) >= 25, f"only those that were cancelled may fail: {answers}"
        stored = [sample.value for sample in await self.stored(subject, SERIES)]
        assert set(acked) <= set(stored), "what was acknowledged is stored"
        assert stored == sorted(set(stored)), "nothing is stored twice"

    # ---- reading ----------------------------------------------------------------------------------------------

    async def test_unknown_series_are_empty(self, subject: Any) -> None:
        store, unknown = subject.telemetry, "device:nobody:nothing"
        assert list(await store.range(unknown, 0, FAR_MS, limit=5)) == []
        assert await store.count(unknown, 0, FAR_MS) == 0
        assert dict(await store.latest([unknown])) == {}
        assert dict(await store.latest_of("device:nobody")) == {}
        assert list(await store.aggregate(unknown, 0, FAR_MS)) == []
        assert list(await store.aggregate(unknown, 0, FAR_MS, bucket_ms=10)) == []
        assert list(await store.newest_per_bucket(unknown, 0, FAR_MS, bucket_ms=10, limit=5)) == []
        assert list(await store.series("device:nobody")) == []
        assert await store.delete_before(FAR_MS, series=[unknown]) == 0
        assert await store.delete_source("device:nobody") == 0

    async def test_ranges_are_inclusive_and_paged(self, subject: Any) -> None:
        await self.fill(subject, *((n, n) for n in (5, 3, 1, 4, 2)))
        store = subject.telemetry

        async def values(*args: Any, **more: Any) -> list[Any]:
            return [sample.value for sample in await store.range(SERIES, *args, **more)]

        assert await values(2, 4, limit=10) == [4, 3, 2], "newest first; both ends belong to the range"
        assert await values(2, 4, limit=10, newest_first=False) == [2, 3, 4]
        assert await values(0, 9, limit=2, offset=1) == [4, 3], "offset skips from the newest"
        assert await values(0, 9, limit=2, offset=1, newest_first=False) == [2, 3], "offset skips from the oldest"
        assert await values(0, 9, limit=10, offset=4) == [1]
        assert await values(0, 9, limit=10, offset=9) == []
        assert await values(0, 9, limit=0) == []
        assert await values(4, 2, limit=10) == []
        assert await values(-(2**70), 2**70, limit=2**70) == [5, 4, 3, 2, 1], "a bound may be any integer"
        assert await store.count(SERIES, 2, 4) == 3
        assert await store.count(SERIES, 4, 2) == 0

    async def test_rows_are_the_samples_as_json(self, subject: Any) -> None:
        values = [True, 1, -7, 0.1, 21.5, 5e-324, 2**53 + 1, "", 'a "quoted" \\ word', "ü", {"a": [1, {"b": None}]}, []]
        await self.fill(subject, *((1_000 * n + n % 3, value) for n, value in enumerate(values)), (11_002, "twice"))
        store, everything = subject.telemetry, 100
        for limit, offset in itertools.product((0, 1, 5, 13, everything, 2**70), (0, 1, 12, 13, 2**70)):
            found = await store.range(SERIES, 0, FAR_MS, limit=everything, offset=min(offset, everything))
            page, behind = found[:limit], found[limit : limit + 1]
            rows = await store.range_rows(SERIES, 0, FAR_MS, limit=limit, offset=offset)
            seconds = [sample.ts_ms / 1000 for sample in page]
            wanted = [{"timestamp": s, "value": one.value} for s, one in zip(seconds, page, strict=True)]
            assert json.loads(rows.text) == wanted, f"limit {limit}, offset {offset}"
            assert rows.count == len(page)
            assert rows.last_ms == (page[-1].ts_ms if page else None)
            assert rows.next_ms == (behind[0].ts_ms if page and behind else None), f"limit {limit}, offset {offset}"

    async def test_windows_that_make_no_sense_are_refused(self, subject: Any) -> None:
        store = subject.telemetry
        answers = await asyncio.gather(
            store.range(SERIES, 0, 1, limit=-1),
            store.range(SERIES, 0, 1, limit=1, offset=-1),
            store.range_rows(SERIES, 0, 1, limit=-1),
            store.aggregate(SERIES, 0, 1, bucket_ms=0),
            store.newest_per_bucket(SERIES, 0, 1, bucket_ms=-5, limit=1),
            store.newest_per_bucket(SERIES, 0, 1, bucket_ms=5, limit=-1),
            return_exceptions=True,
        )
        assert all(isinstance(answer, ValidationFailed) for answer in answers), f"ValidationFailed each: {answers}"

    async def test_latest(self, subject: Any) -> None:
        store = subject.telemetry
        await self.fill(subject, (9, "newest"), (3, "late arrival"))
        await self.fill(subject, (1, 1.5), series="device:boiler:pressure")
        await self.fill(subject, (1, 2), series="device:boiler2:pressure")
        found = await store.latest([SERIES, "device:boiler:pressure", SERIES, "device:none:x"])
        expected = {SERIES: Sample(9, "newest"), "device:boiler:pressure": Sample(1, 1.5)}
        assert dict(found) == expected, "latest() goes by the time of the sample"
        by_metric = {"temperature": Sample(9, "newest"), "pressure": Sample(1, 1.5)}
        assert dict(await store.latest_of("device:boiler")) == by_metric, "device:boiler2 is another source"
        assert dict(await store.latest([])) == {}

    async def test_series_by_prefix(self, subject: Any) -> None:
        names = ["device:a:x", "device:a:y", "device:a%:x", "device:A:x", "device:ab:x", "device:ä:温", "rule:1"]
        await subject.telemetry.append([Point(name, 1, 1) for name in names])
        assert list(await subject.telemetry.series()) == sorted(names), "all, sorted by code points"
        for prefix in ("device:", "device:a", "device:a:", "device:a%", "device:a_", "device:ä", "rule:1", "z"):
            wanted = sorted(name for name in names if name.startswith(prefix))
            assert list(await subject.telemetry.series(prefix)) == wanted, f"those that start with {prefix}, literally"

    # ---- buckets ----------------------------------------------------------------------------------------------

    async def test_buckets_are_aligned(self, subject: Any) -> None:
        await self.fill(subject, *((ts, ts) for ts in (-1001, -1000, -1, 0, 999, 1000, 2500)))
        buckets = await subject.telemetry.aggregate(SERIES, -1001, 2400, bucket_ms=1000)
        found = [(bucket.ts_ms, bucket.count, bucket.last) for bucket in buckets]
        expected = [(-2000, 1, -1001), (-1000, 2, -1), (0, 2, 999), (1000, 1, 1000)]
        assert found == expected, "buckets start at multiples of the width, below zero too; empty ones are left out"
        newest = await subject.telemetry.newest_per_bucket(SERIES, -1001, 2500, bucket_ms=1000, limit=4)
        text = "the newest of each bucket, the newest buckets, ascending"
        assert [sample.ts_ms for sample in newest] == [-1, 999, 1000, 2500], text
        few = await subject.telemetry.newest_per_bucket(SERIES, -1001, 1000, bucket_ms=1000, limit=2)
        assert [sample.ts_ms for sample in few] == [999, 1000], "no more buckets than `limit`"
        assert list(await subject.telemetry.newest_per_bucket(SERIES, 0, 9, bucket_ms=5, limit=0)) == []

    async def test_one_bucket_over_the_range(self, subject: Any) -> None:
        await self.fill(subject, (0, 1), (1, 2.5), (2, True), (3, "text"), (4, {"a": [1.0]}), (9, 100))
        buckets = list(await subject.telemetry.aggregate(SERIES, -5, 4))
        assert buckets == [Bucket(-5, 5, 1.0, 2.5, 4.5, 1.5, {"a": [1.0]})], "count is of all, the rest of the numeric"
        assert isinstance(buckets[0].min, float), "min, max, sum and avg are floats"
        texts = list(await subject.telemetry.aggregate(SERIES, 3, 4))
        assert texts == [Bucket(3, 2, None, None, None, None, {"a": [1.0]})], "no number, no aggregate"

    async def test_sums_that_no_double_holds(self, subject: Any) -> None:
        await self.fill(subject, (0, 1.7e308), (1, 1.7e308))
        await self.fill(subject, (0, 2**63 - 1), (1, 2**63 - 1), series="device:a:counter")
        bucket = (await subject.telemetry.aggregate(SERIES, 0, 1))[0]
        assert bucket == Bucket(0, 2, 1.7e308, 1.7e308, None, None, 1.7e308), "a sum beyond a double is None"
        bucket = (await subject.telemetry.aggregate("device:a:counter", 0, 1))[0]
        assert bucket.sum == pytest.approx(2.0**64), "sums of large integers are floats"

    async def test_the_last_of_a_bucket_is_the_last_to_arrive(self, subject: Any) -> None:
        await self.fill(subject, (5, "a"), (5, False), (4, 9), (5, {"z": None}))
        buckets = list(await subject.telemetry.aggregate(SERIES, 0, 9, bucket_ms=10))
        assert buckets == [Bucket(0, 4, 0.0, 9.0, 9.0, 4.5, {"z": None})]
        newest = await subject.telemetry.newest_per_bucket(SERIES, 0, 9, bucket_ms=10, limit=1)
        assert list(newest) == [Sample(5, {"z": None})]

    # ---- delete -----------------------------------------------------------------------------------------------

    async def test_delete_before(self, subject: Any) -> None:
        store = subject.telemetry
        for name in ("device:a:x", "device:a:y", "device:b:x"):
            await self.fill(subject, (1, 1), (2, 2), (2, 3), (3, 4), series=name)
        assert await store.delete_before(2, series=["device:a:x", "device:none:x"]) == 1, "returns how many"
        assert [sample.ts_ms for sample in await self.stored(subject, "device:a:x")] == [2, 2, 3], "older ones only"
        assert await store.delete_before(3) == 2 + 3 + 3, "without series: of all"
        assert await store.delete_before(3) == 0
        assert await store.delete_before(4, series=["device:a:y"]) == 1
        assert list(await store.series()) == ["device:a:x", "device:b:x"], "a series without samples is no series"
        await self.fill(subject, (1, "again"), series="device:a:y")
        assert [sample.value for sample in await self.stored(subject, "device:a:y")] == ["again"]

    async def test_delete_source(self, subject: Any) -> None:
        store = subject.telemetry
        names = ("device:a:x", "device:a:y", "device:ab:x")
        for name in names:
            await self.fill(subject, *((n, n) for n in range(3)), series=name)
        assert await store.delete_source("device:a") == 6, "returns how many samples"
        assert list(await store.series()) == ["device:ab:x"], "device:ab is another source"
        assert dict(await store.latest_of("device:a")) == {}

    async def test_deleting_much_lets_others_write(self, subject: Any) -> None:
        await self.fill(subject, *((n // 3_000, n) for n in range(9_000)))
        answers = await asyncio.gather(
            subject.telemetry.delete_before(2, series=[SERIES]),
            *(self.fill(subject, (50, n)) for n in range(20)),
        )
        assert answers[0] == 6_000
        left = await self.stored(subject, SERIES)
        assert len(left) == 3_020, "all that were older are gone, and none of the others"
        assert [sample.value for sample in left[-20:]] == list(range(20))
