"""Who holds a lease, and who may take it over, whatever is done to the clocks on the wall."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_sdk.lease import DRIFT_MS, Hold, Watch
from neomind_sdk.testing import VirtualClock

HOUR_MS = 3_600_000


async def test_a_hold_lasts_from_before_the_renewal() -> None:
    clock = VirtualClock()
    hold = Hold(clock, 60)
    assert (hold.taken, hold.left_s > 0) == (False, False)
    since = hold.now()
    await clock.advance(5)
    hold.renewed(since)
    assert (hold.taken, hold.left_s) == (True, 55)
    await clock.advance(55)
    assert (hold.taken, hold.left_s) == (True, 0)
    hold.renewed(hold.now())
    assert hold.left_s == 60
    hold.lose()
    assert (hold.taken, hold.left_s > 0) == (False, False)


@pytest.mark.parametrize("by_ms", [-HOUR_MS, -DRIFT_MS - 1, DRIFT_MS + 1, HOUR_MS])
async def test_clocks_that_part_make_it_doubtful_and_no_longer_or_shorter(by_ms: int) -> None:
    clock = VirtualClock()
    hold = Hold(clock, 60)
    assert hold.doubtful
    hold.renewed(hold.now())
    await clock.advance(10)
    clock.jump_ms(DRIFT_MS // 2)
    assert not hold.doubtful
    clock.jump_ms(by_ms - DRIFT_MS // 2)
    assert (hold.doubtful, hold.left_s) == (True, 50)
    hold.renewed(hold.now())
    assert not hold.doubtful


async def test_what_stands_still_for_the_expiry_is_over() -> None:
    clock = VirtualClock()
    watch = Watch(clock, 90)
    assert (watch.over(("a", 1)), watch.left_s, watch.seen) == (False, 90, ("a", 1))
    await clock.advance(89)
    clock.jump_ms(HOUR_MS)
    assert (watch.over(("a", 1)), watch.left_s) == (False, 1)
    await clock.advance(1)
    assert watch.over(("a", 1))
    assert (watch.over(("a", 2)), watch.left_s) == (False, 90)


async def test_nothing_that_was_found_is_something_too() -> None:
    clock = VirtualClock()
    watch = Watch(clock, 90)
    assert not watch.over(None)
    await clock.advance(90)
    assert watch.over(None)


@given(st.lists(st.tuples(st.sampled_from(["renew", "look"]), st.floats(0, 100)), max_size=40))
async def test_no_two_ever_have_it(steps: list[tuple[str, float]]) -> None:
    """One renews when it happens to, another looks when it happens to, and takes what is over."""
    clock = VirtualClock()
    hold, watch, beat = Hold(clock, 60), Watch(clock, 90), 0
    hold.renewed(hold.now())
    for what, seconds in steps:
        if what == "renew":
            hold.renewed(hold.now())
            beat += 1
        elif watch.over(beat):
            assert hold.left_s <= -30
        await clock.advance(seconds)
