"""Errors of API keys."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import ApiError, Forbidden


class KeyNotFound(ApiError):
    """404 ``API_KEY_NOT_FOUND``."""

    def __init__(self, key_id: str) -> None:
        super().__init__("API_KEY_NOT_FOUND", f"API key with id '{key_id}' not found")


class GrantRefused(Forbidden):
    """403 ``INSUFFICIENT_PERMISSIONS``: nobody gives away what they do not have."""

    def __init__(self, permissions: Sequence[str]) -> None:
        super().__init__(f"You cannot grant what you are not permitted yourself: {', '.join(permissions)}")


class OutlivesCreator(Forbidden):
    """403 ``INSUFFICIENT_PERMISSIONS``: with a key that expires one makes no key that expires later or never."""

    def __init__(self) -> None:
        super().__init__("The new key must not expire later than the key that you make it with; give expires_at")
