"""From plain values (JSON, query strings, TOML, environment) to attrs classes, and back.

cattrs finds the hook for each type; the hooks are ours, because an API must name the path of every field at fault and
must not turn ``true`` into 1 or 5 into ``"5"``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from cattrs import Converter

from ...contracts import ValidationFailed

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]
HookOf = Callable[[Any], Hook]
WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
INT64 = 2**63
MAX_PROBLEMS = 100  # the answer must not be larger than what was asked


class Mismatch(Exception):
    """Values that do not fit: ``(path, what is wrong)`` of each."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(problems)
        self.problems = problems

    def under(self, prefix: str) -> list[tuple[str, str]]:
        """The problems as they are seen from one level further out."""
        return [(_join(prefix, path), text) for path, text in self.problems]


def structure(cls: type[T], values: Any, *, text: bool = False) -> T:
    """An instance of ``cls``; unknown keys are ignored. ``text``: scalars may also come as text (queries, environment).

    Raises ``ValidationFailed`` that names every field at fault, the first ``MAX_PROBLEMS`` of them.
    """
    try:
        found: T = (_TEXT if text else _STRICT).structure(values, cls)
    except Mismatch as error:
        whole, problems = "query" if text else "body", error.problems[:MAX_PROBLEMS]
        raise ValidationFailed(*((path or whole, problem) for path, problem in problems)) from None
    return found


def prepare(*classes: type[Any]) -> None:
    """Find out now how to structure these classes; raises what is wrong with them, ``NameError`` for one."""
    for cls in classes:
        _STRICT.get_structure_hook(cls)
        _TEXT.get_structure_hook(cls)


