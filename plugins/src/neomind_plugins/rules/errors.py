"""Errors of rules."""

from __future__ import annotations

from neomind_sdk import ApiError, NotFound


class BadRule(ApiError):
    """400 that names the path of everything at fault."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        details = [{"field": path, "message": text} for path, text in problems]
        super().__init__("BAD_REQUEST", "; ".join(f"{path}: {text}" for path, text in problems), details=details)


def unknown_rule(rule_id: str) -> NotFound:
    """404 ``RULE_NOT_FOUND``."""
    return NotFound("RULE", rule_id)
