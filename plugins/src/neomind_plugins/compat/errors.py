"""What a client of compat is told."""

from __future__ import annotations

from neomind_sdk import ApiError


class Absent(ApiError):
    """404: the plugin that this spelling leads to is not there. Clients repeat a 503, and it would not help."""

    def __init__(self, path: str, plugin: str) -> None:
        super().__init__("NOT_FOUND", f"There is nothing at {path}: the plugin '{plugin}' is not running")
