"""Calls as text that is the same for the same call."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(value: Any) -> str:
    """JSON with sorted keys and without blanks; raises ``ValueError`` and ``TypeError`` for what is not JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(agent_id: str, tool: str, arguments: Mapping[str, Any]) -> str:
    """The SHA-256 that an approval is bound to."""
    return hashlib.sha256(canonical([agent_id, tool, arguments]).encode()).hexdigest()
