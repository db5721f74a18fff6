"""What the webhook is called with and answers."""

from __future__ import annotations

from typing import Any

import attrs

HOPS_MAX = 8
"""What has passed so many platforms goes no further; more need not be counted."""


@attrs.frozen
class Message:
    """One message of a body; ``path`` says where it stands in a batch (``[3].``), for errors."""

    payload: Any
    timestamp: Any = None
    quality: Any = None
    device_id: Any = None
    path: str = ""


@attrs.frozen(kw_only=True)
class Call:
    """A request, without HTTP. ``token`` is what the device showed, ``None`` when it showed nothing.

    ``hops``: how many platforms the readings have passed, when it is one of them that pushes here.
    """

    content_type: str
    body: bytes
    token: str | None = None
    client: str = ""
    hops: int = 0


@attrs.frozen(kw_only=True)
class Accepted:
    """Everything is stored, or kept with the draft of a device that nobody registered yet.

    A draft takes so many samples only: ``samples_kept`` says how many of these.
    """

    success: bool = True
    device_id: str
    metrics_received: int
    metrics_processed: int
    draft: bool | None = None
    samples_kept: int | None = None


@attrs.frozen(kw_only=True)
class WebhookUrl:
    """How a device posts; ``alternative_url`` is for bodies that carry ``device_id``."""

    device_id: str
    webhook_url: str
    alternative_url: str
    method: str = "POST"
    content_type: str = "application/json"
    payload_example: dict[str, Any]
    url_source: str
    hint: str | None = None
