"""The arguments of a command: taken out of the body, and checked against the command's schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from neomind_sdk import ExtensionCommand, ValidationFailed

Problem = tuple[str, str]
WRAPPERS = ("args", "params")
MAX_PROBLEMS = 20
MAX_TEXT = 300


class UnusableSchema(Exception):
    """The command's own schema cannot be used; the message says why."""


def arguments_of(command: ExtensionCommand, body: Any) -> dict[str, Any]:
    """The body itself, or what its only member ``args`` or ``params`` holds; raises ``ValidationFailed``.

    A command that has an argument of that name gets the body as it is.
    """
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise ValidationFailed(("body", "must be a JSON object with the command's arguments"))
    for name in WRAPPERS:
        if set(body) == {name} and isinstance(body[name], dict) and name not in _properties(command.input_schema):
            return dict(body[name])
    return body


def check(schema: Mapping[str, Any], arguments: dict[str, Any]) -> None:
    """Raise ``ValidationFailed`` naming the arguments that do not fit; ``UnusableSchema``. Call it in a thread."""
    from jsonschema import Draft202012Validator, validators
    from referencing import Registry

    # JSON Schema takes 1.0 for an integer; Python code that asked for an integer does not.
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int)
    strict = validators.extend(Draft202012Validator, type_checker=types)
    try:
        # The empty registry keeps references to other documents from being fetched.
        errors = list(strict(dict(schema), registry=Registry()).iter_errors(arguments))
        problems = dict.fromkeys(problem for error in errors for problem in _problems(error))
    except Exception as error:  # whatever a malformed schema leads to
        raise UnusableSchema(f"its input schema cannot be used: {type(error).__name__}: {error}"[:MAX_TEXT]) from error
    if problems:
        raise ValidationFailed(*list(problems)[:MAX_PROBLEMS])


def _problems(error: Any) -> Iterable[Problem]:
    """The problem with its field; missing and unknown members are fields of their own."""
    if error.validator == "required":
        return [(_path([*error.absolute_path, name]), "is required") for name in _missing(error)]
    if error.validator == "additionalProperties" and "patternProperties" not in error.schema:
        extra = sorted(set(error.instance) - set(_properties(error.schema)))
        return [(_path([*error.absolute_path, name]), error.message[:MAX_TEXT]) for name in extra]
    return [(_path(error.absolute_path) or "body", error.message[:MAX_TEXT])]


def _missing(error: Any) -> list[str]:
    return [name for name in error.validator_value if name not in error.instance]


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found = schema.get("properties", {})
    return found if isinstance(found, Mapping) else {}


def _path(parts: Iterable[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")
