"""The one way in for samples, whatever brought them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import attrs

from .storage import Point


@attrs.frozen(kw_only=True)
class Uplink:
    """One message of a device, decoded but not yet taken apart.

    ``payload``      any JSON value, bytes when it is not JSON; objects are taken apart by the device type's plan
    ``ts_ms``        the device's own time, else ``None`` (the time of receipt counts)
    ``heartbeat``    the device said nothing but that it is there
    ``retained``     an old message the broker kept: stored, but never counted as a sign of life
    ``hops``         how many platforms the message has passed; the ``MetricsStored`` of its batch has it
    """

    device_id: str
    payload: Any
    received_ms: int
    ts_ms: int | None = None
    quality: float | None = None
    transport: str = ""
    heartbeat: bool = False
    retained: bool = False
    client: str = ""
    original_topic: str | None = None
    adapter_id: str | None = None
    hops: int = 0


@attrs.frozen(kw_only=True)
class Receipt:
    """What became of one uplink: ``stored`` values (``_raw`` included), or kept as a ``draft`` sample.

    A device that nobody registered and whose sample was refused has neither.
    """

    device_id: str
    stored: int = 0
    draft: bool = False


@runtime_checkable
class Ingest(Protocol):
    """Every transport calls this; when it returns, everything is durable and may be acknowledged."""

    async def submit(self, uplinks: Sequence[Uplink]) -> Sequence[Receipt]:
        """Decode, store in one batch, publish ``MetricsStored``; one receipt per uplink, in order.

        Raises ``NotFound("DEVICE", id)`` when a device is unknown and nobody keeps drafts (then nothing of the call
        is stored), and the storage's errors.
        """
        ...

    async def write(self, points: Sequence[Point], *, source: str, cause: str | None = None, hops: int = 0) -> None:
        """Store values that are already series and numbers (REST write, virtual metrics, extensions) and publish.

        ``cause`` and ``hops`` are those of the event. Raises ``ValueError`` for a series that is no data source id,
        and the storage's errors; then nothing of the call is stored.
        """
        ...


@runtime_checkable
class Decoder(Protocol):
    """A further payload format a plugin contributes as a service (device protocols); asked before the type's plan."""

    def decode(self, device_id: str, payload: Any) -> Any: ...
