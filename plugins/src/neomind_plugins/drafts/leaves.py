"""The values of a message, by the path at which a device type finds them again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs

from neomind_sdk.series import RAW

DEPTH_MAX = 10
NAME_MAX = 100
FIELDS_MAX = 20_000
"""More values than that of one message are not looked at."""
OBJECT = object()
"""Stands for a value that is an object, and no metric; a value at its path in another message is of no one type."""
SCALAR = "value"
"""The metric of a message that is a bare number, text or boolean."""

_NAME = re.compile(r"(?:[^.\[\]]+|\[\d+\])(?:\.[^.\[\]]+|\[\d+\])*")
_STEP = re.compile(r"[^.\[\]]+")


@attrs.define
class Leaves:
    """``found`` are values by path, ``None`` among them; ``objects`` stand at these paths; ``lost`` are the paths of
    values that no metric can have.
    """

    found: dict[str, Any] = attrs.field(factory=dict)
    objects: set[str] = attrs.field(factory=set)
    lost: list[str] = attrs.field(factory=list)
    cut: bool = False


def leaves(payload: Any) -> Leaves:
    """Everything in a message that is no object; an array is one value."""
    result = Leaves()
    if isinstance(payload, dict):
        for count, (path, value, reachable) in enumerate(walk(payload)):
            if count == FIELDS_MAX:
                result.cut = True
                break
            note(result, path, value, reachable)
    elif not isinstance(payload, list | bytes | None):
        result.found[SCALAR] = payload
    return result


def note(result: Leaves, path: str, value: Any, reachable: bool) -> None:
    """A key with a dot may look like the path of another value: the one that a type would find counts."""
    if value is OBJECT:
        result.objects.add(path)
    elif not reachable or not is_metric_name(path):
        result.lost.append(path)
    elif result.found.get(path) is None:
        result.found[path] = value


def walk(payload: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """``(path, value, whether the path leads to it)``. Keys of the message itself come before paths into it."""
    nested = [(key, value) for key, value in payload.items() if isinstance(value, dict)]
    yield from ((key, value, True) for key, value in payload.items() if not isinstance(value, dict))
    for key, value in nested:
        yield key, OBJECT, True
        yield from _walk(value, key, is_step(key), 2)


def _walk(node: dict[str, Any], above: str, reachable: bool, depth: int) -> Iterator[tuple[str, Any, bool]]:
    for key, value in node.items():
        path, leads = f"{above}.{key}", reachable and is_step(key)
        if not isinstance(value, dict):
            yield path, value, leads
        elif depth < DEPTH_MAX:
            yield path, OBJECT, leads
            yield from _walk(value, path, leads, depth + 1)
        elif value:
            yield path, value, False


def is_step(key: str) -> bool:
    """Whether a key may stand in a path."""
    return _STEP.fullmatch(key) is not None


def is_metric_name(path: str) -> bool:
    """Whether a metric may be called so: a printable key, or a path into the message."""
    fits = path != RAW and len(path) <= NAME_MAX and path.isprintable() and bool(path.strip())
    return fits and _NAME.fullmatch(path) is not None
