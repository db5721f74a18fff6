"""When a message repeats another: the same rule, device, severity and variant. The title never matters.

What names neither a rule nor a device repeats nothing: nobody can tell whether it is the same thing again. What names
a device but no rule repeats only what says exactly the same, for a device may have many things to tell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from neomind_sdk import NewMessage


def repeat_key(new: NewMessage, severity: str) -> str | None:
    """What a message and its repetitions have in common; ``None`` for one that repeats nothing."""
    rule, device = subject(new, "rule"), subject(new, "device")
    if rule is not None:
        parts = ["rule", rule, device, severity, new.variant]
    elif device is not None:
        parts = ["device", device, severity, new.variant, new.source_type, new.source, new.category, new.message]
    else:
        return None
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def subject(new: NewMessage, kind: str) -> str | None:
    """The id of the rule or device that a message speaks of: in its metadata, else its source."""
    metadata: Mapping[str, Any] = new.metadata if isinstance(new.metadata, Mapping) else {}
    named = metadata.get(f"{kind}_id")
    if isinstance(named, str) and named:
        return named
    return new.source if new.source_type == kind and new.source else None
