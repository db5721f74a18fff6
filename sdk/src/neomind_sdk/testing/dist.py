"""Fake *installed* distributions: what a loader finds when somebody ran ``pip install``, without running it."""

from __future__ import annotations

import base64
import hashlib
import importlib
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from neomind_sdk import ENTRY_POINT_GROUP

REQUIRES = ("neomind-sdk>=0.1,<0.2",)


@attrs.frozen(kw_only=True)
class FakeDist:
    """A distribution that is installed in ``directory``; ``modules`` are the top-level names it brought."""

    directory: Path
    name: str
    version: str
    dist_info: Path
    modules: tuple[str, ...]

    def loaded(self) -> list[str]:
        """The modules of this distribution that somebody imported, sorted."""
        return sorted(name for name in sys.modules if name.partition(".")[0] in self.modules)

    def rewrite(self, modules: Mapping[str, str]) -> None:
        """Write modules anew, as a repaired release of the same version would; what is imported stays imported."""
        written = _write_modules(self.directory, modules, {})
        for path in written:
            shutil.rmtree(self.directory / Path(path).parent / "__pycache__", ignore_errors=True)
        importlib.invalidate_caches()

    def forget(self) -> None:
        """Take the modules out of ``sys.modules``: the next import reads the files again."""
        for name in self.loaded():
            del sys.modules[name]
        importlib.invalidate_caches()

    def uninstall(self) -> None:
        """Remove the files, as ``pip uninstall`` does, and forget the modules."""
        self.forget()
        for name in self.modules:
            shutil.rmtree(self.directory / name, ignore_errors=True)
            (self.directory / f"{name}.py").unlink(missing_ok=True)
            for compiled in self.directory.glob(f"__pycache__/{name}.*.pyc"):
                compiled.unlink()
        shutil.rmtree(self.dist_info, ignore_errors=True)
        importlib.invalidate_caches()


@contextmanager
def fake_dist(
    directory: Path,
    name: str,
    version: str = "1.0",
    *,
    plugins: Mapping[str, str] | None = None,
    modules: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    requires: Sequence[str] = REQUIRES,
) -> Iterator[FakeDist]:
    """Install a distribution for the length of the block: real ``dist-info``, real modules, first on ``sys.path``.

    ``directory``  where to install, e.g. ``tmp_path``; several distributions may share one
    ``plugins``    entry points of the group ``neomind.plugins``: name to ``module:attribute``
    ``modules``    dotted name to source text; a name that others lie below becomes a package (``my``, ``my.hooks``)
    ``files``      other files of packages: path to text (``{"my/clock.js": "export default {}"}``)
    ``requires``   lines of ``Requires-Dist``; the one on ``neomind-sdk`` is the loader's version gate

    Leaving the block uninstalls: the files, the entry on ``sys.path``, the modules that were imported. Raises
    ``ValueError`` for a name or module that no distribution could have.

    Example::

        SOURCE = '''
        from neomind_sdk import Plugin
        plugin = Plugin(name="greeter", summary="Greets.")
        '''

        def test_found(tmp_path):
            with fake_dist(tmp_path, "my-greeter", plugins={"greeter": "my_greeter:plugin"},
                           modules={"my_greeter": textwrap.dedent(SOURCE)}) as dist:
                ...  # start a host: it finds "greeter" of "my-greeter"
                assert dist.loaded() == ["my_greeter"]
    """
    _check(name, modules or {})
    written = _write_modules(directory, modules or {}, files or {})
    texts = {"METADATA": _metadata(name, version, requires), "entry_points.txt": _entry_points(plugins or {})}
    dist = _install(directory, name, version, written, texts)
    entry = str(directory)
    added = entry not in sys.path
    if added:
        sys.path.insert(0, entry)
    importlib.invalidate_caches()
    try:
        yield dist
    finally:
        if added and entry in sys.path:
            sys.path.remove(entry)
        dist.uninstall()
        sys.path_importer_cache.pop(entry, None)


def _check(name: str, modules: Mapping[str, str]) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name):
        raise ValueError(f"'{name}' cannot be the name of a distribution")
    for module in modules:
        if not all(part.isidentifier() for part in module.split(".")):
            raise ValueError(f"'{module}' cannot be the name of a module")


def _metadata(name: str, version: str, requires: Sequence[str]) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    return "\n".join([*lines, *(f"Requires-Dist: {text}" for text in requires), "", ""])


def _entry_points(plugins: Mapping[str, str]) -> str:
    return "\n".join([f"[{ENTRY_POINT_GROUP}]", *(f"{name} = {target}" for name, target in plugins.items()), ""])


def _install(
    directory: Path, name: str, version: str, written: Mapping[str, str], texts: Mapping[str, str]
) -> FakeDist:
    """Write the ``dist-info`` beside what was ``written`` already."""
    info = f"{re.sub(r'[-_.]+', '_', name)}-{version}.dist-info"
    own = {f"{info}/{file}": text for file, text in texts.items()} | {f"{info}/INSTALLER": "fake\n"}
    record = [_record_line(path, text) for path, text in {**written, **own}.items()]
    _write(directory, {**own, f"{info}/RECORD": "".join([*record, f"{info}/RECORD,,\n"])})
    modules = sorted({Path(path).parts[0].removesuffix(".py") for path in written})
    return FakeDist(directory=directory, name=name, version=version, dist_info=directory / info, modules=tuple(modules))


def _write_modules(directory: Path, modules: Mapping[str, str], files: Mapping[str, str]) -> dict[str, str]:
    """Write modules and files; what was written, by path. Packages on the way that have no text get an empty one."""
    below = [*modules, *(str(Path(path).with_suffix("")).replace("/", ".") for path in files)]
    packages = {parent for name in below for parent in _parents(name)}
    missing = {f"{name.replace('.', '/')}/__init__.py": "" for name in packages - set(modules)}
    fresh = {path: text for path, text in missing.items() if not (directory / path).exists()}
    texts = {_path(directory, module, packages): text for module, text in modules.items()}
    written = {**fresh, **texts, **files}
    _write(directory, written)
    return written


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _path(directory: Path, module: str, packages: set[str]) -> str:
    path = module.replace(".", "/")
    package = module in packages or (directory / path / "__init__.py").exists()
    return f"{path}/__init__.py" if package else f"{path}.py"


def _write(directory: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _record_line(path: str, text: str) -> str:
    content = text.encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"
