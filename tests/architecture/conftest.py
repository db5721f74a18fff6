"""The source tree as data: distributions, packages, modules and what they import.

The rules look at a ``House``; the planted violations look at a copy of it that breaks one rule.
"""

from __future__ import annotations

import ast
import configparser
import functools
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).resolve().parents[2]
JUNK = shutil.ignore_patterns("build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", ".tox", ".venv")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def parsed(text: str) -> ast.Module:
    """The tree of a text; each is parsed once, in however many copies of the house it stands."""
    return ast.parse(text)


@functools.cache
def nodes_of(text: str) -> tuple[ast.AST, ...]:
    """Everything in a text."""
    return tuple(ast.walk(parsed(text)))


@attrs.frozen(kw_only=True)
class Import:
    """One import statement: who (dotted, and file:line), what (absolute and dotted; names of ``from`` included)."""

    importer: str
    imported: str
    where: str

    @property
    def library(self) -> str:
        return self.imported.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.where} imports {self.imported}"


@attrs.frozen(kw_only=True, eq=False)
class Module:
    """A Python file: its dotted name, whether it is a package's ``__init__``, and its tree."""

    name: str
    file: Path
    root: Path

    @property
    def path(self) -> str:
        return self.file.relative_to(self.root).as_posix()

    @functools.cached_property
    def text(self) -> str:
        return self.file.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        return parsed(self.text)

    @property
    def package(self) -> str:
        return self.name if self.file.name == "__init__.py" else self.name.rpartition(".")[0]

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in nodes_of(self.text) if isinstance(node, FUNCTIONS))

    def imports(self, *, top_level: bool = False) -> Iterator[Import]:
        """All imports, those inside functions and for typing too; ``top_level``: those that importing runs."""
        nodes = self.tree.body if top_level else nodes_of(self.text)
        for node in nodes:
            for imported in self._targets(node):
                yield Import(importer=self.name, imported=imported, where=f"{self.path}:{node.lineno}")

    def _targets(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if not isinstance(node, ast.ImportFrom):
            return []
        start = self.package.split(".")
        base = ".".join(start[: len(start) - node.level + 1]) if node.level else ""
        stem = ".".join(part for part in (base, node.module) if part)
        return [f"{stem}.{alias.name}" for alias in node.names]


@attrs.frozen(kw_only=True)
class Distribution:
    """A folder that can be installed."""

    folder: Path

    @functools.cached_property
    def config(self) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
        parser.read(self.folder / "setup.cfg", encoding="utf-8")
        return parser

    @property
    def name(self) -> str:
        return self.config["metadata"]["name"]

    @property
    def src(self) -> Path:
        return self.folder / "src"

    @property
    def package(self) -> str:
        """The one package in ``src``."""
        found = [path.name for path in sorted(self.src.iterdir()) if (path / "__init__.py").is_file()]
        assert len(found) == 1, f"{self.src} must hold exactly one package, it holds {found}"
        return found[0]

    @property
    def entry_points(self) -> dict[str, str]:
        text = self.config.get("options.entry_points", "neomind.plugins", fallback="")
        pairs = (line.partition("=") for line in text.splitlines() if line.strip())
        return {name.strip(): target.strip() for name, _, target in pairs}


@attrs.frozen(kw_only=True)
class House:
    """The tree under ``root``."""

    root: Path

    @functools.cached_property
    def core(self) -> Distribution:
        return Distribution(folder=self.root / "core")

    @functools.cached_property
    def sdk(self) -> Distribution:
        return Distribution(folder=self.root / "sdk")

    @functools.cached_property
    def plugins(self) -> Distribution:
        return Distribution(folder=self.root / "plugins")

    @functools.cached_property
    def extensions(self) -> list[Distribution]:
        return [Distribution(folder=path) for path in sorted((self.root / "extensions").iterdir()) if path.is_dir()]

    @property
    def distributions(self) -> list[Distribution]:
        return [self.core, self.sdk, self.plugins, *self.extensions]

    @functools.cached_property
    def modules(self) -> list[Module]:
        """Every module of every distribution."""
        return [module for one in self.distributions for module in self._modules(one.src)]

    def _modules(self, src: Path) -> Iterator[Module]:
        for file in sorted(src.rglob("*.py")):
            parts = file.relative_to(src).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(name=name, file=file, root=self.root)

    def under(self, *packages: str) -> list[Module]:
        """The modules of these packages and of what is in them."""
        return [m for m in self.modules if any(f"{m.name}.".startswith(f"{package}.") for package in packages)]

    @property
    def plugin_packages(self) -> list[str]:
        """The package of every plugin: each folder of ``neomind_plugins``, and each extension."""
        base = self.plugins.src / self.plugins.package
        ours = [f"{self.plugins.package}.{path.parent.name}" for path in sorted(base.glob("*/__init__.py"))]
        return [*ours, *(extension.package for extension in self.extensions)]

    @property
    def python_path(self) -> str:
        return ":".join(str(one.src) for one in self.distributions)

    def write(self, path: str, text: str) -> None:
        """Append ``text`` to a file of a copy."""
        assert self.root != ROOT, "plant in a copy"
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(f"\n{text}\n")


@pytest.fixture(scope="session")
def house() -> House:
    return House(root=ROOT)


@pytest.fixture
def plant(tmp_path: Path) -> Callable[[str, str], House]:
    """``plant(path, text)``: a copy of the tree in which ``text`` is appended to the file at ``path``."""

    def planted(path: str, text: str) -> House:
        for folder in ("core", "sdk", "plugins", "extensions"):
            shutil.copytree(ROOT / folder, tmp_path / folder, ignore=JUNK)
        shutil.copy(ROOT / "setup.cfg", tmp_path)
        copy = House(root=tmp_path)
        copy.write(path, text)
        return copy

    return planted


@pytest.fixture(scope="session")
def stdlib() -> frozenset[str]:
    return frozenset(sys.stdlib_module_names) | {"__future__"}
