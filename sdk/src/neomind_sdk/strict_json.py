"""JSON as the platform reads it from outside.

``loads(raw)`` raises an ``ApiError`` of status 400 for anything that is not strict: text that is not UTF-8, NaN and
Infinity, a key twice in one object, integers beyond 64 bits, more than 32 levels.
"""

from __future__ import annotations

from neomind_core.host.http.strict import loads

__all__ = ["loads"]
