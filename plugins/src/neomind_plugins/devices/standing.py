"""How a device stands."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Standing:
    """Whether a device is online, since when (epoch ms, ``None``: never was) and, when it is not, why."""

    online: bool
    since_ms: int | None
    reason: str | None = None
