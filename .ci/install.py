"""Install distributions of this tree into the environment of the interpreter that runs this.

    python .ci/install.py core sdk plugins extensions .

``extensions`` stands for every folder in it, ``.`` for the distribution that requires all others. Clean copies are
built, so nothing that an earlier build left in the tree gets in, and several environments can be installed at once.
What building needs is installed once, not again for each distribution.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JUNK = shutil.ignore_patterns("build", "dist", "*.egg-info", "__pycache__", ".*")
HUB_FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def folders(names: list[str]) -> list[Path]:
    """The folders that the names stand for; raises ``SystemExit`` for one that is no distribution."""
    found: list[Path] = []
    for name in names:
        path = ROOT / name
        found += sorted(path.glob("*/")) if name == "extensions" else [path]
    strange = [str(path) for path in found if not (path / "setup.cfg").is_file()]
    if strange:
        raise SystemExit(f"no distribution: {', '.join(strange)}")
    return found


def copy(folder: Path, into: Path) -> Path:
    """A copy of a distribution's folder without what builds leave behind."""
    if folder == ROOT:
        target = into / "hub"
        target.mkdir(parents=True)
        for name in HUB_FILES:
            shutil.copy(folder / name, target)
        return target
    target = into / folder.relative_to(ROOT)
    shutil.copytree(folder, target, ignore=JUNK)
    return target


def build_requirements(sources: list[Path]) -> list[str]:
    """What the distributions want in order to be built."""
    wanted = [tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8")) for source in sources]
    return sorted({line for config in wanted for line in config["build-system"]["requires"]})


def pip(*args: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", *map(str, args)], check=True)  # noqa: S603 - our own words


def install(sources: list[Path], constraints: Path | None, wheels: Path | None) -> None:
    """``wheels`` names a folder: wheels are built there, and it is them that are installed."""
    options = ["--no-build-isolation", "--quiet", "--quiet"]
    chosen = sources
    pip("install", "--quiet", "--quiet", *build_requirements(sources))
    if wheels is not None:
        pip("wheel", *options, "--no-deps", "--wheel-dir", wheels, *sources)
        chosen = sorted(wheels.glob("*.whl"))
    limits = ["--constraint", constraints] if constraints else []
    pip("install", *options, *limits, *chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--constraints", type=Path, help="a file for pip's --constraint")
    parser.add_argument("--wheels", type=Path, help="build wheels here and install those; copies stay in sources/")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="neomind-install-") as temporary:
        into = args.wheels / "sources" if args.wheels else Path(temporary)
        install([copy(folder, into) for folder in folders(args.names)], args.constraints, args.wheels)


if __name__ == "__main__":
    main()
