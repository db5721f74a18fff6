"""Waiting on the platform's clock."""

from __future__ import annotations

import asyncio

from neomind_sdk import Clock


async def until(clock: Clock, seconds: float, event: asyncio.Event) -> None:
    """Wait for the event, at most so long."""
    both = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(seconds))}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in both:
            one.cancel()
