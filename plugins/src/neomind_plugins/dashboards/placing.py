"""Where a component goes that nobody has placed."""

from __future__ import annotations

from .models import UINT_MAX
from .records import Json


def below(components: list[Json], width: int, height: int) -> Json:
    """The position at the left, under everything there is."""
    ends = (int(component["position"]["y"]) + int(component["position"]["h"]) for component in components)
    return {"x": 0, "y": min(max(ends, default=0), UINT_MAX - height), "w": width, "h": height}
