"""Templates of bodies: Jinja in a sandbox of few words, whose work and output are bounded.

What may stand in a template is listed here, and everything else is refused when it is saved: a template that was taken
ends soon and small whatever the values are. Handlebars' ``{{json value}}`` and ``{{timestamp_format timestamp}}`` are
taken for ``{{ json(value) }}`` and ``{{ timestamp_format(timestamp) }}``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import jinja2
import orjson
from jinja2 import nodes
from jinja2.runtime import LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import SandboxedEnvironment

from .errors import BadTemplate, Failed
from .samples import SAMPLES, Anything

SOURCE_MAX = 16 * 1024
OUTPUT_MAX = 200 * 1024
STEPS_MAX = 10_000
SECONDS_MAX = 1.0
BITS_MAX = 128
DEPTH_MAX = 40
PRECISION_MAX = 15
MEMBERED: Any = (dict, list, tuple, str, Anything)
NAMES = ("source_id", "value", "timestamp")
NODES = (
    *(nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Name, nodes.Const, nodes.CondExpr),
    *(nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.Call, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div),
    *(nodes.FloorDiv, nodes.Mod, nodes.Concat, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword),
)
FILTERS = (
    *("abs", "default", "d", "first", "float", "int", "items", "last", "length", "count", "lower", "max", "min"),
    *("sum", "title", "capitalize", "trim", "truncate", "upper"),
)
_HELPER = re.compile(r"\{\{(\{)?\s*(json|timestamp_format)\s+([A-Za-z_][\w.]*)\s*(?(1)\}\}\}|\}\})")
_TRIPLE = re.compile(r"\{\{\{\s*([A-Za-z_][\w.]*)\s*\}\}\}")
_FAILURES = (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)


class TooMuch(jinja2.TemplateRuntimeError):
    """The template would do too much."""


class Template:
    """A template that was checked. Rendering takes a second at most; it belongs into a thread."""

    def __init__(self, source: str) -> None:
        """Raises ``BadTemplate``."""
        self._template = _compiled(source)
        self._try()

    def render(self, source_id: str, value: Any, timestamp: int | float) -> str:
        """The text for one value; raises ``Failed``."""
        values = {"source_id": source_id, "value": value, "timestamp": timestamp}
        try:
            return self._render(values)
        except _FAILURES as error:
            raise Failed(f"template, line {self._line(error)}: {_words(error)}") from error

    def _render(self, values: Mapping[str, Any]) -> str:
        budget = Budget()
        context = self._template.new_context({**values, "_budget": budget}, shared=False)
        pieces = []
        for piece in self._template.root_render_func(context):
            budget.write(len(piece))
            pieces.append(piece)
        return "".join(pieces)

    def _try(self) -> None:
        """Some kind of value must fit: a template of an object's members does not fit a number."""
        first: BadTemplate | None = None
        for sample in SAMPLES:
            try:
                self._render({"source_id": "device:sample:temperature", "value": sample, "timestamp": 1_700_000_000})
            except _FAILURES as error:
                first = first or BadTemplate(self._line(error), _words(error))
            else:
                return
        if first is not None:
            raise first

    def _line(self, error: BaseException) -> int:
        """Where in the template it happened."""
        line, trace = 1, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_globals.get("__jinja_template__") is self._template:
                line = self._template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
        return line


class Budget:
    """How much one rendering may still do."""

    def __init__(self) -> None:
        self._steps = STEPS_MAX
        self._room = OUTPUT_MAX
        self._until = time.monotonic() + SECONDS_MAX

    def step(self) -> None:
        self._steps -= 1
        if self._steps < 0 or time.monotonic() > self._until:
            raise TooMuch(f"loops over more than {STEPS_MAX} things, or for too long")

    def write(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            raise TooMuch(f"writes more than {OUTPUT_MAX} characters")


# ---- from text to code ----------------------------------------------------------------------------------------------


def _compiled(source: str) -> jinja2.Template:
    if len(source) > SOURCE_MAX:
        raise BadTemplate(1, f"must have at most {SOURCE_MAX} characters")
    environment = _environment()
    try:
        tree = environment.parse(_TRIPLE.sub(r"{{ \1 }}", _HELPER.sub(r"{{ \2(\3) }}", source)))
        _check(tree)
        code = environment.compile(_guarded(tree, environment))
    except jinja2.TemplateSyntaxError as error:
        raise BadTemplate(error.lineno, error.message or "cannot be read") from error
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError) as error:
        raise BadTemplate(1, "is nested too deeply, or has a number that is too long") from error
    return environment.template_class.from_code(environment, code, dict(environment.globals))


def _check(tree: nodes.Template) -> None:
    """Raises ``TemplateSyntaxError`` for what may not be in a template."""
    known = set(NAMES) | {"loop", *_environment().globals}
    known |= {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    waiting: list[tuple[nodes.Node, int]] = [(node, 1) for node in tree.body]
    while waiting:
        node, depth = waiting.pop(0)
        problem = _problem(node, known) if depth <= DEPTH_MAX else "is nested too deeply"
        if problem:
            raise jinja2.TemplateSyntaxError(problem, node.lineno)
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]


