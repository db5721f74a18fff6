"""Why a run starts, and with what."""

from __future__ import annotations

from typing import Any

import attrs

from .collecting import Row


@attrs.frozen(kw_only=True)
class Cause:
    """``kind`` is the trigger type; ``text`` was written by somebody who may command agents, ``data`` by anybody."""

    kind: str
    text: str = ""
    data: Any = None
    rows: tuple[Row, ...] = ()
    cause: str | None = None
    hops: int = 0
    source: str | None = None
