"""Small functions, whole annotations, no long files, and a host that fits its budget."""

import ast
import statistics

import pytest

FUNCTION_MEDIAN = 8
FUNCTION_MAX = 60
FILE_MAX = 400
INIT_MAX = 30
HOOK_BODY_MAX = 6
# Lines of code of the host, by room. The budget of 2,000 is for what loads, orders, starts and isolates plugins; the
# REST edge, outbound HTTP and the command line have their own, so that none of them grows unseen.
HOST = "neomind_core.host"
ROOMS = {f"{HOST}.http": 1500, f"{HOST}.egress": 500, f"{HOST}.cli": 700, HOST: 2000}


def length(function):
    """Lines of a function without its decorators and docstring."""
    doc = function.body[0]
    docs = doc.end_lineno - doc.lineno + 1 if is_text(doc) else 0
    return function.end_lineno - function.lineno + 1 - docs


def is_text(node):
    """Whether a statement is a string and nothing else: a docstring, or one below an assignment."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def code_lines(module):
    """Lines that are neither blank, nor comments, nor docstrings."""
    docs = set()
    for node in ast.walk(module.tree):
        if is_text(node):
            docs.update(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(module.text.splitlines(), 1)
    return sum(1 for number, line in lines if number not in docs and line.strip() and not line.lstrip().startswith("#"))


def room_of(module):
    return next(room for room in ROOMS if module.name.startswith(room))


def host_sizes(house):
    """Lines of code by room, and by module in it."""
    sizes = {room: {} for room in ROOMS}
    for module in house.under(HOST):
        sizes[room_of(module)][module.name] = code_lines(module)
    return sizes


def long_functions(house):
    for module in house.modules:
        for function in module.functions():
            if length(function) > FUNCTION_MAX:
                yield f"{module.path}:{function.lineno} {function.name}: {length(function)} lines"


def long_files(house):
    for module in house.modules:
        lines = len(module.text.splitlines())
        if lines > FILE_MAX:
            yield f"{module.path}: {lines} lines"


def unannotated(house):
    for module in house.modules:
        for function in module.functions():
            a = function.args
            named = [arg for arg in [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg] if arg is not None]
            bare = [arg.arg for arg in named if arg.annotation is None and arg.arg not in ("self", "cls")]
            if bare or function.returns is None:
                yield f"{module.path}:{function.lineno} {function.name}: {', '.join(bare) or 'return'}"


def long_starts(house):
    for module in house.modules:
        if module.name in house.plugin_packages and len(module.text.splitlines()) > INIT_MAX:
            yield f"{module.path}: {len(module.text.splitlines())} lines"


def long_hooks(house):
    """Hook implementations whose body is more than a few lines, or that import something heavy at the top."""
    for module in house.modules:
        if module.name.rpartition(".")[2] == "hooks":
            for function in module.functions():
                body = function.end_lineno - function.body[0].lineno + 1
                if function.name.startswith("neomind_") and body > HOOK_BODY_MAX:
                    yield f"{module.path}:{function.lineno} {function.name}: {body} lines"


RULES = [long_functions, long_files, unannotated, long_starts, long_hooks]


@pytest.mark.parametrize("rule", RULES)
def test_sizes(house, rule):
    assert list(rule(house)) == []


@pytest.mark.parametrize("package", ["neomind_core", "neomind_core.host", "neomind_sdk", "neomind_plugins"])
def test_the_median_function_is_small(house, package):
    lengths = [length(function) for module in house.under(package) for function in module.functions()]
    assert statistics.median(lengths) <= FUNCTION_MEDIAN


def test_every_plugins_median_function_is_small(house):
    for package in house.plugin_packages:
        lengths = [length(function) for module in house.under(package) for function in module.functions()]
        assert statistics.median(lengths or [0]) <= FUNCTION_MEDIAN, package


@pytest.mark.parametrize("room", ROOMS)
def test_the_host_fits_its_budget(house, room, record_property):
    sizes = host_sizes(house)[room]
    total = sum(sizes.values())
    record_property("lines", total)
    largest = sorted(sizes.items(), key=lambda pair: -pair[1])[:5]
    assert 0 < total <= ROOMS[room], f"{total} lines; the largest are {largest}"


# ---- they can turn red ----------------------------------------------------------------------------------------------

LONG = "def long() -> None:\n" + "    pass\n" * 61
NEW = "plugins/src/neomind_plugins/brand_new"


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (long_functions, f"{NEW}/service.py", LONG),
        (long_files, f"{NEW}/service.py", "x = 1\n" * 401),
        (unannotated, f"{NEW}/service.py", "def bare(x) -> None: ..."),
        (unannotated, f"{NEW}/service.py", "class A:\n    async def bare(self): ..."),
        (unannotated, f"{NEW}/service.py", "def bare(*args, key: int = 1) -> None: ..."),
        (long_starts, f"{NEW}/__init__.py", "#\n" * 31),
        (long_hooks, f"{NEW}/hooks.py", "def neomind_routes(ctx: object) -> list:\n" + "    ctx\n" * 7),
    ],
)
def test_what_is_too_large_is_noticed(plant, rule, path, text):
    copy = plant(path, text)
    copy.write(f"{NEW}/__init__.py", "")
    assert [one for one in rule(copy) if NEW in one] != []


def test_lines_of_code_are_counted(plant):
    text = '"""Doc."""\n\n# comment\nx = 1\n\n\ndef f() -> None:\n    """Doc\n\n    of two."""\n    y = 2'
    copy = plant(f"{NEW}/service.py", text)
    module = next(m for m in copy.modules if m.name == "neomind_plugins.brand_new.service")
    assert code_lines(module) == 3
    assert [length(function) for function in module.functions()] == [2]
