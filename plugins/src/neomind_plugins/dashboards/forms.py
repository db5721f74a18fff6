"""What the components of a dashboard must be. What is inside their values is theirs: it is kept as it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neomind_sdk import fields

from .models import COMPONENTS_MAX, NAME_MAX, UINT_MAX
from .records import Json

POSITION = ("x", "y", "w", "h")
BOUNDS = ("min_w", "min_h", "max_w", "max_h")
Problems = list[tuple[str, str]]


def problems(components: list[Any], *, ids: bool) -> Problems:
    """What is wrong, as ``(path, text)``; ``ids``: whether each must have one."""
    if len(components) > COMPONENTS_MAX:
        return [("components", f"must have at most {COMPONENTS_MAX} entries")]
    return [
        (f"components[{index}]{path}", text)
        for index, component in enumerate(components)
        for path, text in _component(component, ids=ids)
    ]


def numbered(components: list[Json]) -> list[Json]:
    """Those without an id get one by their place."""
    return [
        component if component.get("id") is not None else {**component, "id": f"component_{index}"}
        for index, component in enumerate(components)
    ]


def _component(component: Any, *, ids: bool) -> Iterator[tuple[str, str]]:
    if not isinstance(component, dict):
        yield "", "must be an object"
        return
    if ids or component.get("id") is not None:
        yield from _named(component, "id")
    yield from _named(component, "type")
    if not isinstance(component.get("title"), str | None):
        yield ".title", "must be text"
    yield from _position(component.get("position"))


def _named(component: Json, name: str) -> Iterator[tuple[str, str]]:
    value = component.get(name)
    if value is None:
        yield f".{name}", "is missing"
    elif not isinstance(value, str):
        yield f".{name}", "must be text"
    elif not value.strip() or len(value) > NAME_MAX or not fields.clean(value):
        yield f".{name}", f"must have 1 to {NAME_MAX} characters, and no NUL among them"


def _position(position: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(position, dict):
        yield ".position", "is missing" if position is None else "must be an object"
        return
    for name in (*POSITION, *BOUNDS):
        value = position.get(name)
        if value is None and name in POSITION:
            yield f".position.{name}", "is missing"
        elif value is not None and not is_uint(value):
            yield f".position.{name}", f"must be an integer within 0 and {UINT_MAX}"


def is_uint(value: Any) -> bool:
    """``4.0`` is an integer too, as in JSON Schema; ``true`` is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= UINT_MAX and value == int(value)
