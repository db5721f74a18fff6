"""Handing commands to transports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import Clock, Device, DeviceDirectory, Downlink, Platform, ReceiveOnly
from neomind_sdk.foreign import ForeignError
from neomind_sdk.waiting import TooSlow, within

from .errors import Refused, Undeliverable, Unreachable, Unsure
from .kept import Command


@attrs.frozen
class Courier:
    """``timeout_s`` is how long a transport may take."""

    platform: Platform
    directory: DeviceDirectory
    clock: Clock
    timeout_s: Callable[[], float]

    def route(self, command: Command) -> tuple[Any, Device]:
        """The transport and the device; raises ``Unreachable`` and ``Undeliverable``."""
        device = self.directory.get(command.device_id)
        if device is None:
            raise Undeliverable(f"The device '{command.device_id}' was removed")
        kind = device.adapter_type
        for _, transport in self.platform.contributions("transports"):
            if kind in transport.adapter_types:
                return transport, device
        raise Unreachable(f"no transport for '{kind}' devices is running at the moment")

    async def hand_over(self, command: Command, transport: Any, device: Device) -> None:
        """Returns when the transport has taken it.

        Raises ``Unreachable``, ``Refused``, ``Unsure`` and ``Undeliverable``.
        """
        downlink = Downlink(
            device=device, command_id=command.command_id, command=command.command, payload=command.payload
        )
        timeout_s = self.timeout_s()
        try:
            await within(self.clock, timeout_s, lambda: transport.send(downlink))
        except TooSlow:
            raise Unsure(f"the transport '{transport.name}' did not confirm within {timeout_s:g} s") from None
        except ForeignError as failed:
            raise told(failed, transport.name) from failed


def told(failed: ForeignError, name: str) -> Exception:
    """What an exception of a transport means."""
    error = failed.error
    if isinstance(error, ReceiveOnly):
        return Refused(str(error))
    if isinstance(error, ConnectionError):
        return Unreachable(str(error) or f"the transport '{name}' is not connected")
    if isinstance(error, TimeoutError):
        return Unsure(str(error) or f"the transport '{name}' did not confirm in time")
    return Undeliverable(f"the transport '{name}' failed: {failed}")
