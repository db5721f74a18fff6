"""Finding plugins without importing them: installed distributions and files of the extensions directory."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import importlib_metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .. import __version__
from ..contracts import Plugin
from ..contracts.plugin import ENTRY_POINT_GROUP

SDK = "neomind-sdk"
FIRST_PARTY = frozenset({"neomind-plugins"})
UNKNOWN = "unknown"
SHADOWED = ""


@attrs.frozen(kw_only=True)
class Candidate:
    """A plugin that was found, and how to get at it. ``gate`` is why it does not fit this SDK, or ``None``."""

    name: str
    distribution: str
    version: str
    location: str | None
    load: Callable[[], tuple[Plugin, Any]]
    gate: str | None = None

    @property
    def first_party(self) -> bool:
        return self.distribution in FIRST_PARTY


class ManifestError(Exception):
    """The entry point leads to something that is not a plugin; the message says what is wrong."""


def scan(extensions_dir: Path | None) -> list[Candidate]:
    """Every candidate, by name then distribution; nothing of theirs is imported."""
    importlib.invalidate_caches()
    found = [*_installed(), *(_files(extensions_dir) if extensions_dir else ())]
    return sorted(found, key=lambda candidate: (candidate.name, candidate.distribution))


def _installed() -> Iterator[Candidate]:
    for dist in importlib_metadata.distributions():
        points = _points(dist)
        name, version, gate = _identity(dist) if points else (UNKNOWN, "0", None)
        for point in () if name == SHADOWED else points:
            yield Candidate(
                name=point.name,
                distribution=name,
                version=version,
                location=point.value,
                load=lambda point=point: _load(point.name, point.module, point.attr),  # type: ignore[misc]
                gate=gate,
            )


def _identity(dist: Any) -> tuple[str, str, str | None]:
    """Name, version and gate; one broken distribution must not keep the others from being found.

    ``SHADOWED`` when another distribution goes by that name: it comes first on the path, or its directory says so too.
    """
    try:
        name = canonicalize_name(dist.name)
        if _path(importlib_metadata.distribution(name)) != _path(dist):
            return SHADOWED, "0", None
        return name, dist.version, version_gate(dist.requires or ())
    except Exception as error:
        return UNKNOWN, "0", f"has metadata that cannot be read ({type(error).__name__}); install it again"


def _path(dist: Any) -> str:
    return str(getattr(dist, "_path", ""))


def _points(dist: Any) -> list[importlib_metadata.EntryPoint]:
    try:
        points = {point.name: point for point in dist.entry_points.select(group=ENTRY_POINT_GROUP)}
    except Exception:  # not even the names can be read
        return []
    return list(points.values())


def version_gate(requires: Iterable[str]) -> str | None:
    """Why a distribution with these requirements does not fit this SDK; ``None`` when it does."""
    for text in requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue
        if canonicalize_name(wanted.name) != SDK or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        if not wanted.specifier.contains(__version__, prereleases=True):
            return f"needs {SDK} {wanted.specifier}, this is {__version__}"
    return None


def _files(directory: Path) -> Iterator[Candidate]:
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        file = path / "__init__.py" if path.is_dir() else path
        if file.suffix == ".py" and file.is_file() and not path.name.startswith((".", "_")):
            yield Candidate(
                name=path.stem,
                distribution=f"file:{path.name}",
                version="0",
                location=str(file),
                load=lambda name=path.stem, file=file: _load_file(name, file),  # type: ignore[misc]
            )


def _load(name: str, module: str, attr: str) -> tuple[Plugin, Any]:
    return _resolve(name, importlib.import_module(module), attr or "plugin")


def forget(module: str) -> None:
    """Take a module, and what lies below it, out of ``sys.modules``: the next import reads the files again."""
    for name in [name for name in sys.modules if name == module or name.startswith(f"{module}.")]:
        del sys.modules[name]


def _load_file(name: str, file: Path) -> tuple[Plugin, Any]:
    module_name = f"neomind_extension_{name}"
    forget(module_name)
    where = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(module_name, file, submodule_search_locations=where)
    if spec is None or spec.loader is None:
        raise ManifestError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return _resolve(name, module, "plugin")


def _resolve(name: str, module: ModuleType, attr: str) -> tuple[Plugin, Any]:
    plugin: Any = module
    for part in attr.split("."):
        plugin = getattr(plugin, part, None)
    if not isinstance(plugin, Plugin):
        raise ManifestError(f"{module.__name__}:{attr} is {type(plugin).__name__}, a neomind_sdk.Plugin is wanted")
    if plugin.name != name:
        raise ManifestError(f"the entry point is called '{name}' and the plugin '{plugin.name}'; they must be equal")
    return plugin, hooks_of(plugin, module)


def hooks_of(plugin: Plugin, module: ModuleType | None = None) -> Any:
    """The object that carries a plugin's hooks (see ``Plugin.hooks``)."""
    if plugin.hooks is not None:
        return importlib.import_module(plugin.hooks) if isinstance(plugin.hooks, str) else plugin.hooks
    if module is None:
        raise ManifestError(f"the plugin '{plugin.name}' does not say where its hooks are")
    if not hasattr(module, "__path__"):
        return module
    return importlib.import_module(f"{module.__name__}.hooks")
