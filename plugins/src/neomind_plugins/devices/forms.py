"""From the forms in which device types arrive to the one in which they are kept."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import attrs

from neomind_sdk import BadRequest, CommandDef, DeviceType, MetricDef, ParamDef, ValidationFailed, fields
from neomind_sdk.series import RAW

from .type_models import PLAIN_TYPES, CommandBody, DownlinkBody, MetricBody, ParamBody, RuleBody, TypeBody, UplinkBody

TYPE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
NAME_MAX = 100
TAGS = ("integer", "float", "string", "boolean", "array", "binary")
_PATH = re.compile(r"(?:[^.\[\]]+|\[\d+\])(?:\.[^.\[\]]+|\[\d+\])*")


class DataType(NamedTuple):
    """A data type taken apart: its word, the words of an enum, the element type of an array."""

    word: str
    options: tuple[str, ...] = ()
    element_type: str | None = None


def read_type(ident: str, body: TypeBody) -> DeviceType:
    """The device type that a body describes.

    Raises ``BadRequest`` for an id that cannot be and for blank names of metrics and commands, ``ValidationFailed``
    naming the path for everything else.
    """
    uplink, downlink = body.uplink or UplinkBody(), body.downlink or DownlinkBody()
    metrics, above = (body.metrics, "") if body.metrics else (uplink.metrics, "uplink.")
    commands, over = (body.commands, "") if body.commands else (downlink.commands, "downlink.")
    return DeviceType(
        device_type=check_type_id(ident),
        name=body.name,
        description=body.description,
        categories=tuple(body.categories),
        mode=body.mode.lower(),
        metrics=read_metrics(metrics, f"{above}metrics"),
        uplink_samples=tuple(body.uplink_samples or uplink.samples),
        commands=read_commands(commands, f"{over}commands"),
        default_offline_timeout_secs=body.default_offline_timeout_secs,
        store_raw=body.store_raw is not False,
    )


def check_type_id(ident: str) -> str:
    """The id; raises ``BadRequest`` for one that cannot be."""
    if not TYPE_ID.fullmatch(ident):
        raise BadRequest("device_type: must be 1 to 100 letters, digits, _ or -")
    return ident


def read_metrics(bodies: Sequence[MetricBody], path: str) -> tuple[MetricDef, ...]:
    check_names((body.name for body in bodies), path)
    return tuple(read_metric(body, f"{path}[{index}]") for index, body in enumerate(bodies))


def read_metric(body: MetricBody, path: str) -> MetricDef:
    if not is_metric_name(body.name):
        raise ValidationFailed((f"{path}.name", "must be a name or a path such as values.temperature or a[0].b"))
    check_range(body, path)
    known = read_data_type(body.data_type, f"{path}.data_type")
    plain = attrs.asdict(body, filter=lambda field, _: field.name != "data_type")
    return MetricDef(**plain, data_type=known.word, options=known.options, element_type=known.element_type)


def is_metric_name(name: str) -> bool:
    """Whether a metric may be called so: a printable path, not blank. ``_raw`` is taken, it keeps the whole message."""
    return (
        name != RAW
        and bool(name.strip())
        and len(name) <= NAME_MAX
        and name.isprintable()
        and _PATH.fullmatch(name) is not None
    )


def read_commands(bodies: Sequence[CommandBody], path: str) -> tuple[CommandDef, ...]:
    check_names((body.name for body in bodies), path)
    return tuple(read_command(body, f"{path}[{index}]") for index, body in enumerate(bodies))


def read_command(body: CommandBody, path: str) -> CommandDef:
    check_names((parameter.name for parameter in body.parameters), f"{path}.parameters")
    return CommandDef(
        name=body.name,
        display_name=body.display_name,
        description=body.description,
        payload_template=body.payload_template,
        parameters=tuple(read_param(item, f"{path}.parameters[{n}]") for n, item in enumerate(body.parameters)),
        fixed_values=body.fixed_values,
        samples=tuple(body.samples),
        parameter_groups=tuple(attrs.asdict(group) for group in body.parameter_groups),
    )


def read_param(body: ParamBody, path: str) -> ParamDef:
    check_range(body, path)
    known = read_data_type(body.data_type, f"{path}.data_type")
    return ParamDef(
        name=body.name,
        display_name=body.display_name,
        data_type=known.word,
        options=known.options,
        element_type=known.element_type,
        default_value=untagged(body.default_value),
        min=body.min,
        max=body.max,
        unit=body.unit,
        allowed_values=tuple(untagged(value) for value in body.allowed_values),
        required=body.required,
        visible_when=body.visible_when,
        group=body.group,
        help_text=body.help_text,
        validation=tuple(read_rule(rule, f"{path}.validation[{n}]") for n, rule in enumerate(body.validation)),
    )


def read_rule(body: RuleBody, path: str) -> dict[str, Any]:
    """A rule with the members of its kind."""
    if body.type == "pattern":
        check_regex(body.regex, f"{path}.regex")
        return {"type": "pattern", "regex": body.regex, "error_message": body.error_message}
    if body.type == "custom":
        if not (body.validator or "").strip():
            raise ValidationFailed((f"{path}.validator", "must not be blank"))
        return {"type": "custom", "validator": body.validator, "params": body.params}
    check_range(body, path)
    if body.min is None and body.max is None:
        raise ValidationFailed((path, "must have min or max"))
    return {"type": body.type, "min": body.min, "max": body.max, "error_message": body.error_message}


def read_data_type(value: Any, path: str) -> DataType:
    """A word in any case, ``{"Enum": {"options": […]}}`` or ``{"Array": {"element_type": …}}``."""
    if isinstance(value, str) and value.lower() in PLAIN_TYPES:
        return DataType(value.lower())
    if isinstance(value, dict) and len(value) == 1:
        [(kind, inner)] = lowered(value).items()
        if kind == "enum" and isinstance(inner, dict):
            return DataType("enum", read_options(lowered(inner).get("options"), path))
        if kind == "array" and isinstance(inner, dict):
            return DataType("array", element_type=read_element(lowered(inner).get("element_type"), path))
    words = ", ".join(PLAIN_TYPES)
    raise ValidationFailed((path, f'must be one of {words}, {{"enum": {{"options": […]}}}} or {{"array": {{…}}}}'))


def read_options(value: Any, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(option, str) for option in value):
        raise ValidationFailed((f"{path}.enum.options", "must be an array of strings"))
    return tuple(value)


def read_element(value: Any, path: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and value.lower() in PLAIN_TYPES:
        return value.lower()
    raise ValidationFailed((f"{path}.array.element_type", f"must be one of {', '.join(PLAIN_TYPES)}, or null"))


def lowered(value: dict[str, Any]) -> dict[str, Any]:
    return {key.lower(): item for key, item in value.items()}


def untagged(value: Any) -> Any:
    """``{"Integer": 60}`` -> ``60``; anything else is what it is. An array's elements may be tagged too."""
    if isinstance(value, dict) and len(value) == 1:
        [(tag, inner)] = value.items()
        return untagged(inner) if tag.lower() in TAGS else value
    return [untagged(item) for item in value] if isinstance(value, list) else value


def check_names(names: Iterable[str], path: str) -> None:
    """Raises ``BadRequest`` for a blank name, ``ValidationFailed`` for one that is too long or there twice."""
    found: set[str] = set()
    for index, name in enumerate(names):
        where = f"{path}[{index}].name"
        if not name.strip():
            raise BadRequest(f"{where}: must not be blank")
        if len(name) > NAME_MAX or not fields.clean(name):
            raise ValidationFailed((where, f"must be at most {NAME_MAX} characters without NUL"))
        if name in found:
            raise ValidationFailed((where, f"'{name}' is there twice"))
        found.add(name)


def check_range(body: MetricBody | ParamBody | RuleBody, path: str) -> None:
    if body.min is not None and body.max is not None and body.min > body.max:
        raise ValidationFailed((f"{path}.min", "must not be above max"))


def check_regex(pattern: str | None, path: str) -> None:
    """Raises ``ValidationFailed`` for what is no regular expression of Python's ``re``."""
    if pattern is None:
        raise ValidationFailed((path, "is required"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of things that may mean something else one day
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValidationFailed((path, f"is no regular expression: {error}")) from error