def unstructure(value: Any) -> Any:
    """An attrs instance as a dictionary with all its fields; containers are walked, everything else is as it is."""
    if attrs.has(type(value)):
        return {field.name: unstructure(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {key: unstructure(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [unstructure(item) for item in value]
    return value.value if isinstance(value, Enum) else value


@lru_cache(maxsize=1024)
def hints_of(cls: Any) -> Mapping[str, Any]:
    """The resolved types of the fields of an attrs class."""
    return get_type_hints(cls)


def parts_of(kind: Any) -> tuple[Any, bool]:
    """``(type without None, whether None is allowed)``."""
    if get_origin(kind) not in (Union, UnionType):
        return kind, kind in (None, NoneType, Any)
    rest = [part for part in get_args(kind) if part is not NoneType]
    optional = len(rest) < len(get_args(kind))
    return (rest[0] if len(rest) == 1 else Union[tuple(rest)]), optional  # noqa: UP007 - made at run time


def _join(prefix: str, path: str) -> str:
    return f"{prefix}{path}" if not path or path.startswith("[") else f"{prefix}.{path}"


# ---- scalars ----


def _integer(value: Any, _kind: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Mismatch(("", "must be an integer"))
    if not -INT64 <= value < INT64:
        raise Mismatch(("", "must fit into 64 bits"))
    return value


def _number(value: Any, _kind: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Mismatch(("", "must be a finite number"))
    if isinstance(value, int) and not -INT64 <= value < INT64:
        raise Mismatch(("", "must fit into 64 bits"))
    if not isfinite(value):
        raise Mismatch(("", "must be a finite number"))
    return value


def _string(value: Any, _kind: Any) -> str:
    if not isinstance(value, str):
        raise Mismatch(("", "must be text"))
    return value


def _boolean(value: Any, _kind: Any) -> bool:
    if not isinstance(value, bool):
        raise Mismatch(("", "must be true or false"))
    return value


def _none(value: Any, _kind: Any) -> None:
    if value is not None:
        raise Mismatch(("", "must be null"))


def _path(value: Any, kind: Any) -> Path:
    return value if isinstance(value, Path) else Path(_string(value, kind))


def _choice_of(*, text: bool) -> Hook:
    """One of the values of a ``Literal`` or an ``Enum``."""

    def hook(value: Any, kind: Any) -> Any:
        choices = list(kind) if _is_enum(kind) else get_args(kind)
        for choice in choices:
            plain = choice.value if isinstance(choice, Enum) else choice
            # Else True would be taken for 1.
            if value is choice or (type(value) is type(plain) and value == plain) or (text and value == str(plain)):
                return choice
        names = (str(choice.value if isinstance(choice, Enum) else choice) for choice in choices)
        raise Mismatch(("", "must be one of " + ", ".join(names)))

    return hook


def _from_text(parse: Callable[[str], Any], strict: Hook) -> Hook:
    def hook(value: Any, kind: Any) -> Any:
        # Python also reads 1_000 and digits of other scripts.
        if isinstance(value, str) and value.isascii() and "_" not in value:
            try:
                value = parse(value.strip())
            except (ValueError, KeyError):
                pass  # the strict hook says what it wants
        return strict(value, kind)

    return hook


# ---- containers ----


def _list_factory(hook_of: HookOf) -> Callable[[Any], Hook]:
    def factory(kind: Any) -> Hook:
        make = tuple if tuple in (kind, get_origin(kind)) else list
        inner = next((arg for arg in get_args(kind) if arg is not Ellipsis), Any)
        each = hook_of(inner)

        def hook(value: Any, _kind: Any) -> Any:
            if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
                raise Mismatch(("", "must be an array"))
            found, problems = [], []
            for index, item in enumerate(value):
                try:
                    found.append(each(item, inner))
                except Mismatch as error:
                    problems += error.under(f"[{index}]")
            if problems:
                raise Mismatch(*problems)
            return make(found)

        return hook

    return factory


def _dict_factory(hook_of: HookOf) -> Callable[[Any], Hook]:
    def factory(kind: Any) -> Hook:
        arguments = get_args(kind)
        inner = arguments[1] if len(arguments) == 2 else Any
        each = hook_of(inner)

        def hook(value: Any, _kind: Any) -> Any:
            if not isinstance(value, Mapping):
                raise Mismatch(("", "must be an object"))
            return dict(value) if inner is Any else _values(value, each, inner)

        return hook

    return factory


def _values(items: Mapping[str, Any], hook: Hook, kind: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, value in items.items():
        try:
            found[name] = hook(value, kind)
        except Mismatch as error:
            problems += error.under(name)
    if problems:
        raise Mismatch(*problems)
    return found


def _union_factory(hook_of: HookOf) -> Callable[[Any], Hook]:
    def factory(kind: Any) -> Hook:
        inner, optional = parts_of(kind)
        rest = get_args(inner) if get_origin(inner) in (Union, UnionType) else (inner,)
        hooks = [(hook_of(part), part) for part in rest]

        def hook(value: Any, _kind: Any) -> Any:
            if value is None and optional:
                return None
            for index, (one, part) in enumerate(hooks):
                try:
                    return one(value, part)
                except Mismatch:
                    if index == len(hooks) - 1:
                        raise
            raise Mismatch(("", "must be null"))

        return hook

    return factory


# ---- attrs classes ----


@attrs.frozen
class _Member:
    name: str
    alias: str
    kind: Any
    hook: Hook
    required: bool
    attribute: Any


def _class_factory(hook_of: HookOf) -> Callable[[Any], Hook]:
    hooks: dict[Any, Hook] = {}

    def factory(cls: Any) -> Hook:
        if cls in hooks:  # a class that contains itself
            return lambda values, kind: hooks[kind](values, kind)
        hooks[cls] = _unfinished
        try:
            members = _members_of(cls, hook_of)
        except BaseException:
            del hooks[cls]
            raise

        def hook(values: Any, _cls: Any) -> Any:
            if isinstance(values, cls):
                return values
            if not isinstance(values, Mapping):
                raise Mismatch(("", "must be an object"))
            return _build(cls, members, values)

        hooks[cls] = hook
        return hook

    return factory


def _unfinished(_values: Any, kind: Any) -> Any:
    raise TypeError(f"{kind.__name__} is not prepared yet")


def _members_of(cls: Any, hook_of: HookOf) -> list[_Member]:
    hints = hints_of(cls)
    return [
        _Member(
            name=field.name,
            alias=field.alias,
            kind=hints[field.name],
            hook=hook_of(hints[field.name]),
            required=field.default is attrs.NOTHING,
            attribute=field,
        )
        for field in attrs.fields(cls)
        if field.init
    ]


def _build(cls: Any, members: list[_Member], values: Mapping[str, Any]) -> Any:
    given: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for member in members:
        if member.name not in values:
            problems += [(member.name, "is required")] if member.required else []
            continue
        try:
            given[member.alias] = member.hook(values[member.name], member.kind)
        except Mismatch as error:
            problems += error.under(member.name)
    if problems:
        raise Mismatch(*problems)
    try:
        return cls(**given)
    except (ValueError, TypeError) as error:
        raise Mismatch(*(_refused(members, given) or [("", _text_of(error))])) from None


def _refused(members: list[_Member], given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which validators refuse; the class itself stops at the first and does not say whose it was."""
    problems = []
    for member in members:
        if member.alias in given and member.attribute.validator is not None:
            try:
                member.attribute.validator(None, member.attribute, given[member.alias])
            except (ValueError, TypeError) as error:
                problems.append((member.name, _text_of(error)))
    return problems


def _text_of(error: Exception) -> str:
    """The sentence of an exception; attrs' own validators put the attribute and the value behind it."""
    return str(error.args[0]) if error.args else type(error).__name__


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _is_list(kind: Any) -> bool:
    return kind in (list, tuple) or get_origin(kind) in (list, tuple, Sequence)


def _is_dict(kind: Any) -> bool:
    return kind in (dict, Mapping) or get_origin(kind) in (dict, Mapping)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _converter(*, text: bool) -> Converter:
    converter, choice = Converter(), _choice_of(text=text)

    def hook_of(kind: Any) -> Hook:
        # Else cattrs would take an enum of integers for an integer.
        return choice if _is_enum(kind) else converter.get_structure_hook(kind)

    integer: Hook = _from_text(int, _integer) if text else _integer
    number: Hook = _from_text(float, _number) if text else _number
    boolean: Hook = _from_text(lambda word: WORDS[word.lower()], _boolean) if text else _boolean
    converter.register_structure_hook_func(lambda kind: kind is Any, lambda value, _kind: value)
    converter.register_structure_hook_func(_is_literal, choice)
    scalars: tuple[tuple[Any, Hook], ...] = (
        (int, integer),
        (float, number),
        (str, _string),
        (bool, boolean),
        (NoneType, _none),
        (Path, _path),
    )
    for kind, hook in scalars:
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_factory(_is_list, _list_factory(hook_of))
    converter.register_structure_hook_factory(_is_dict, _dict_factory(hook_of))
    converter.register_structure_hook_factory(_is_union, _union_factory(hook_of))
    converter.register_structure_hook_factory(attrs.has, _class_factory(hook_of))
    return converter


_STRICT = _converter(text=False)
_TEXT = _converter(text=True)
