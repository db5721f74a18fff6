"""What a person needs to make a device post here."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from neomind_sdk import Device, DeviceType, MetricDef
from neomind_sdk.addresses import ServerUrl

from .models import WebhookUrl

TOKEN_HINT = "The device has a token: send it as 'Authorization: Bearer <token>' or as '?token=<token>'"  # noqa: S105 - a text
EXAMPLES: dict[str, Any] = {"integer": 42, "float": 21.5, "boolean": True, "array": [1, 2], "binary": "aGVsbG8="}


def webhook_url(device: Device, device_type: DeviceType | None, server: ServerUrl) -> WebhookUrl:
    """Address and example for a device."""
    metrics = device_type.metrics if device_type else ()
    return WebhookUrl(
        device_id=device.device_id,
        webhook_url=f"{server.url}/api/devices/{quote(device.device_id, safe='')}/webhook",
        alternative_url=f"{server.url}/api/devices/webhook",
        payload_example={metric.name: example(metric) for metric in metrics} or {"temperature": 21.5},
        url_source=server.source,
        hint=TOKEN_HINT if device.connection_config.get("webhook_token") else None,
    )


def example(metric: MetricDef) -> Any:
    """A value that the metric could have."""
    if metric.data_type == "enum" and metric.options:
        return metric.options[0]
    if metric.data_type in ("integer", "float") and metric.min is not None:
        return int(metric.min) if metric.data_type == "integer" else metric.min
    return EXAMPLES.get(metric.data_type, "text")
