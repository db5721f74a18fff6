"""One attempt at a delivery: what somebody else's type did, as a ``Delivery`` in any case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from neomind_core.contracts import Delivery, EgressBlocked, EgressFailed

from .foreign import ForeignError, call
from .kinds import Ready
from .masks import scrubbed
from .public import public

__all__ = ["DETAIL_MAX", "attempt"]

DETAIL_MAX = 500
"""How long the detail of a delivery may be."""


async def attempt(ready: Ready[Any], send: Callable[[], Awaitable[Delivery]], limit_s: float) -> Delivery:
    """What came of ``await send()``, which the type of ``ready`` does and which may take ``limit_s`` seconds.

    Never raises for what the type does. The detail is one line that shows none of the secrets of ``ready``::

        delivery = await attempt(ready, lambda: ready.kind.send(ready.config, message, tools), 60.0)
    """
    try:
        delivery = await call(send, limit_s)
    except ForeignError as failed:
        delivery = Delivery(ok=False, detail=_sentence(failed))
    if not isinstance(delivery, Delivery):
        delivery = Delivery(ok=False, detail=f"'{ready.kind.name}' returned a {type(delivery).__name__}, no Delivery")
    detail = " ".join(scrubbed(str(delivery.detail), ready.secrets).split())
    return attrs.evolve(delivery, detail=detail[:DETAIL_MAX])


def _sentence(failed: ForeignError) -> str:
    """Egress speaks in sentences; what else is raised is named, without the paths of this machine."""
    spoken = isinstance(failed.error, EgressBlocked | EgressFailed)
    return str(failed.error) if spoken else public(str(failed))
