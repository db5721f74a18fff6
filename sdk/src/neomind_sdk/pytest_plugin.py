"""The pytest plugin of the SDK: the marker ``needs``. Imports nothing heavy, for it is loaded by every pytest run."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

GROUP = "neomind.plugins"


def pytest_configure(config: Any) -> None:
    config.addinivalue_line(
        "markers", "needs(*plugins): skipped, and counted, where one of these plugins is not installed or is blocked"
    )


def pytest_runtest_setup(item: Any) -> None:
    for mark in item.iter_markers("needs"):
        missing = sorted(set(mark.args) - available())
        if missing:
            import pytest

            pytest.skip(f"needs {', '.join(missing)}")


@lru_cache
def available() -> frozenset[str]:
    """The plugins that are installed and not blocked by the environment."""
    blocked = set(os.environ.get("NEOMIND_BLOCK", "").replace(",", " ").split())
    return frozenset(point.name for point in entry_points(group=GROUP)) - blocked
