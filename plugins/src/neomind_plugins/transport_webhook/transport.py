"""The webhook as a transport: it brings samples in and takes nothing out."""

from __future__ import annotations

from neomind_sdk import Downlink, ReceiveOnly, TransportStatus


class WebhookTransport:
    """Devices that post over HTTP."""

    name = "webhook"
    adapter_types: tuple[str, ...] = ("webhook",)

    async def status(self) -> TransportStatus:
        """Always ready: it is served by the platform's own HTTP server."""
        return TransportStatus(connected=True, detail="receive-only")

    async def send(self, downlink: Downlink) -> None:
        raise ReceiveOnly(
            f"Device '{downlink.device.device_id}' posts to a webhook, which is receive-only: "
            f"the command '{downlink.command}' cannot be sent to it"
        )
