"""What the routes of extensions take and answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

Json = dict[str, Any]


@attrs.frozen(kw_only=True)
class ExtensionsQuery:
    """``state`` as it is listed (``Running``, ``Failed`` …), in any case, or a ``status`` (``enabled`` …)."""

    state: str | None = None


@attrs.frozen(kw_only=True)
class Metric:
    """What a command gives, or any value of an extension; ``data_type`` in lower case."""

    name: str
    display_name: str
    data_type: str
    unit: str
    description: str | None
    min: float | None
    max: float | None
    required: bool


@attrs.frozen(kw_only=True)
class CommandConfig:
    """``timeout_ms``: the limit of one run."""

    timeout_ms: int
    requires_auth: bool = False
    is_stream: bool = False
    expected_duration_ms: int | None = None


@attrs.frozen(kw_only=True)
class Command:
    """``input_schema`` is the JSON Schema of the arguments, ``output_fields`` what of the result is kept."""

    id: str
    display_name: str
    description: str
    input_schema: Json
    output_fields: list[Metric]
    config: CommandConfig
    disabled: bool = False


@attrs.frozen(kw_only=True)
class Extension:
    """A plugin. ``status`` and ``reason`` say how far it came; ``state`` is that in the words of older clients.

    ``contributions`` maps kinds (``routes``, ``channels`` …) to names; ``since`` is when the status was reached, in
    seconds since the epoch, and so is ``last_error_at``.
    """

    id: str
    name: str
    version: str
    description: str | None
    author: str | None
    state: str
    status: str
    reason: str
    distribution: str
    first_party: bool
    requires: list[str]
    after: list[str]
    contributions: Mapping[str, tuple[str, ...]]
    since: int
    file_path: str | None
    health_status: str
    last_error: str | None
    last_error_at: int | None
    commands: list[Command]
    metrics: list[Metric]
    enabled: bool
    loaded_at: int | None = None
    disabled_commands: list[str] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class ExtensionType:
    id: str
    name: str
    description: str


@attrs.frozen(kw_only=True)
class FoundExtension:
    """A plugin that a look around found, or whose status changed by it."""

    id: str
    name: str
    version: str
    distribution: str
    state: str
    status: str
    reason: str


@attrs.frozen(kw_only=True)
class DiscoverAnswer:
    """``discovered``: new or changed; ``installed``: those of them that run; ``skipped``: what stayed as it was.

    ``upgraded`` is always 0: a newer version of what runs needs a restart.
    """

    message: str
    discovered: int
    scanned: int
    installed: int
    skipped: int
    extensions: list[FoundExtension]
    upgraded: int = 0


@attrs.frozen(kw_only=True)
class CheckResult:
    ok: bool
    detail: str


@attrs.frozen(kw_only=True)
class HealthAnswer:
    """``healthy``: it runs, and all its checks are well."""

    extension_id: str
    healthy: bool
    status: str
    reason: str
    checks: dict[str, CheckResult]


@attrs.frozen(kw_only=True)
class SizeConstraints:
    """Grid units."""

    min_w: int
    min_h: int
    default_w: int
    default_h: int
    max_w: int
    max_h: int


@attrs.frozen(kw_only=True)
class Component:
    """A dashboard component; ``bundle_url`` is the address of its ES module, null when the web client brings it."""

    type: str
    name: str
    description: str
    category: str
    icon: str
    bundle_url: str | None
    export_name: str
    global_name: str | None
    size_constraints: SizeConstraints
    has_data_source: bool
    max_data_sources: int | None
    has_display_config: bool
    has_actions: bool
    has_device_binding: bool
    config_schema: Json
    default_config: Json
    extension_id: str
    extension_name: str
    variants: list[str] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Capability:
    """Something an extension may do with the platform; ``reason`` says why it cannot here and now."""

    name: str
    display_name: str
    description: str
    category: str
    available: bool
    reason: str | None


@attrs.frozen(kw_only=True)
class CapabilitiesAnswer:
    capabilities: list[Capability]
    total: int


@attrs.frozen(kw_only=True)
class Tool:
    """A tool for agents; ``parameters`` is a JSON Schema, ``effect`` ``read`` or ``actuate``."""

    name: str
    description: str
    category: str
    parameters: Json
    effect: str
    extension_id: str
    version: str
    deprecated: bool = False
    disabled: bool = False


@attrs.frozen(kw_only=True)
class ToolDetail(Tool):
    """``namespace`` is the plugin that brings it."""

    namespace: str | None
    replaced_by: str | None = None
    scenarios: list[Json] = attrs.field(factory=list)
    relationships: Json = attrs.field(factory=dict)
