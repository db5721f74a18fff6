"""Fields of request bodies, queries and settings: an attrs field, its check, and its JSON Schema in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import attrs

META = "neomind"
Check = Callable[[Any], "str | None"]


def field(*checks: Check, default: Any = attrs.NOTHING, schema: dict[str, Any] | None = None, **more: Any) -> Any:
    """An attrs field whose ``checks`` return the problem as text, or ``None``; ``None`` values are not checked."""

    def validate(_instance: Any, attribute: Any, value: Any) -> None:
        for check in checks:
            problem = None if value is None else check(value)
            if problem:
                raise ValueError(problem)

    factory = more.pop("factory", None)
    secret = more.pop("secret", False)
    doc = more.pop("doc", "")
    metadata = {META: {"schema": schema or {}, "secret": secret, "doc": doc}}
    if factory is not None:
        return attrs.field(factory=factory, validator=validate, metadata=metadata, **more)
    return attrs.field(default=default, validator=validate, metadata=metadata, **more)


def text(min: int = 0, max: int | None = None, pattern: str | None = None, **more: Any) -> Any:
    """A string whose length after trimming is within ``min``..``max``; with ``min`` > 0 a blank one is refused.

    NUL and lone surrogates are always refused: they survive no database and no log.
    """
    regex = re.compile(pattern) if pattern else None

    def check(value: str) -> str | None:
        size = len(value.strip())
        if size < min:
            return "must not be blank" if min == 1 else f"must have at least {min} characters"
        if max is not None and size > max:
            return f"must have at most {max} characters"
        if not clean(value):
            return "must not hold NUL or unpaired surrogates"
        return None if regex is None or regex.fullmatch(value) else f"must match {pattern}"

    schema: dict[str, Any] = {"minLength": min} if min else {}
    schema |= {"maxLength": max} if max is not None else {}
    schema |= {"pattern": f"^(?:{pattern})$"} if pattern else {}
    return field(check, schema=schema, **more)


def number(ge: float | None = None, le: float | None = None, **more: Any) -> Any:
    """A number within ``ge``..``le``, both inclusive."""

    def check(value: float) -> str | None:
        if ge is not None and value < ge:
            return f"must be at least {ge}"
        return f"must be at most {le}" if le is not None and value > le else None

    schema = {key: bound for key, bound in (("minimum", ge), ("maximum", le)) if bound is not None}
    return field(check, schema=schema, **more)


def one_of(values: Sequence[Any], **more: Any) -> Any:
    """One of a fixed set of values."""

    def check(value: Any) -> str | None:
        return None if value in values else "must be one of " + ", ".join(map(str, values))

    return field(check, schema={"enum": list(values)}, **more)


def secret(**more: Any) -> Any:
    """A string that is masked in answers (``***``), redacted in logs and kept when the mask comes back on an update.

    ``repr()`` of the instance shows the mask too.
    """
    return text(secret=True, **{"repr": lambda value: repr(value and "***"), **more})


def clean(value: str) -> bool:
    """Whether a string has neither NUL nor an unpaired surrogate."""
    if value.isascii():
        return "\x00" not in value
    return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
