"""Sphinx extension: one page per hook, rendered from its docstring.

The pages are written to ``reference/generated/hooks/`` before Sphinx reads its sources. The tests use the same
functions, so a hook whose docstring lacks a section fails them, and the build of the documentation too.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

SECTIONS = ("called", "returns", "on error", "duplicates", "since")
# The suite of ``neomind_sdk.testing.suites`` that what a hook returns must pass.
SUITES = {
    "neomind_settings": "SettingsContract",
    "neomind_storages": "StorageContract",
    "neomind_tables": "TablesContract",
    "neomind_services": "ServiceContract",
    "neomind_auth_schemes": "AuthSchemeContract",
    "neomind_transports": "TransportContract",
    "neomind_channels": "ChannelContract",
    "neomind_llm_backends": "LLMBackendContract",
    "neomind_rule_actions": "RuleActionContract",
    "neomind_push_targets": "PushTargetContract",
    "neomind_dashboard_components": "DashboardComponentContract",
    "neomind_agent_tools": "AgentToolContract",
    "neomind_commands": "CommandContract",
    "neomind_routes": "RouteContract",
    "neomind_jobs": "JobContract",
    "neomind_cli": "CliContract",
    "neomind_health": "HealthContract",
    "neomind_listeners": "ListenerContract",
}
# Hooks without a suite, and why.
WITHOUT_SUITE = {
    "neomind_start": "What starting does is the plugin's own; the harness runs the steps in every test with a host.",
    "neomind_stop": "What stopping does is the plugin's own; the harness runs the steps in every test with a host.",
}
BANNER = re.compile(r"# -{4} ([a-z ]+): .+? -+")


@attrs.frozen(kw_only=True)
class Hook:
    """A hook as its docstring describes it; ``sections`` in the order of ``SECTIONS``."""

    name: str
    group: str
    returns: str
    summary: str
    sections: Mapping[str, str]
    example: str

    @property
    def kind(self) -> str:
        return self.name.removeprefix("neomind_")

    @property
    def contracts(self) -> list[str]:
        """The names of the classes that the hook returns."""
        return re.findall(r"c\.(\w+)", self.returns)

    def missing(self) -> list[str]:
        """What the docstring does not say."""
        lacking = [name for name in SECTIONS if not self.sections.get(name)]
        return lacking + ([] if self.summary else ["summary"]) + ([] if self.example else ["Example"])


def hooks_of(module: ModuleType) -> list[Hook]:
    """Every hook of a module of hook specs, in its order."""
    source = inspect.getsource(module)
    groups = [(match.start(), match[1]) for match in BANNER.finditer(source)]
    return [_hook(module, name, groups, source) for name in module.hook_names()]


def _hook(module: ModuleType, name: str, groups: list[tuple[int, str]], source: str) -> Hook:
    function = getattr(module, name)
    place = source.index(f"def {name}(")
    group = next((title for start, title in reversed(groups) if start < place), "")
    summary, sections, example = parse(inspect.getdoc(function) or "")
    returns = str(inspect.signature(function).return_annotation)
    return Hook(name=name, group=group, returns=returns, summary=summary, sections=sections, example=example)


def parse(doc: str) -> tuple[str, dict[str, str], str]:
    """Take a docstring apart: the text before the sections, the sections, the code of the example."""
    text, _, example = doc.partition("Example::")
    head, *fields = re.split(r"^:([a-z ]+):", text, flags=re.MULTILINE)
    sections = {name: " ".join(body.split()) for name, body in zip(fields[::2], fields[1::2], strict=True)}
    return head.strip(), sections, textwrap.dedent(example).strip()


def page(hook: Hook) -> str:
    """The page of one hook in MyST Markdown. Raises ``ValueError`` when the docstring lacks something."""
    if hook.missing():
        raise ValueError(f"the docstring of {hook.name} does not say: {', '.join(hook.missing())}")
    ast.parse(hook.example)
    rows = [f"{name.capitalize()}\n: {markdown(hook.sections[name])}\n" for name in SECTIONS]
    types = ", ".join(f"{{py:class}}`~{place(name)}`" for name in hook.contracts)
    return "\n".join(
        [
            f"# `{hook.name}`\n",
            f"{markdown(hook.summary)}\n",
            *rows,
            f"Contract\n: {types}\n",
            f"Test it with\n: {suite_line(hook)}\n",
            "## Example\n",
            f"```python\n{hook.example}\n```\n",
        ]
    )


def place(name: str) -> str:
    """Where a contract is defined, which is where its documentation is."""
    from neomind_core import contracts

    return f"{getattr(contracts, name).__module__}.{name}"


def suite_line(hook: Hook) -> str:
    if hook.name in SUITES:
        return f"`neomind_sdk.testing.suites.{SUITES[hook.name]}`"
    return f"No suite. {WITHOUT_SUITE[hook.name]}"


def markdown(text: str) -> str:
    """Literals of reStructuredText as Markdown has them, and braces of paths kept."""
    return text.replace("``", "`")


def index(hooks: list[Hook]) -> str:
    """The list of all hooks, by group."""
    lines = ["# Hooks\n", "What a plugin can add. Every hook is called with one argument, `ctx`.\n"]
    for group in dict.fromkeys(hook.group for hook in hooks):
        members = [hook for hook in hooks if hook.group == group]
        lines += [
            f"## {group.capitalize()}\n",
            *(f"- [`{h.name}`]({h.kind}.md): {first(h.summary)}" for h in members),
            "",
        ]
    return "\n".join([*lines, "```{toctree}\n:hidden:\n", *(hook.kind for hook in hooks), "```\n"])


def first(summary: str) -> str:
    return markdown(summary.split(". ", maxsplit=1)[0].splitlines()[0])


def write(folder: Path, hooks: list[Hook]) -> list[Path]:
    """Write all pages; files whose text is the same keep their time, so that Sphinx need not read them again."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{hook.kind}.md": page(hook) for hook in hooks} | {"index.md": index(hooks)}
    for stale in set(folder.glob("*.md")) - {folder / name for name in texts}:
        stale.unlink()
    for name, text in texts.items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    return sorted(folder / name for name in texts)


def generate(app: Any) -> None:
    from neomind_core import hookspecs

    write(Path(app.srcdir) / "reference" / "generated" / "hooks", hooks_of(hookspecs))


def setup(app: Any) -> dict[str, Any]:
    app.connect("builder-inited", generate)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
