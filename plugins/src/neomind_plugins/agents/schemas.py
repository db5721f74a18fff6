"""Arguments of tools, checked against the tool's JSON Schema."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

PROBLEMS_MAX, SAID_MAX, BYTES_MAX = 10, 300, 64 * 1024


def plain(value: Any) -> Any:
    """A copy of JSON; raises ``ValueError`` and ``TypeError`` for anything else."""
    return orjson.loads(orjson.dumps(value))


async def problems(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    """What does not fit, as text. A thread checks: a pattern may take its time."""
    try:
        size = len(orjson.dumps(arguments))
    except (TypeError, ValueError, RecursionError) as error:
        return [f"the arguments are not JSON: {error}"]
    if size > BYTES_MAX:
        return [f"the arguments have more than {BYTES_MAX} bytes"]
    return await asyncio.to_thread(_problems, schema, arguments)


def _problems(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    from jsonschema import Draft202012Validator, validators
    from referencing import Registry

    # JSON Schema takes 1.0 for an integer; Python code that asked for an integer does not.
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int)
    strict = validators.extend(Draft202012Validator, type_checker=types)
    try:
        # The empty registry keeps references to other documents from being fetched.
        errors = list(strict(dict(schema), registry=Registry()).iter_errors(dict(arguments)))
        return list(dict.fromkeys(said(error) for error in errors))[:PROBLEMS_MAX]
    except Exception as error:  # whatever a malformed schema leads to
        return [f"the tool's schema cannot be used: {type(error).__name__}: {error}"[:SAID_MAX]]


def said(error: Any) -> str:
    path = ".".join(map(str, error.absolute_path))
    return f"{path}: {error.message}"[:SAID_MAX] if path else str(error.message)[:SAID_MAX]
