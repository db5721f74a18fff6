"""Time zones."""

from __future__ import annotations

import zoneinfo

DEFAULT = "Asia/Shanghai"
MAX_LENGTH = 100  # looking for a name of thousands of parts ends in a RecursionError
PROBLEM = "must be the IANA name of a time zone, e.g. Europe/Berlin"
COMMON = {
    "UTC": "Coordinated Universal Time",
    "Asia/Shanghai": "China (Shanghai)",
    "Asia/Tokyo": "Japan (Tokyo)",
    "Asia/Seoul": "Korea (Seoul)",
    "Asia/Singapore": "Singapore",
    "Asia/Kolkata": "India (Kolkata)",
    "Asia/Dubai": "United Arab Emirates (Dubai)",
    "Europe/Moscow": "Russia (Moscow)",
    "Europe/Berlin": "Germany (Berlin)",
    "Europe/Paris": "France (Paris)",
    "Europe/London": "United Kingdom (London)",
    "America/Sao_Paulo": "Brazil (São Paulo)",
    "America/New_York": "United States, East (New York)",
    "America/Chicago": "United States, Central (Chicago)",
    "America/Denver": "United States, Mountain (Denver)",
    "America/Los_Angeles": "United States, West (Los Angeles)",
    "Australia/Sydney": "Australia, East (Sydney)",
}


def problem(name: str) -> str | None:
    """Why ``name`` is no time zone, ``None`` when it is one."""
    if len(name) > MAX_LENGTH:
        return PROBLEM
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return PROBLEM
    return None
