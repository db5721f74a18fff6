"""JSON Schema (draft 2020-12, as OpenAPI 3.1 uses it) of the types that routes and settings are declared with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import chain, count
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from ...contracts.fields import META
from .structure import hints_of, parts_of

Schema = dict[str, Any]
SCALARS: Mapping[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number"},
    bytes: {"type": "string", "format": "binary"},
    Path: {"type": "string"},
    NoneType: {"type": "null"},
}


class Schemas:
    """Schemas of classes, each under a name of its own in ``components``.

    A class has two shapes: as input a field with a default may be absent; as output one that defaults to ``None`` may,
    for a handler that answers with a dictionary leaves out what there is not.
    """

    def __init__(self, fixed: Mapping[str, Schema] | None = None, where: str = "#/components/schemas/") -> None:
        self.components: dict[str, Schema] = dict(fixed or {})
        self.problems: list[str] = []
        """Classes whose types cannot be resolved, and why; they are described as anything."""
        self._where = where
        self._names: dict[tuple[type[Any], bool], str] = {}

    def of(self, kind: Any, *, output: bool) -> Schema:
        """The schema of a type; of an attrs class a reference."""
        inner, optional = parts_of(kind)
        if inner is Any or inner is None:
            return {}
        if inner is NoneType:
            return {"type": "null"}
        schema = self._of(inner, output)
        return _nullable(schema) if optional else schema

    def _of(self, kind: Any, output: bool) -> Schema:
        origin = get_origin(kind)
        if kind in SCALARS:
            return dict(SCALARS[kind])
        if origin is Union:
            return {"anyOf": [self._of(part, output) for part in get_args(kind)]}
        if origin is Literal:
            return {"enum": list(get_args(kind))}
        if kind in (list, tuple) or origin in (list, tuple, Sequence):
            inner = next((part for part in get_args(kind) if part is not Ellipsis), Any)
            return {"type": "array", "items": self.of(inner, output=output)}
        if kind in (dict, Mapping) or origin in (dict, Mapping):
            inner = get_args(kind)[1] if len(get_args(kind)) == 2 else Any
            return {"type": "object", "additionalProperties": self.of(inner, output=output)}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [one.value for one in kind]}
        return {"$ref": self._where + self._named(kind, output)} if attrs.has(kind) else {}

    def _named(self, cls: type[Any], output: bool) -> str:
        key = (cls, output)
        if key not in self._names:
            self._names[key] = self._free_name(cls, output)
            self.components[self._names[key]] = {}  # a class may contain itself
            try:
                self.components[self._names[key]] = self.members(cls, output=output)
            except Exception as error:  # one plugin's mistake must not take the whole document away
                self.problems.append(f"{cls.__module__}.{cls.__name__}: {error}")
        return self._names[key]

    def _free_name(self, cls: type[Any], output: bool) -> str:
        package = cls.__module__.split(".")[-2:-1] or [""]
        prefix = "".join(word.title() for word in package[0].split("_"))
        names = [cls.__name__, f"{cls.__name__}{'Answer' if output else 'Input'}", f"{prefix}{cls.__name__}"]
        names += [f"{prefix}{cls.__name__}{'Answer' if output else 'Input'}"]
        more = (f"{names[-1]}{number}" for number in count(2))
        return next(name for name in chain(names, more) if name not in self.components)

    def members(self, cls: Any, *, output: bool) -> Schema:
        """The object schema of an attrs class itself."""
        hints, properties, required = hints_of(cls), {}, []
        for field in attrs.fields(cls):
            if not output and not field.init:
                continue
            properties[field.name] = self._member(field, hints[field.name], output)
            if field.default is attrs.NOTHING or (output and field.default is not None):
                required.append(field.name)
        schema: Schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        text = inspect.getdoc(cls) or ""
        return {**schema, "description": text} if text and not text.startswith("Method generated") else schema

    def _member(self, field: Any, kind: Any, output: bool) -> Schema:
        more = field.metadata.get(META, {})
        inner, optional = parts_of(kind)
        schema = {**self.of(inner, output=output), **more.get("schema", {})}
        if not output and more.get("secret"):
            schema["writeOnly"] = True
        if more.get("doc"):
            schema["description"] = more["doc"]
        if not output and _plain_default(field.default):
            schema["default"] = field.default
        return _nullable(schema) if optional and inner is not Any else schema


def json_schema(cls: type[Any]) -> Schema:
    """The schema of one attrs class as input, complete in itself (for configuration forms)."""
    schemas = Schemas(where="#/$defs/")
    schema = schemas.members(cls, output=False)
    return {**schema, "$defs": schemas.components} if schemas.components else schema


def _plain_default(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _nullable(schema: Schema) -> Schema:
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    described: Schema = {key: schema[key] for key in ("description", "default") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in described}
    return {"anyOf": [inner, {"type": "null"}], **described} if inner else schema
