"""Payload templates of commands, compiled once.

A template that begins with ``{`` or ``[`` is JSON: a value that is exactly ``${name}``, in quotes or not, becomes the
value of the parameter in its own type; ``${name}`` inside a longer text becomes part of that text. Any other template
is text. Without a template the payload is ``{"command", "params", "request_id"}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import orjson

from neomind_sdk import ApiError, CommandDef, strict_json

from .errors import BadTemplate

REQUEST_ID = "request_id"
"""The placeholder that always has a value: the id under which the device may acknowledge the command."""
_NAME = re.compile(r"\$\{([^\W\d]\w*(?:\.\w+)*)\}")
_STRING_OR_NAME = re.compile(rf'"(?:[^"\\]|\\.)*"|{_NAME.pattern}', re.DOTALL)

Values = Mapping[str, Any]
Renderer = Callable[[Values], Any]


class _Absent:
    """Stands for a member or an element that is left out."""


ABSENT = _Absent()


@attrs.frozen
class Template:
    """``render`` makes the payload of values; ``broken`` says why there is none."""

    command: CommandDef
    write: Callable[[Values], bytes] | None
    broken: str | None = None

    def render(self, params: Values, request_id: str) -> bytes:
        """The payload; ``params`` win over the fixed values. Raises ``BadTemplate``."""
        if self.write is None:
            raise BadTemplate(f"The payload template of '{self.command.name}' cannot be used: {self.broken}")
        return self.write({REQUEST_ID: request_id, **self.command.fixed_values, **params})


def compile_template(command: CommandDef) -> Template:
    """Never raises: a template that cannot be used says so when it is."""
    text = command.payload_template.strip()
    if not text:
        return Template(command, lambda values: default_payload(command, values))
    optional = frozenset(param.name for param in command.parameters if not param.required)
    if text[0] not in "{[":
        parts = Parts.of(command.payload_template, command.name, in_json=False)
        return Template(command, lambda values: encoded(parts.render(values)))
    try:
        tree = strict_json.loads(_STRING_OR_NAME.sub(quoted, text).encode())
    except (ApiError, ValueError) as error:
        return Template(command, None, broken=f"it is not JSON: {error}")
    render = node(tree, command.name, optional)
    return Template(command, lambda values: dumped(render(values)))


def default_payload(command: CommandDef, values: Values) -> bytes:
    params = {name: value for name, value in values.items() if name != REQUEST_ID}
    return dumped({"command": command.name, "params": params, REQUEST_ID: values[REQUEST_ID]})


def quoted(match: re.Match[str]) -> str:
    """A placeholder that stands alone, as a JSON text; JSON texts are what they are."""
    return match[0] if match[0].startswith('"') else f'"{match[0]}"'


def node(tree: Any, command: str, optional: frozenset[str]) -> Renderer:
    """What renders a part of a JSON template."""
    if isinstance(tree, dict):
        members = [(Parts.of(key, command), node(value, command, optional)) for key, value in tree.items()]
        return lambda values: present_members((key.render(values), render(values)) for key, render in members)
    if isinstance(tree, list):
        renderers = [node(item, command, optional) for item in tree]
        return lambda values: [item for render in renderers if (item := render(values)) is not ABSENT]
    if not isinstance(tree, str):
        return lambda values: tree
    whole = _NAME.fullmatch(tree)
    return slot(whole[1], command, whole[1] in optional) if whole else Parts.of(tree, command).render


def present_members(pairs: Any) -> dict[str, Any]:
    return {key: value for key, value in pairs if value is not ABSENT}


def slot(name: str, command: str, optional: bool) -> Renderer:
    """The value of a parameter in its own type; left out when it is optional and was not given."""

    def render(values: Values) -> Any:
        value = look_up(name, values)
        return value if value is not ABSENT or optional else lacking(name, command)

    return render


@attrs.frozen
class Parts:
    """A text with placeholders: plain parts and names in turns."""

    command: str
    pieces: tuple[str, ...]
    in_json: bool = True

    @classmethod
    def of(cls, text: str, command: str, *, in_json: bool = True) -> Parts:
        return cls(command, tuple(_NAME.split(text)), in_json)

    def render(self, values: Values) -> str:
        return "".join(self.value(piece, values) if n % 2 else piece for n, piece in enumerate(self.pieces))

    def value(self, name: str, values: Values) -> str:
        value = look_up(name, values)
        if value is ABSENT:
            lacking(name, self.command)
        if self.in_json and isinstance(value, list | dict):
            raise BadTemplate(f"'{self.command}': ${{{name}}} stands inside a text, so it cannot be an array or object")
        return value if isinstance(value, str) else dumped(value).decode()


def look_up(name: str, values: Values) -> Any:
    """A value by its name, or by a path into an object: ``a.b``."""
    if name in values:
        return values[name]
    first, dot, rest = name.partition(".")
    inner = values.get(first) if dot else None
    return look_up(rest, inner) if isinstance(inner, Mapping) else ABSENT


def lacking(name: str, command: str) -> Any:
    raise BadTemplate(f"'{command}': the payload template needs '{name}', and there is no such value")


def dumped(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise BadTemplate(f"The payload cannot be written: {error}") from error


def encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BadTemplate("The payload cannot be written: a text has an unpaired surrogate") from error
