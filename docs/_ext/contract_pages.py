"""Sphinx extension: one page per file of contracts, and docstrings with aligned columns shown as lists.

The docstrings of the contracts describe fields in two columns, which read well in an editor::

    ``ok``      the receiver took it
    ``detail``  one sentence, never a secret,
                and never more

Here they become a list.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

COLUMNS = re.compile(r"^(``[^`]+``(?:(?:,| and| or) ``[^`]+``)*)\s{2,}(\S.*)$")
PLURAL = re.compile(r"``([^`\s][^`]*)``(?=[a-z])")  # a literal that a letter follows, as in ``Route``s


def as_list(lines: list[str]) -> list[str]:
    """The lines of a docstring with its columns turned into a bullet list of reStructuredText."""
    found: list[str] = []
    inside = False
    for line in lines:
        match = COLUMNS.match(line)
        if match:
            found += [] if inside else [""]
            found.append(f"* {match[1]}: {match[2]}")
        elif inside and line.startswith("  "):
            found.append(f"  {line.strip()}")
        else:
            found += [""] if inside and line.strip() else []
            found.append(line)
        inside = bool(match) or (inside and line.startswith("  "))
    return found


def process(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = [PLURAL.sub(r"``\1``\\ ", line) for line in as_list(lines)]


def modules_of(package: ModuleType) -> list[ModuleType]:
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def page(module: ModuleType) -> str:
    name = module.__name__.rpartition(".")[2]
    title = name.replace("_", " ").capitalize()
    return f"# {title}\n\n```{{eval-rst}}\n.. automodule:: {module.__name__}\n```\n"


def index(names: list[str]) -> str:
    intro = "What the core and plugins agree on, by extension point. Import all of it from `neomind_sdk`."
    return "\n".join(["# Contracts\n", f"{intro}\n", "```{toctree}", ":maxdepth: 1\n", *names, "```\n"])


def write(folder: Path, package: ModuleType) -> None:
    """Write the pages that differ from what is there; remove those of files that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {module.__name__.rpartition(".")[2]: page(module) for module in modules_of(package)}
    texts = {f"{name}.md": text for name, text in pages.items()} | {"index.md": index(list(pages))}
    for stale in set(folder.glob("*.md")) - {folder / name for name in texts}:
        stale.unlink()
    for name, text in texts.items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def generate(app: Any) -> None:
    from neomind_core import contracts

    write(Path(app.srcdir) / "reference" / "generated" / "contracts", contracts)


def setup(app: Any) -> dict[str, Any]:
    app.connect("builder-inited", generate)
    app.connect("autodoc-process-docstring", process)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
