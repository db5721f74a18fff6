"""A first draft of a device type from examples of what a device sends and takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from neomind_sdk import ApiError, BadRequest, CommandDef, DeviceType, MetricDef, ParamDef, strict_json

from .forms import NAME_MAX, is_metric_name

DEPTH_MAX = 10
COMMAND_KEYS = ("command", "cmd", "action", "method")
"""Members of a message that may say which command it is."""
_WORDS: tuple[tuple[type[Any], str], ...] = ((bool, "boolean"), (int, "integer"), (float, "float"), (list, "array"))

Message = dict[str, Any]


def draft_type(name: str, description: str, uplink: str, downlink: str) -> DeviceType:
    """The type of devices that send messages like those in ``uplink`` and take messages like those in ``downlink``.

    Both are JSON: an object, an array of objects, objects one after another, or nothing. Raises ``BadRequest`` for
    anything else.
    """
    sent, taken = messages(uplink, "uplink_example"), messages(downlink, "downlink_example")
    commands = [draft_command(message, number) for number, message in enumerate(taken, 1)]
    return DeviceType(
        device_type=re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_") or "device",
        name=name.strip(),
        description=description,
        categories=("sensor",),
        mode="full",
        metrics=draft_metrics(sent),
        uplink_samples=tuple(sent),
        commands=tuple({command.name: command for command in commands}.values()),
    )


def messages(text: str, field: str) -> list[Message]:
    """The objects of an example."""
    found: list[Any] = []
    for value in json_values(text.strip(), field):
        found += value if isinstance(value, list) else [value]
    if not all(isinstance(message, dict) for message in found):
        raise BadRequest(f"{field}: must be a JSON object, or several")
    return found


def json_values(text: str, field: str) -> Iterator[Any]:
    """The JSON values that stand in a text one after another."""
    while text:
        try:
            _, end = json.JSONDecoder().raw_decode(text)
            yield strict_json.loads(text[:end].encode())
        except (ValueError, RecursionError, ApiError) as error:
            raise BadRequest(f"{field}: is not JSON: {error}") from error
        text = text[end:].lstrip()


def draft_metrics(sent: Sequence[Message]) -> tuple[MetricDef, ...]:
    """A metric for every leaf that has a name; of leaves of the same name the first says the data type."""
    found: dict[str, MetricDef] = {}
    for message in sent:
        for path, value in leaves(message):
            if is_metric_name(path) and path not in found:
                found[path] = MetricDef(name=path, display_name=title(path), data_type=word(value))
    return tuple(found.values())


def draft_command(message: Message, number: int) -> CommandDef:
    """The command whose message this is; everything but its name is a parameter with the example as its default."""
    key = next((key for key in COMMAND_KEYS if is_command_name(message.get(key))), None)
    name = f"command_{number}" if key is None else message[key]
    found: dict[str, ParamDef] = {}
    template = placed({path: value for path, value in message.items() if path != key}, found)
    fixed = {} if key is None else {key: name}
    return CommandDef(
        name=name,
        display_name=title(name),
        payload_template=json_with_placeholders({**fixed, **template}, found),
        parameters=tuple(found.values()),
    )


def placed(message: Message, found: dict[str, ParamDef], prefix: str = "", depth: int = 1) -> Message:
    """The message with placeholders in place of its leaves; ``found`` gets the parameters they stand for."""
    result: Message = {}
    for key, value in message.items():
        name = re.sub(r"\W+", "_", prefix + key)
        if isinstance(value, dict) and value and depth < DEPTH_MAX:
            result[key] = placed(value, found, f"{prefix}{key}.", depth + 1)
        elif name in found or not is_command_name(name) or isinstance(value, dict):
            result[key] = value
        else:
            found[name] = ParamDef(name=name, display_name=title(key), data_type=word(value), default_value=value)
            result[key] = f"${{{name}}}"
    return result


def json_with_placeholders(message: Message, parameters: dict[str, ParamDef]) -> str:
    """JSON in which only the placeholders of texts stand in quotes."""
    text = json.dumps(message, ensure_ascii=False)
    for name, parameter in parameters.items():
        if parameter.data_type != "string":
            text = text.replace(f'"${{{name}}}"', f"${{{name}}}")
    return text


def leaves(message: Message, prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """Everything that is no object, or is one too deep, by its path."""
    for key, value in message.items():
        if isinstance(value, dict) and depth < DEPTH_MAX:
            yield from leaves(value, f"{prefix}{key}.", depth + 1)
        else:
            yield prefix + key, value


def is_command_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= NAME_MAX and value.isprintable()


def word(value: Any) -> str:
    """The data type of a value."""
    return next((word for kind, word in _WORDS if isinstance(value, kind)), "string")


def title(path: str) -> str:
    """``values.battery_level`` -> ``Battery level``."""
    words = path.rpartition(".")[2].replace("_", " ").strip()
    return words[:1].upper() + words[1:]
