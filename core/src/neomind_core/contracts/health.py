"""Is it well?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs


@attrs.frozen(kw_only=True)
class Health:
    """``ok``, and one sentence when it is not (or worth saying)."""

    ok: bool
    detail: str = ""


@attrs.frozen(kw_only=True)
class HealthCheck:
    """Asked by ``/health/ready`` and ``/extensions/:id/health``; ``check`` has 2 s, longer counts as not well.

    ``name``   the key under ``dependencies``, e.g. ``database``
    ``vital``  whether the platform is not ready without it
    """

    name: str
    check: Callable[[], Awaitable[Health]]
    vital: bool = False
