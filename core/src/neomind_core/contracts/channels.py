"""Notification channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, runtime_checkable

import attrs

from .clock import Clock
from .egress import Egress, HttpAnswer
from .labels import Label

SEVERITIES = ("info", "warning", "critical", "emergency")


@attrs.frozen(kw_only=True)
class OutgoingMessage:
    """A message as a channel gets it. ``ts_ms`` is when it was raised; ``test`` marks the message of a test call."""

    id: str
    title: str
    message: str
    severity: str = "info"
    category: str = "alert"
    source: str = ""
    source_type: str = "system"
    ts_ms: int = 0
    status: str = "active"
    metadata: Any = None
    tags: tuple[str, ...] = ()
    test: bool = False


@attrs.frozen(kw_only=True)
class Delivery:
    """What came of one attempt.

    ``ok``           the receiver took it
    ``detail``       one sentence, never a secret
    ``retry``        whether another attempt may help (ignored when ``ok``)
    ``retry_after``  seconds the receiver asked us to wait
    ``gone``         the target will never work again (HTTP 410): it is disabled and says so
    """

    ok: bool
    detail: str = ""
    retry: bool = True
    retry_after: float | None = None
    gone: bool = False

    @classmethod
    def of(cls, answer: HttpAnswer, now_ms: int | None = None) -> Delivery:
        """What an HTTP status says: 2xx took it, 410 is gone, 408, 425, 429 and 5xx may be tried again.

        A ``Retry-After`` that is a date counts from the answer's own ``Date``, which the same clock wrote; from
        ``now_ms`` when it has none.
        """
        return cls(
            ok=200 <= answer.status < 300,
            detail=f"HTTP {answer.status}",
            retry=answer.status >= 500 or answer.status in (408, 425, 429),
            retry_after=_retry_after(answer.headers, now_ms),
            gone=answer.status == 410,
        )


def _retry_after(headers: Mapping[str, str], now_ms: int | None) -> float | None:
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return float(text)
    until = _date(text)
    now = _date(headers.get("date", "")) or (None if now_ms is None else datetime.fromtimestamp(now_ms / 1000, UTC))
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    """An HTTP date (RFC 9110, 5.6.7), always of UTC."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@attrs.frozen(kw_only=True)
class SendTools:
    """What a channel or push target sends with. ``delivery_id`` is the same for every attempt of one delivery."""

    egress: Egress
    clock: Clock
    delivery_id: str
    attempt: int = 1
    headers: Mapping[str, str] = attrs.field(factory=dict)


@runtime_checkable
class ChannelType(Protocol):
    """A kind of channel, e.g. ``telegram``.

    ``name``    unique; the ``channel_type`` of the REST API
    ``label``   what people read
    ``config``  an attrs class built from ``neomind_sdk.fields``; its secrets are masked, stored encrypted and never
                logged. The JSON Schema at ``/messages/channels/types/:type/schema`` is derived from it

    A type whose configuration holds URLs also has ``targets(config) -> list[str]``: where it will send to, so that the
    egress policy is applied when a channel is saved, not only when it sends.

    ``send`` makes exactly one attempt and returns what came of it; it never retries, never sleeps, and does all HTTP
    through ``tools.egress``. An exception counts as a failed attempt that may be retried.
    """

    name: str
    label: Label
    config: type[Any]

    async def send(self, config: Any, message: OutgoingMessage, tools: SendTools) -> Delivery: ...
