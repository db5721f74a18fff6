"""Tests say what they need."""

from __future__ import annotations

from typing import Any


def needs(*plugins: str) -> Any:
    """``@needs("rules", "devices")``: skipped, and counted, where one of the plugins is not installed or is blocked."""
    import pytest

    return pytest.mark.needs(*plugins)
