"""A hook without documentation, an example or a contract suite fails here, before anybody misses it."""

import ast
import builtins
import importlib.util
import inspect
import sys

import attrs
import pluggy
import pytest

import neomind_sdk
from neomind_core import contracts, hookspecs

NAMES = hookspecs.hook_names()
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# What plainly stands for something of the author's own, or is imported as everybody knows.
STAND_INS = {
    *("Greeter", "GreeterSettings", "MODELS", "STEPS", "attrs", "build", "open_store", "ping", "random", "read_meter"),
    *("BadgeScheme", "BlinkAction", "KafkaTarget", "LlamaBackend", "MeterBus", "PagerChannel", "SerialTransport"),
}


def load_pages(root):
    """``docs/_ext/hook_pages.py``: what the documentation is built with."""
    spec = importlib.util.spec_from_file_location("hook_pages", root / "docs" / "_ext" / "hook_pages.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["hook_pages"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(house):
    return load_pages(house.root)


@pytest.fixture(scope="module")
def hooks(pages):
    return {hook.name: hook for hook in pages.hooks_of(hookspecs)}


def test_every_hook_is_marked_and_named_like_one(hooks):
    marked = [name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), "neomind_spec")]
    assert tuple(marked) == NAMES == tuple(hooks)
    assert all(name.startswith("neomind_") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_says_everything(hooks, name):
    assert hooks[name].missing() == []


@pytest.mark.parametrize("name", NAMES)
def test_the_hook_takes_ctx_and_returns_a_list_of_contract_objects(hooks, name):
    assert list(inspect.signature(getattr(hookspecs, name)).parameters) == ["ctx"]
    assert hooks[name].returns.startswith("list[")
    assert hooks[name].contracts
    assert all(hasattr(contracts, one) and hasattr(neomind_sdk, one) for one in hooks[name].contracts)


@pytest.mark.parametrize("name", NAMES)
def test_the_hook_belongs_to_a_group(hooks, name):
    assert hooks[name].group in ("assemble", "life cycle", "observe")


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_an_implementation_of_the_hook(hooks, name):
    """It runs, it has the hook's name and argument, and pluggy takes it."""
    assert len(hooks[name].example.splitlines()) <= 8
    names = {**vars(neomind_sdk), "attrs": attrs, "__name__": "example"}
    exec(compile("from __future__ import annotations\n" + hooks[name].example, name, "exec"), names)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    example = type("Example", (), {name: staticmethod(names[name])})()
    manager.register(example)
    manager.check_pending()
    assert [caller.name for caller in manager.get_hookcallers(example)] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_the_example_can_be_had(hooks, name):
    """From the SDK, from Python, or because it plainly stands for something of the author's own."""
    tree = ast.parse(hooks[name].example)
    bound = {node.name for node in ast.walk(tree) if isinstance(node, DEFINITIONS)}
    bound |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound
    assert {one for one in used if not hasattr(neomind_sdk, one) and not hasattr(builtins, one)} <= STAND_INS


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_page(pages, hooks, name, tmp_path):
    files = pages.write(tmp_path, list(hooks.values()))
    text = (tmp_path / f"{hooks[name].kind}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# `{name}`")
    assert all(f"\n{section.capitalize()}\n: " in text for section in pages.SECTIONS)
    assert hooks[name].example in text
    assert f"({hooks[name].kind}.md)" in (tmp_path / "index.md").read_text(encoding="utf-8")
    assert len(files) == len(NAMES) + 1


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_contract_suite(pages, name):
    from neomind_sdk.testing import suites

    if name in pages.WITHOUT_SUITE:
        assert pages.WITHOUT_SUITE[name].endswith(".")
        assert name not in pages.SUITES
    else:
        suite = getattr(suites, pages.SUITES[name])
        assert [one for one in dir(suite) if one.startswith("test_")]


def test_no_suite_is_forgotten_in_the_documentation(pages):
    from neomind_sdk.testing import suites

    beside_hooks = {"IngestContract", "FromHook"}  # a service that transports call, and what stands before suites
    assert set(suites.__all__) - beside_hooks == set(pages.SUITES.values())


def test_pages_of_hooks_that_are_gone_are_removed(pages, hooks, tmp_path):
    stale = tmp_path / "once.md"
    stale.write_text("# once", encoding="utf-8")
    pages.write(tmp_path, list(hooks.values()))
    assert not stale.exists()


# ---- it can turn red ------------------------------------------------------------------------------------------------

WHOLE = """Things.

:called: once.
:returns: objects,
    many of them.
:on error: nothing.
:duplicates: the name.
:since: 0.1

Example::

    @hookimpl
    def neomind_things(ctx):
        return []
"""


def parsed(pages, text):
    summary, sections, example = pages.parse(text)
    return pages.Hook(
        name="neomind_things", group="", returns="list[c.Thing]", summary=summary, sections=sections, example=example
    )


def test_a_whole_docstring_is_taken_apart(pages):
    hook = parsed(pages, WHOLE)
    assert hook.missing() == []
    assert hook.sections["returns"] == "objects, many of them."
    assert hook.example == "@hookimpl\ndef neomind_things(ctx):\n    return []"


@pytest.mark.parametrize("section", ["called", "returns", "on error", "duplicates", "since", "Example"])
def test_a_missing_section_is_noticed(pages, section):
    gone = WHOLE.replace(f":{section}:", "and") if section != "Example" else WHOLE.partition("Example::")[0]
    hook = parsed(pages, gone)
    assert hook.missing() == [section]
    with pytest.raises(ValueError, match=section):
        pages.page(hook)


def test_a_missing_summary_is_noticed(pages):
    assert parsed(pages, WHOLE.removeprefix("Things.")).missing() == ["summary"]


def test_an_example_that_does_not_compile_is_noticed(pages):
    with pytest.raises(SyntaxError):
        pages.page(parsed(pages, WHOLE.replace("return []", "return [")))
