"""A draft and its samples as they are kept."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import attrs
import orjson

from neomind_sdk import Device, DeviceType, Uplink

from .findings import Analysis

COLLECTING = "collecting"
ANALYZING = "analyzing"
WAITING = "waiting_processing"
REGISTERING = "registering"
FAILED = "failed"


@attrs.frozen(kw_only=True)
class KeptSample:
    """One message; ``text`` is its JSON, or base64 when ``binary``; ``n`` counts the messages of a draft."""

    n: int
    text: str
    binary: bool
    received_ms: int
    ts_ms: int | None = None
    quality: float | None = None
    retained: bool = False

    @property
    def time_ms(self) -> int:
        """The time that its values get in the history."""
        return self.received_ms if self.ts_ms is None else self.ts_ms

    @property
    def payload(self) -> Any:
        return base64.b64decode(self.text) if self.binary else orjson.loads(self.text)

    def uplink(self, draft: Draft) -> Uplink:
        """The message as it came. An object goes back under ``data``, from where ``Ingest`` had taken it out."""
        payload = self.payload
        return Uplink(
            device_id=draft.device_id,
            payload={"data": payload} if isinstance(payload, dict) else payload,
            received_ms=self.received_ms,
            ts_ms=self.ts_ms,
            quality=self.quality,
            transport=draft.source,
            retained=self.retained,
            original_topic=draft.original_topic,
            adapter_id=draft.adapter_id,
        )


@attrs.frozen(kw_only=True)
class Approval:
    """What was decided about a draft; kept before anything is done, so that a crash leaves no doubt.

    ``device_type``  is registered before the device, ``None`` when the type is there already
    ``before``       how many values the history had at the times of the draft's samples
    """

    device: Device
    device_type: DeviceType | None
    before: Mapping[int, int]


@attrs.define(kw_only=True, eq=False)
class Draft:
    """A device that nobody registered yet.

    ``key``       names its rows: the draft's id may come again, within the second of a rejection
    ``samples``   how many are stored; ``arriving`` are being stored
    ``next_n``    the number of the next one
    ``analyzed``  how many of them the analysis, or its failure, is of
    ``analysis``  what was found in them; stays while further samples are looked at
    ``handed``    whether its samples are in the history, ``None`` when that is not known
    ``closing``   it is being dropped: takes no more samples
    """

    key: str
    device_id: str
    source: str
    original_topic: str | None
    adapter_id: str | None
    discovered_ms: int
    updated_ms: int
    status: str = COLLECTING
    user_name: str | None = None
    description: str | None = None
    error_message: str | None = None
    analysis: Analysis | None = None
    analyzed: int = 0
    approval: Approval | None = None
    samples: int = 0
    size: int = 0
    next_n: int = 0
    arriving: int = 0
    handed: bool | None = False
    closing: bool = False
    _calm: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    @property
    def id(self) -> str:
        return f"draft-{self.device_id}-{self.discovered_ms // 1000}"

    @property
    def stale(self) -> bool:
        """Whether there are samples that the analysis has not seen."""
        return self.approval is None and not self.closing and self.analyzed != self.samples

    def reopen(self) -> None:
        """Nothing came of an approval: it can be approved again."""
        self.approval = None
        self.status = FAILED if self.error_message else WAITING if self.analysis else COLLECTING

    def begin(self, size: int) -> int:
        """A sample of so many characters begins to arrive; its number."""
        self.arriving += 1
        self.size += size
        self.next_n += 1
        self._calm.clear()
        return self.next_n - 1

    def end(self, size: int, *, stored: bool) -> None:
        """The sample has arrived, or will not."""
        self.arriving -= 1
        if stored:
            self.samples += 1
        else:
            self.size -= size
        if not self.arriving:
            self._calm.set()

    async def calm(self) -> None:
        """Wait until no sample is arriving."""
        while self.arriving:
            await self._calm.wait()
