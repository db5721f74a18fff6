"""The events of drafts."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import CustomPublished, DeviceDiscovered, EventBus

from .records import Draft, KeptSample

SHOWN_MAX = 64 * 1024
"""A larger sample is not in the event."""


@attrs.frozen
class Teller:
    """Publishes what happens to drafts: ``auto_onboard``, and ``DeviceDiscovered`` at first sight."""

    bus: EventBus

    def discovered(self, draft: Draft, sample: KeptSample) -> None:
        metadata = {"broker_id": draft.adapter_id, "original_topic": draft.original_topic}
        self.bus.publish(
            DeviceDiscovered(
                device_id=draft.device_id,
                source=draft.source,
                sample=shown(draft, sample),
                adapter_id=draft.adapter_id,
                metadata={key: value for key, value in metadata.items() if value is not None},
                is_binary=sample.binary,
            )
        )
        self._tell("draft_created", draft, device_id=draft.device_id, source=draft.source)

    def collected(self, draft: Draft) -> None:
        self._tell("sample_collected", draft, sample_count=draft.samples)

    def analyzing(self, draft: Draft) -> None:
        self._tell("analysis_started", draft, sample_count=draft.samples)

    def analyzed(self, draft: Draft, device_type: str) -> None:
        self._tell("analysis_completed", draft, device_type=device_type)

    def failed(self, draft: Draft) -> None:
        self._tell("analysis_failed", draft, error=draft.error_message)

    def registered(self, draft: Draft, device_type: str) -> None:
        self._tell("device_registered", draft, device_id=draft.device_id, device_type=device_type)

    def rejected(self, draft: Draft, reason: str) -> None:
        self._tell("device_rejected", draft, device_id=draft.device_id, reason=reason)

    def _tell(self, event_type: str, draft: Draft, **data: Any) -> None:
        data = {"event_type": event_type, "draft_id": draft.id, **data}
        self.bus.publish(CustomPublished(custom_type="auto_onboard", data=data, source="drafts"))


def shown(draft: Draft, sample: KeptSample) -> dict[str, Any]:
    """A sample as ``DeviceDiscovered`` carries it; binary data is base64 text."""
    facts = {
        "device_id": draft.device_id,
        "timestamp": sample.time_ms // 1000,
        "topic": draft.original_topic,
        "format": "base64" if sample.binary else "json",
        "is_binary": sample.binary,
    }
    if len(sample.text) > SHOWN_MAX:
        return facts
    return {**facts, "data": sample.text if sample.binary else sample.payload}
