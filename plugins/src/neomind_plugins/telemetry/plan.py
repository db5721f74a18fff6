"""What is taken out of a message: a plan compiled once per device type, or every leaf where no type says what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from neomind_sdk import BadRequest, DeviceType, Value
from neomind_sdk.series import RAW

SCALAR = "value"
"""The metric of a message that is a bare number, text or boolean."""
MAX_DEPTH = 10
MAX_LEAVES = 10_000
MAX_NAME = 256

_PATH = re.compile(r"[^.\[\]]+(?:\[\d+\])*(?:\.[^.\[\]]+(?:\[\d+\])*)*|(?:\[\d+\])+(?:\.[^.\[\]]+(?:\[\d+\])*)*")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")

Extracted = list[tuple[str, Value]]
Steps = tuple["str | int", ...]


class Plan:
    """How messages of one device type are taken apart.

    A metric's name is a key of the message, or a path into it (``values.temperature``, ``a[0].b``). What the message
    does not have, or has as ``null``, is absent from the result.
    """

    __slots__ = ("_wanted", "scalar", "store_raw")

    def __init__(self, device_type: DeviceType) -> None:
        names = [metric.name for metric in device_type.metrics if metric.name != RAW]
        self._wanted = tuple((name, path_steps(name)) for name in names)
        self.scalar = names[0] if len(names) == 1 else SCALAR
        self.store_raw = device_type.store_raw

    def extract(self, payload: Mapping[str, Any] | Sequence[Any]) -> Extracted:
        """The metrics that the message has, in the order of the type."""
        if not self._wanted:
            return leaves(payload)
        keys = payload if isinstance(payload, dict) else {}
        found = []
        for name, steps in self._wanted:
            value = keys.get(name)
            if value is None and steps:
                value = follow(payload, steps)
            if value is not None:
                found.append((name, value))
        return found


UNTYPED = Plan(DeviceType(device_type="", name=""))
"""The plan for devices whose type is gone."""


class Plans:
    """The plans of all types that were asked for; a type that was replaced gets a new plan."""

    def __init__(self) -> None:
        self._compiled: dict[str, tuple[DeviceType, Plan]] = {}

    def of(self, device_type: DeviceType | None) -> Plan:
        if device_type is None:
            return UNTYPED
        known = self._compiled.get(device_type.device_type)
        if known is None or known[0] is not device_type:
            known = self._compiled[device_type.device_type] = (device_type, Plan(device_type))
        return known[1]


def path_steps(name: str) -> Steps:
    """``a[0].b`` -> ``("a", 0, "b")``; nothing for a plain key and for what is no path."""
    if not _PATH.fullmatch(name):
        return ()
    steps = tuple(int(index) if index else key for index, key in _STEP.findall(name))
    return steps if len(steps) > 1 or isinstance(steps[0], int) else ()


def follow(value: Any, steps: Steps) -> Any:
    """What is at the end of the path; ``None`` when the path leads nowhere."""
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
        if value is None:
            return None
    return value


def leaves(payload: Any) -> Extracted:
    """Every leaf of an object, nested names joined by dots; arrays, and objects below ``MAX_DEPTH``, as JSON text.

    ``null`` leaves are absent, and so are those that cannot have a name (empty, over ``MAX_NAME`` characters,
    control characters): they are in ``_raw`` only. Raises ``BadRequest`` when there are more than ``MAX_LEAVES``.
    """
    found: Extracted = []
    if isinstance(payload, dict):
        _collect(payload, "", 1, found)
    return found


def _collect(node: Mapping[str, Any], prefix: str, depth: int, found: Extracted) -> None:
    for key, value in node.items():
        name = prefix + key
        if isinstance(value, dict) and depth < MAX_DEPTH:
            _collect(value, name + ".", depth + 1, found)
        elif value is not None and _nameable(name):
            found.append((name, json_text(value) if isinstance(value, dict | list) else value))
    if len(found) > MAX_LEAVES:
        raise BadRequest(f"A message may hold at most {MAX_LEAVES} values")


def _nameable(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME and name != RAW and name.isprintable()


def json_text(value: Any) -> str:
    """JSON text, compact."""
    return orjson.dumps(value).decode()
