"""Errors of settings."""

from __future__ import annotations

from neomind_sdk import ApiError


class SectionNotFound(ApiError):
    """404 ``NOT_FOUND``: a section is a part of the path, not a thing with an id."""

    def __init__(self, name: str) -> None:
        super().__init__("NOT_FOUND", f"There are no settings '{name}'")
