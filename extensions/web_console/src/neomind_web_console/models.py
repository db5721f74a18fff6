"""What the page is made of."""

from __future__ import annotations

from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class Asset:
    """A file beside the page. ``digest`` is of its content, and stands in the address that the page names it by."""

    path: Path
    media_type: str
    digest: str

    @property
    def address(self) -> str:
        """The last segment of its path: ``init.3f1c….js``. Under it the content never changes."""
        return f"{self.path.stem}.{self.digest}{self.path.suffix}"

    @property
    def tag(self) -> str:
        """The value of ``ETag``: weak, for compressed it is the same content in other bytes."""
        return f'W/"{self.digest}"'
