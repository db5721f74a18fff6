"""What the routes of device types take and answer."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import DATA_TYPES, fields

RULE_TYPES = ("pattern", "range", "length", "custom")
REGEX_MAX = 1000
EXAMPLE_MAX = 10_240
PLAIN_TYPES = tuple(word for word in DATA_TYPES if word != "enum")


@attrs.frozen(kw_only=True)
class MetricBody:
    """``name`` is a path into the device's messages: ``temperature``, ``values.temperature``, ``a[0].b``.

    ``data_type`` is a word of ``PLAIN_TYPES`` in any case, ``{"enum": {"options": [...]}}``, or
    ``{"array": {"element_type": ...}}``.
    """

    name: str
    display_name: str = ""
    data_type: Any = "string"
    unit: str = ""
    min: float | None = None
    max: float | None = None
    required: bool = False


@attrs.frozen(kw_only=True)
class RuleBody:
    """``pattern`` has ``regex``, ``range`` and ``length`` have ``min`` and ``max``, ``custom`` has ``validator``."""

    type: str = fields.one_of(RULE_TYPES)
    error_message: str | None = None
    regex: str | None = fields.text(max=REGEX_MAX, default=None)
    min: float | None = None
    max: float | None = None
    validator: str | None = None
    params: Any = None


@attrs.frozen(kw_only=True)
class ParamBody:
    """A parameter; ``data_type`` as of a metric; values may be plain or tagged: ``60`` or ``{"Integer": 60}``."""

    name: str
    display_name: str = ""
    data_type: Any = "string"
    default_value: Any = None
    min: float | None = None
    max: float | None = None
    unit: str = ""
    allowed_values: list[Any] = attrs.field(factory=list)
    required: bool = False
    visible_when: str | None = None
    group: str | None = None
    help_text: str = ""
    validation: list[RuleBody] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class GroupBody:
    """Parameters that are shown together."""

    id: str
    display_name: str = ""
    description: str = ""
    collapsed: bool = False
    parameters: list[str] = attrs.field(factory=list)
    order: int = 0


@attrs.frozen(kw_only=True)
class CommandBody:
    """``payload_template`` has ``${name}`` placeholders; ``fixed_values`` are sent along."""

    name: str
    display_name: str = ""
    description: str = ""
    payload_template: str = ""
    parameters: list[ParamBody] = attrs.field(factory=list)
    fixed_values: dict[str, Any] = attrs.field(factory=dict)
    samples: list[Any] = attrs.field(factory=list)
    parameter_groups: list[GroupBody] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class UplinkBody:
    """What devices send, in the older form of a type."""

    metrics: list[MetricBody] = attrs.field(factory=list)
    samples: list[Any] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class DownlinkBody:
    """What devices take, in the older form of a type."""

    commands: list[CommandBody] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class TypeBody:
    """A device type; ``uplink`` and ``downlink`` are an older form of metrics, samples and commands."""

    name: str = fields.text(min=1, max=200)
    description: str = ""
    categories: list[str] = attrs.field(factory=list)
    mode: str = fields.one_of(("simple", "full", "Simple", "Full"), default="simple")
    metrics: list[MetricBody] = attrs.field(factory=list)
    uplink_samples: list[Any] = attrs.field(factory=list)
    commands: list[CommandBody] = attrs.field(factory=list)
    default_offline_timeout_secs: int | None = fields.number(ge=10, default=None)
    store_raw: bool | None = None
    uplink: UplinkBody | None = None
    downlink: DownlinkBody | None = None


@attrs.frozen(kw_only=True)
class NewTypeBody(TypeBody):
    """A device type with its id."""

    device_type: str


@attrs.frozen(kw_only=True)
class MetricView:
    """A metric; ``data_type`` is a word, ``{"enum": {"options": […]}}`` or ``{"array": {"element_type": …}}``."""

    name: str
    display_name: str
    data_type: Any
    unit: str
    min: float | None
    max: float | None
    required: bool


@attrs.frozen(kw_only=True)
class ParamView:
    """A parameter of a command."""

    name: str
    display_name: str
    data_type: Any
    default_value: Any
    min: float | None
    max: float | None
    unit: str
    allowed_values: list[Any]
    required: bool
    visible_when: str | None
    group: str | None
    help_text: str
    validation: list[dict[str, Any]]


@attrs.frozen(kw_only=True)
class CommandView:
    """A command."""

    name: str
    display_name: str
    description: str
    payload_template: str
    parameters: list[ParamView]
    fixed_values: dict[str, Any]
    samples: list[Any]
    parameter_groups: list[dict[str, Any]]


@attrs.frozen(kw_only=True)
class TypeView:
    """A device type."""

    device_type: str
    name: str
    description: str
    categories: list[str]
    mode: str
    metrics: list[MetricView]
    uplink_samples: list[Any]
    commands: list[CommandView]
    default_offline_timeout_secs: int | None
    store_raw: bool
    metric_count: int
    command_count: int


@attrs.frozen(kw_only=True)
class ListedMetric:
    """A metric in the list of types; ``data_type`` is a word."""

    name: str
    display_name: str
    data_type: str
    unit: str
    min: float | None
    max: float | None


@attrs.frozen(kw_only=True)
class ListedParam:
    """A parameter in the list of types."""

    name: str
    display_name: str
    data_type: str


@attrs.frozen(kw_only=True)
class ListedCommand:
    """A command in the list of types."""

    name: str
    display_name: str
    parameters: list[ListedParam]


@attrs.frozen(kw_only=True)
class ListedType:
    """A device type in the list."""

    device_type: str
    name: str
    description: str
    categories: list[str]
    mode: str
    metrics: list[ListedMetric]
    commands: list[ListedCommand]
    metric_count: int
    command_count: int


@attrs.frozen(kw_only=True)
class TypeList:
    """All device types, by id."""

    device_types: list[ListedType]
    count: int


@attrs.frozen(kw_only=True)
class TypeRegisteredAnswer:
    """The type is kept, new or in place of the one before."""

    success: bool = True
    registered: bool = True
    device_type: str
    name: str


@attrs.frozen(kw_only=True)
class TypeDeletedAnswer:
    """The type is gone."""

    success: bool = True
    device_type: str
    deleted: bool = True


@attrs.frozen(kw_only=True)
class MdlBody:
    """Examples of what a device sends and takes, as JSON texts."""

    device_name: str = fields.text(min=1, max=100)
    description: str = fields.text(max=500, default="")
    uplink_example: str = fields.text(max=EXAMPLE_MAX, default="")
    downlink_example: str = fields.text(max=EXAMPLE_MAX, default="")


@attrs.frozen(kw_only=True)
class UplinkView:
    """What devices send."""

    metrics: list[MetricView]
    samples: list[Any]


@attrs.frozen(kw_only=True)
class DownlinkView:
    """What devices take."""

    commands: list[CommandView]


@attrs.frozen(kw_only=True)
class MdlAnswer:
    """A draft of a device type, in the form that ``POST /devices/types`` takes too."""

    device_type: str
    name: str
    description: str
    categories: list[str]
    mode: str
    uplink: UplinkView
    downlink: DownlinkView
