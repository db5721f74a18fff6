"""From what people, scripts and models write to what a parameter is declared to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import orjson

from neomind_sdk import ParamDef

INT64 = 2**63
WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
NUMBER_MAX = 400
"""Longer texts are no numbers: parsing them takes time that grows with the square of their length."""


class Unfit(Exception):
    """The value cannot be what it has to be; the message is the problem in words."""


def coerce(param: ParamDef, value: Any) -> Any:
    """The value as the data type of the parameter; raises ``Unfit``. What was coerced once stays as it is."""
    if value is None:
        if None in param.allowed_values:
            return None
        raise Unfit("must not be null")
    if param.data_type == "array":
        return elements(param, value)
    return scalar(param.data_type, value)


def elements(param: ParamDef, value: Any) -> list[Any]:
    """An array, each element as the element type."""
    if not isinstance(value, list | tuple):
        raise Unfit("must be an array")
    coerced: list[Any] = []
    for index, item in enumerate(value):
        try:
            coerced.append(element(param.element_type, item))
        except Unfit as problem:
            raise Unfit(f"element {index}: {problem}") from None
    return coerced


def element(data_type: str | None, value: Any) -> Any:
    if data_type is None:
        return plain(value)
    if data_type == "array":
        return [plain(item) for item in value] if isinstance(value, list | tuple) else not_an("array")
    return not_an(data_type) if value is None else scalar(data_type, value)


def scalar(data_type: str, value: Any) -> Any:
    """A value that is no array; what no type is known of is a text."""
    read: Callable[[Any], Any] = SCALARS.get(data_type, text)
    return read(value)


def integer(value: Any) -> int:
    """An integer of 64 bits; texts of digits and numbers without a fraction are taken too."""
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value.strip())
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit("must be an integer")
    if not -INT64 <= value < INT64:
        raise Unfit("must fit into 64 bits")
    return value


def number(value: Any) -> float:
    """A finite number; texts that are one are taken too."""
    if isinstance(value, str) and len(value) <= NUMBER_MAX and _NUMBER.fullmatch(value.strip()):
        value = float(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("must be a number")
    if isinstance(value, int) and not -INT64 <= value < INT64:
        raise Unfit("must fit into 64 bits")
    if not isfinite(value):
        raise Unfit("must be a finite number")
    return float(value)


def boolean(value: Any) -> bool:
    """True or false; ``true 1 yes on`` and ``false 0 no off`` as texts, in any case, are taken too."""
    if isinstance(value, str):
        value = WORDS.get(value.strip().lower())
    if not isinstance(value, bool):
        raise Unfit("must be true or false")
    return value


def text(value: Any) -> str:
    """Texts are what they are; everything else is its JSON text."""
    return value if isinstance(value, str) else orjson.dumps(plain(value)).decode()


def plain(value: Any) -> Any:
    """Any value that JSON can say."""
    if isinstance(value, float) and not isfinite(value):
        raise Unfit("must be a finite number")
    return value


def not_an(data_type: str) -> Any:
    raise Unfit(f"must be of the type {data_type}")


SCALARS: Mapping[str, Callable[[Any], Any]] = {
    "integer": integer,
    "float": number,
    "boolean": boolean,
    "string": text,
    "enum": text,
    "binary": text,
}
