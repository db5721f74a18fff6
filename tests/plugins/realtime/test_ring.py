"""What is kept for streams that come back."""

from __future__ import annotations

from neomind_plugins.realtime.ring import Ring

from .conftest import entry


def seqs(ring: Ring, after: int | None) -> list[int] | None:
    found = ring.after(after)
    return None if found is None else [one.seq for one in found]


def test_what_came_after() -> None:
    ring = Ring(100, 10, 10_000)
    for seq in (101, 105, 106):
        ring.add(entry(seq))
    assert seqs(ring, 100) == [101, 105, 106]
    assert seqs(ring, 101) == [105, 106]
    assert seqs(ring, 103) == [105, 106]
    assert seqs(ring, 106) == []


def test_what_is_before_or_after_all_that_is_known_is_gone() -> None:
    ring = Ring(100, 10, 10_000)
    ring.add(entry(101))
    assert seqs(ring, 99) is None
    assert seqs(ring, 102) is None
    assert seqs(ring, None) is None


def test_bounded_by_count() -> None:
    ring = Ring(0, 3, 10_000)
    for seq in range(1, 6):
        ring.add(entry(seq))
    assert (seqs(ring, 1), seqs(ring, 2), ring.floor) == (None, [3, 4, 5], 2)


def test_bounded_by_bytes() -> None:
    ring = Ring(0, 100, 500)
    for seq in range(1, 6):
        ring.add(entry(seq, size=200))
    assert [one.seq for one in ring.all()] == [4, 5]
    ring.add(entry(6, size=1000))
    assert (list(ring.all()), ring.floor, seqs(ring, 6)) == ([], 6, [])


def test_what_passed_unseen_leaves_a_gap() -> None:
    ring = Ring(0, 10, 10_000)
    ring.add(entry(1))
    ring.skip(7)
    assert (seqs(ring, 1), seqs(ring, 7)) == (None, [])
    ring.add(entry(8))
    assert seqs(ring, 7) == [8]
