"""What follows from an attempt."""

from __future__ import annotations

import math
import random
from typing import Any

import attrs

from neomind_sdk import ApiError, Delivery, EgressFailed
from neomind_sdk.foreign import ForeignError, TookTooLong
from neomind_sdk.public import public
from neomind_sdk.units import SECOND_MS

from .models import OutboxSettings
from .records import DEAD, DELIVERED, PENDING, Begun, Outcome

DETAIL_MAX = 500
JITTER = 0.25
NO_DELIVERY = "It was not said what came of the attempt"


@attrs.frozen
class Made:
    """When an attempt was made, and how long it took."""

    at_ms: int
    end_ms: int
    took_ms: int


def decide(begun: Begun, delivery: Any, limits: OutboxSettings, made: Made) -> Outcome:
    """The outcome of an attempt."""
    if not isinstance(delivery, Delivery):
        delivery = Delivery(ok=False, detail=NO_DELIVERY)
    outcome = Outcome(
        delivery_id=begun.delivery_id,
        kind=begun.order.kind,
        attempt=begun.attempt,
        state=DELIVERED if delivery.ok else PENDING,
        at_ms=made.at_ms,
        end_ms=made.end_ms,
        took_ms=made.took_ms,
        ok=bool(delivery.ok),
        detail=told(delivery.detail),
    )
    if delivery.ok:
        return outcome
    if delivery.gone:
        return attrs.evolve(outcome, hold=f"The target is gone: {outcome.detail}".removesuffix(": "))
    next_ms = made.end_ms + round(pause_s(begun.attempt, delivery.retry_after, limits) * SECOND_MS)
    problem = _end(begun, delivery, limits, next_ms)
    if problem is None:
        return attrs.evolve(outcome, next_ms=next_ms)
    return attrs.evolve(outcome, state=DEAD, detail=told("; ".join(filter(None, (outcome.detail, problem)))))


def _end(begun: Begun, delivery: Delivery, limits: OutboxSettings, next_ms: int) -> str | None:
    """Why there is no other attempt; ``None`` when there is one."""
    if not delivery.retry:
        return "another attempt would not help"
    if begun.attempt >= limits.max_attempts:
        return f"given up after {begun.attempt} attempt{'' if begun.attempt == 1 else 's'}"
    expires_ms = begun.order.expires_ms
    if expires_ms is None:
        expires_ms = begun.first_ms + round(limits.max_age_s * SECOND_MS)
    return "too old for another attempt" if next_ms >= expires_ms else None


def pause_s(attempt: int, retry_after: Any, limits: OutboxSettings) -> float:
    """Seconds until the next attempt: what the receiver asked for, else twice as long each time.

    What it asked for is at least the first pause, so that ``Retry-After: 0`` makes no storm; what is added to it keeps
    many lanes from coming back at once.
    """
    if _is_number(retry_after):
        asked = min(max(float(retry_after), limits.backoff_s), limits.retry_after_max_s)
        return asked + random.uniform(0, min(1.0, asked * JITTER))
    doubled = limits.backoff_s * 2.0 ** min(attempt - 1, 40)
    return min(doubled, limits.backoff_max_s) * random.uniform(1 - JITTER, 1 + JITTER)


def longest_ms(limits: OutboxSettings) -> int:
    """No pause is longer."""
    longest_s = max(limits.retry_after_max_s + 1, limits.backoff_max_s * (1 + JITTER), limits.backoff_s * 2)
    return math.ceil(longest_s * SECOND_MS)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


# ---- words ----------------------------------------------------------------------------------------------------------


def failed(error: ForeignError) -> Delivery:
    """An attempt that raised. Only errors whose texts are made for people are quoted: others may hold secrets."""
    cause = error.error
    if isinstance(error, TookTooLong):
        return Delivery(ok=False, detail=f"No answer: it {cause}")
    if isinstance(cause, EgressFailed):
        return Delivery(ok=False, detail=str(cause))
    if isinstance(cause, ApiError):
        return Delivery(ok=False, detail=cause.message)
    return Delivery(ok=False, detail=f"The attempt failed with {type(cause).__name__}")


def unavailable(error: ForeignError) -> str | None:
    """Why the target cannot be served at the moment; ``None`` when that is not what was raised."""
    cause = error.error
    if not isinstance(cause, LookupError) or isinstance(cause, KeyError | IndexError):
        return None  # those two are mistakes
    return told(str(cause)) or "The target cannot be served at the moment"


def told(text: Any) -> str:
    """A text of a stranger, in one line that any database takes."""
    line = " ".join(public(str(text)).replace("\0", " ").split())
    return line.encode(errors="replace").decode()[:DETAIL_MAX]
