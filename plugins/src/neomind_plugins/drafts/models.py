"""What the routes of drafts take and answer, and the settings of drafts."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

SAMPLES_MAX = 50
RETENTION_MIN_S, RETENTION_MAX_S = 60, 366 * 86_400
UPLOAD_SOURCE = "manual_upload"


@attrs.frozen(kw_only=True)
class DraftSettings:
    """``[plugin.drafts]``. ``enabled``: unknown devices become drafts, unless ``device.auto_onboard_enabled`` is off.

    A draft that heard nothing for ``draft_retention_secs`` goes away.
    """

    enabled: bool = True
    max_samples: int = fields.number(ge=1, le=SAMPLES_MAX, default=10)
    draft_retention_secs: int = fields.number(ge=RETENTION_MIN_S, le=RETENTION_MAX_S, default=86_400)


@attrs.frozen(kw_only=True)
class ConfigChange:
    """What is absent stays."""

    enabled: bool | None = None
    max_samples: int | None = fields.number(ge=1, le=SAMPLES_MAX, default=None)
    draft_retention_secs: int | None = fields.number(ge=RETENTION_MIN_S, le=RETENTION_MAX_S, default=None)


@attrs.frozen(kw_only=True)
class DraftChange:
    """What is absent stays; a blank text takes away what was there."""

    name: str | None = fields.text(max=200, default=None)
    description: str | None = fields.text(max=500, default=None)


@attrs.frozen(kw_only=True)
class NewType:
    """Under which id and name the generated type is registered."""

    device_type: str
    name: str = fields.text(min=1, max=200)
    description: str | None = fields.text(max=500, default=None)


@attrs.frozen(kw_only=True)
class ApproveBody:
    """``existing_type`` wins over ``new_type``. ``name`` and ``device_type`` stand for ``device_name`` and it."""

    existing_type: str | None = None
    new_type: NewType | None = None
    device_name: str | None = fields.text(max=200, default=None)
    name: str | None = fields.text(max=200, default=None)
    device_type: str | None = None


@attrs.frozen(kw_only=True)
class Wish:
    """How somebody wants a draft approved."""

    existing_type: str | None = None
    new_type: NewType | None = None
    device_name: str | None = None


@attrs.frozen(kw_only=True)
class RejectBody:
    """Why, if anybody cares to say."""

    reason: str | None = fields.text(max=500, default=None)


@attrs.frozen(kw_only=True)
class UploadBody:
    """Samples by hand: each is a message as the device would send it, or ``{"data": …, "timestamp": …}``."""

    device_id: str | None = None
    source: str = fields.text(min=1, max=64, default=UPLOAD_SOURCE)
    data: list[dict[str, Any]]


@attrs.frozen(kw_only=True)
class MetricView:
    """``path`` is where in the message the value stands; the type's metric is called so."""

    name: str
    path: str
    semantic_type: str
    display_name: str
    data_type: str
    unit: str


@attrs.frozen(kw_only=True)
class Summary:
    """What the analysis says about itself."""

    samples_analyzed: int
    fields_discovered: int
    metrics_generated: int
    inferred_category: str
    insights: list[str]
    warnings: list[str]
    recommendations: list[str]


@attrs.frozen(kw_only=True)
class GeneratedType:
    """The type that approving without further words gives the device."""

    device_type: str
    name: str
    description: str
    category: str
    metrics: list[MetricView]
    summary: Summary


@attrs.frozen(kw_only=True)
class DraftView:
    """A draft; times in epoch seconds."""

    id: str
    device_id: str
    source: str
    original_topic: str | None
    status: str
    sample_count: int
    max_samples: int
    generated_type: GeneratedType | None
    discovered_at: int
    updated_at: int
    error_message: str | None
    user_name: str | None


@attrs.frozen(kw_only=True)
class EnhancedDraft(DraftView):
    """``enhanced``: a language model was asked to improve the names; ``message`` says why not."""

    enhanced: bool
    message: str


@attrs.frozen(kw_only=True)
class DraftList:
    """In the order of discovery."""

    items: list[DraftView]
    count: int


@attrs.frozen(kw_only=True)
class Done:
    """What was done, in words."""

    message: str


@attrs.frozen(kw_only=True)
class Cleaned:
    """How many drafts were too old."""

    cleaned: int
    message: str


@attrs.frozen(kw_only=True)
class Approved:
    """``recommended_topic`` is where a device of this type sends by default."""

    original_device_id: str
    system_device_id: str
    device_type: str
    recommended_topic: str
    registered: bool = True
    message: str


@attrs.frozen(kw_only=True)
class Suggestion:
    """A registered type; ``match_score`` 0..100."""

    device_type: str
    name: str
    description: str
    match_score: int
    is_exact_match: bool
    metric_count: int


@attrs.frozen(kw_only=True)
class Suggestions:
    """The best first; ``exact_match`` is a type that measures the same."""

    suggestions: list[Suggestion]
    exact_match: str | None


@attrs.frozen(kw_only=True)
class SignatureList:
    """Types by the hash of what they measure; ``count`` is text."""

    signatures: dict[str, str]
    count: str
