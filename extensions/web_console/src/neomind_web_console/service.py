"""The files of the page, and the page that names them."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from string import Template

from .models import Asset

HERE = Path(__file__).parent
PAGE = HERE / "own" / "page.html"
DIGITS = 16
ASSETS = {
    "styles": (HERE / "vendor" / "swagger-ui.css", "text/css; charset=utf-8"),
    "own_styles": (HERE / "own" / "console.css", "text/css; charset=utf-8"),
    "bundle": (HERE / "vendor" / "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "init": (HERE / "own" / "init.js", "text/javascript; charset=utf-8"),
    "icon": (HERE / "vendor" / "favicon.png", "image/png"),
}


class Console:
    """Reads from disk, so it is asked in a thread."""

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """The files by what the page calls them."""
        return {name: _asset(path, media_type) for name, (path, media_type) in ASSETS.items()}

    @cached_property
    def page(self) -> bytes:
        """The page; it names its files relative to itself, so that it works below a prefix of a proxy, too."""
        names = {name: f"docs/{asset.address}" for name, asset in self.assets.items()}
        return Template(PAGE.read_text(encoding="utf-8")).substitute(names).encode()

    @cached_property
    def tag(self) -> str:
        """The value of ``ETag`` of the page."""
        return f'W/"{_digest(self.page)}"'

    def find(self, name: str) -> Asset | None:
        """The file of an address, or of a plain name; ``None`` when there is none."""
        return next((asset for asset in self.assets.values() if name in (asset.address, asset.path.name)), None)


def missing() -> list[str]:
    """Names of files that building did not put into the package."""
    return [path.name for path, _ in ASSETS.values() if not path.is_file()]


def _asset(path: Path, media_type: str) -> Asset:
    return Asset(path=path, media_type=media_type, digest=_digest(path.read_bytes()))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
