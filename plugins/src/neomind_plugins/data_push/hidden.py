"""What in a configuration is secret: found, taken out, and put back.

A place is a JSON pointer (RFC 6901). Secret are the fields that their class says are, also in classes inside, and the
values of what is called like a credential in free objects such as ``headers``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_type_hints

import attrs

from neomind_sdk.schema import secret_fields

SENSITIVE = re.compile(r"auth|cookie|token|key|secret|passw|signature|credential|session", re.IGNORECASE)

Path = tuple[str, ...]


def places(cls: type[Any], values: Mapping[str, Any]) -> list[Path]:
    """Where secrets are in ``values``, a configuration of ``cls``."""
    hints, secret = get_type_hints(cls), secret_fields(cls)
    found: list[Path] = []
    for name, value in values.items():
        if name not in hints:
            continue
        if name in secret:
            found.append((name,))
        elif isinstance(value, Mapping):
            found += [(name, *path) for path in _inside(hints[name], value)]
    return found


def secrets_in(cls: type[Any], values: Mapping[str, Any]) -> Iterator[Any]:
    """What is in these places; looks for them when it is iterated."""
    for path in places(cls, values):
        yield at(values, path)


def is_free(cls: type[Any], name: str) -> bool:
    """Whether a field holds an object of which nothing is known but that it is one."""
    return _class_of(get_type_hints(cls).get(name)) is None and name not in secret_fields(cls)


def _class_of(hint: Any) -> Any:
    return next((one for one in (hint, *get_args(hint)) if isinstance(one, type) and attrs.has(one)), None)


def _inside(hint: Any, value: Mapping[str, Any]) -> list[Path]:
    inner = _class_of(hint)
    if inner is not None:
        return places(inner, value)
    return [(key,) for key in value if SENSITIVE.search(key)]


def pointer(path: Path) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def path_of(text: str) -> Path:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def at(values: Any, path: Path) -> Any:
    """What is there; ``None`` when nothing is."""
    for part in path:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def put(values: dict[str, Any], path: Path, value: Any) -> bool:
    """Put a value where it belongs; ``False`` when what it belongs in is not there."""
    inner: Any = values
    for part in path[:-1]:
        inner = inner.get(part) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        return False
    inner[path[-1]] = value
    return True


def without(values: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """``values`` without what is at these places."""
    kept = copied(values)
    for path in paths:
        inner: Any = kept
        for part in path[:-1]:
            inner = inner[part]
        inner.pop(path[-1], None)
    return kept


def copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: copied(value) if isinstance(value, Mapping) else value for key, value in values.items()}
