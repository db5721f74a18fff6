"""Ways by which devices talk to us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from .devices import Device


@attrs.frozen(kw_only=True)
class TransportStatus:
    """``connected``: ready to receive. ``details`` is shown as it is."""

    connected: bool
    detail: str = ""
    details: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Downlink:
    """A command on its way to a device: ``payload`` is rendered already."""

    device: Device
    command_id: str
    command: str
    payload: bytes


class ReceiveOnly(Exception):
    """This transport cannot send to devices; the message says so in words."""


@runtime_checkable
class Transport(Protocol):
    """Brings samples in through the ``Ingest`` service and takes commands out.

    ``name``           unique, e.g. ``webhook``
    ``adapter_types``  the values of ``Device.adapter_type`` it serves
    ``send`` returns when the downlink was handed over; raises ``ReceiveOnly`` or ``ConnectionError``.
    """

    name: str
    adapter_types: tuple[str, ...]

    async def status(self) -> TransportStatus: ...

    async def send(self, downlink: Downlink) -> None: ...