def _problem(node: nodes.Node, known: set[str]) -> str | None:
    if not isinstance(node, NODES):
        return f"'{type(node).__name__.lower()}' cannot be used in templates"
    if isinstance(node, nodes.Name) and (node.name not in known or node.name.startswith("_")):
        return f"there is no '{node.name}'; there are {', '.join(NAMES)}"
    if isinstance(node, nodes.Filter | nodes.Test) and node.name.startswith("_"):
        return f"there is no '{node.name}'"
    if isinstance(node, nodes.Getattr) and node.attr.startswith("__"):
        return f"there is no '{node.attr}'"
    if isinstance(node, nodes.For) and node.recursive:
        return "loops cannot be recursive"
    if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Name) and node.node.name in FUNCTIONS):
        return f"only {', '.join(FUNCTIONS)} can be called"
    # What is kept in a list could be kept in another, and so on: twenty lines would be more than any memory.
    if isinstance(node, nodes.Assign) and _has(node.node, (nodes.List, nodes.Tuple, nodes.Dict)):
        return "a variable cannot be a list or an object"
    return None


def _has(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    return isinstance(node, kinds) or any(True for _ in node.find_all(kinds))


def _guarded(tree: nodes.Template, environment: jinja2.Environment) -> nodes.Template:
    """The tree with its loops counted."""
    for loop in list(tree.find_all(nodes.For)):
        counted = nodes.Filter(loop.iter, "_counted", [], [], None, None, lineno=loop.lineno)
        loop.iter = counted.set_environment(environment)
    for parent in [tree, *tree.find_all(nodes.Node)]:
        for name, value in list(parent.iter_fields()):
            if isinstance(value, nodes.Concat):
                setattr(parent, name, _joined(value, environment))
            elif isinstance(value, list):
                value[:] = [_joined(one, environment) if isinstance(one, nodes.Concat) else one for one in value]
    return tree


def _joined(node: nodes.Concat, environment: jinja2.Environment) -> nodes.Node:
    parts = nodes.List(node.nodes, lineno=node.lineno)
    joined = nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)
    return joined.set_environment(environment)


# ---- what templates can do ------------------------------------------------------------------------------------------


class Sandbox(SandboxedEnvironment):
    """Members are those of JSON values only; nothing has methods; operators and texts keep within bounds."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return super().getattr(obj, attribute) if isinstance(obj, LoopContext) else self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            str(obj)  # raises
        try:
            return obj[argument] if isinstance(obj, MEMBERED) else self._lacking(obj, argument)
        except (LookupError, TypeError):
            return self._lacking(obj, argument)

    def _lacking(self, obj: Any, argument: Any) -> Any:
        return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return obj in FUNCTIONS.values()

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _bounded(left, right)
        for one in (left, right):
            if isinstance(one, Undefined):
                str(one)  # raises
            if not isinstance(one, int | float):
                raise TypeError(f"'{operator}' takes numbers, not {type(one).__name__}")
        found = super().call_binop(context, operator, left, right)
        if isinstance(found, int) and found.bit_length() > BITS_MAX:
            raise TooMuch("calculates with numbers that are too large")
        return found


def _bounded(*parts: str) -> str:
    if sum(map(len, parts)) > OUTPUT_MAX:
        raise TooMuch(f"makes a text of more than {OUTPUT_MAX} characters")
    return "".join(parts)


def _text(value: Any) -> str:
    """A value as it stands in the text: JSON, but for texts."""
    if isinstance(value, str | Undefined):
        return str(value)
    return json(value)


def json(value: Any) -> str:
    """The JSON of a value."""
    if isinstance(value, Undefined):
        return str(value)  # raises
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Anything):
        return float(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")


def timestamp_format(timestamp: Any) -> str:
    """Epoch seconds as a time of RFC 3339 in UTC."""
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        raise TypeError("timestamp_format takes a number of seconds")
    moment = datetime.fromtimestamp(timestamp, UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _range(*bounds: int) -> Iterable[int]:
    found = range(*bounds)
    if len(found) > STEPS_MAX:
        raise TooMuch(f"has a range of more than {STEPS_MAX}")
    return found


def _round(value: float, precision: int = 0) -> float:
    if not 0 <= precision <= PRECISION_MAX:
        raise ValueError(f"round takes 0 to {PRECISION_MAX} digits")
    return round(value, precision)


def _join(values: Iterable[Any], between: str = "") -> str:
    """As Jinja's, within bounds."""
    parts: list[str] = []
    size = 0
    for value in values:
        parts += [between, _text(value)] if parts else [_text(value)]
        size += len(parts[-1]) + len(between)
        if size > OUTPUT_MAX:
            raise TooMuch(f"makes a text of more than {OUTPUT_MAX} characters")
    return "".join(parts)


def _replace(text: str, old: str, new: str) -> str:
    if len(text) + (text.count(old) + 1) * len(new) > OUTPUT_MAX:
        raise TooMuch(f"makes a text of more than {OUTPUT_MAX} characters")
    return text.replace(old, new)


@jinja2.pass_context
def _counted(context: Any, values: Iterable[Any]) -> Iterator[Any]:
    budget = context["_budget"]
    for value in values:
        budget.step()
        yield value


FUNCTIONS: Mapping[str, Any] = {"json": json, "timestamp_format": timestamp_format, "range": _range}


@lru_cache(maxsize=1)
def _environment() -> Sandbox:
    environment = Sandbox(
        autoescape=False, undefined=StrictUndefined, finalize=_text, keep_trailing_newline=True, cache_size=0
    )
    own: dict[str, Any] = {"json": json, "tojson": json, "timestamp_format": timestamp_format, "string": _text}
    own |= {"join": _join, "replace": _replace, "round": _round, "_counted": _counted}
    environment.filters = {name: environment.filters[name] for name in FILTERS} | own
    environment.globals = dict(FUNCTIONS)
    return environment


def _words(error: BaseException) -> str:
    text = " ".join(str(getattr(error, "message", None) or error).split())
    return text[:300] or type(error).__name__
