"""Reads the reference page: what its tables and its list of public endpoints name."""

from __future__ import annotations

import os
import re
from pathlib import Path

VARIABLE = "NEOMIND_REFERENCE_PAGE"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "contract" / "rest-api-reference.txt"
ROW = re.compile(r"^\|\s*(GET|POST|PUT|PATCH|DELETE)\s*\|\s*(/\S+)\s*\|", re.MULTILINE)


def found() -> Path | None:
    """Where the page is: by the environment variable, else beside the repository; ``None`` when it is nowhere."""
    path = Path(os.environ.get(VARIABLE) or BESIDE)
    return path if path.is_file() else None


def rows(text: str) -> set[str]:
    """``METHOD /path`` of every row of its tables."""
    return {f"{method} {path}" for method, path in ROW.findall(text)}


def public(text: str) -> set[str]:
    """The paths of its list of public endpoints, whose items it has run together."""
    (line,) = [line for line in text.splitlines() if line.startswith("/api/health//")]
    items = [item for part in line.split("/api/") if part for item in part.split("//")]
    return {"/" + re.sub(r"\(.*?\)", "", item).strip("/") for item in items}
