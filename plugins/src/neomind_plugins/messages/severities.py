"""How bad it is, in words and in order."""

from __future__ import annotations

from neomind_sdk import SEVERITIES

RANKS = {severity: rank for rank, severity in enumerate(SEVERITIES)}
SPELLINGS = {
    "information": "info",
    "notice": "info",
    "信息": "info",
    "提示": "info",
    "通知": "info",
    "warn": "warning",
    "警告": "warning",
    "crit": "critical",
    "严重": "critical",
    "危急": "critical",
    "emerg": "emergency",
    "紧急": "emergency",
}
KNOWN = ", ".join(SEVERITIES)


def severity_of(text: str) -> str | None:
    """The severity that a word stands for; ``None`` when it stands for none."""
    word = text.strip().lower()
    return word if word in RANKS else SPELLINGS.get(word)


def problem_of(text: str) -> str | None:
    """What is wrong with a word as a severity: a check of a field."""
    return None if severity_of(text) else f"must be one of {KNOWN}"
