"""Messages of devices that post them."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import BadRequest, Clock, DeviceDirectory, Ingest, NotFound, Unauthorized, Uplink

from .models import Call, Message
from .shapes import read_messages, uplink


@attrs.frozen
class Webhook:
    """Checks the device's token, reads the body and hands it to ``Ingest``."""

    directory: DeviceDirectory
    ingest: Ingest
    clock: Clock

    async def receive(self, device_id: str, call: Call) -> dict[str, Any]:
        """Take the messages of one device; when this returns, they are stored.

        Raises ``Unauthorized``, ``BadRequest``, ``UnsupportedType``, ``NotFound`` for a device that is unknown and
        gets no draft, and the storage's errors.
        """
        self._check_token(device_id, call.token)
        return await self._take(device_id, read_messages(call), call)

    async def receive_named(self, call: Call) -> dict[str, Any]:
        """The same for a body that says by ``device_id`` whose it is."""
        messages = [named(message) for message in read_messages(call)]
        device_id = messages[0].device_id if messages else None
        if not isinstance(device_id, str) or not device_id:
            raise BadRequest("device_id must say which device the message is of")
        if any(message.device_id != device_id for message in messages):
            raise BadRequest("device_id must be the same in all of a batch")
        self._check_token(device_id, call.token)
        return await self._take(device_id, messages, call)

    def _check_token(self, device_id: str, token: str | None) -> None:
        if not self.directory.webhook_token_ok(device_id, token):
            raise Unauthorized("This device's webhook wants its token, as a bearer token or as ?token=")

    async def _take(self, device_id: str, messages: list[Message], call: Call) -> dict[str, Any]:
        now_ms = self.clock.now_ms()
        uplinks = [uplink(message, device_id, call, now_ms) for message in messages] or [
            Uplink(device_id=device_id, payload=None, received_ms=now_ms, transport="webhook", heartbeat=True)
        ]
        receipts = await self.ingest.submit(uplinks)
        stored = sum([receipt.stored for receipt in receipts])
        answer = {"success": True, "device_id": device_id, "metrics_received": stored, "metrics_processed": stored}
        kept = sum([receipt.draft for receipt in receipts])
        if kept:
            return answer | {"draft": True, "samples_kept": kept}
        if self.directory.get(device_id) is None:
            raise NotFound("DEVICE", device_id)
        return answer


def named(message: Message) -> Message:
    """A message with the id that its body gives; in flat form the id is no value."""
    payload = message.payload
    if message.device_id is not None or not isinstance(payload, dict) or "device_id" not in payload:
        return message
    rest = {key: value for key, value in payload.items() if key != "device_id"}
    return attrs.evolve(message, payload=rest, device_id=payload["device_id"])
