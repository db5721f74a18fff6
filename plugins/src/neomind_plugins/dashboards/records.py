"""Dashboards and share links as they are kept."""

from __future__ import annotations

from typing import Any

import attrs

Json = dict[str, Any]


@attrs.frozen(kw_only=True)
class Dashboard:
    """``layout`` and ``components`` are JSON as it was sent; times are epoch milliseconds.

    ``is_default`` is ``None`` until somebody chose a default; ``sort_order`` is ``None`` for those at the end.
    """

    id: str
    name: str
    layout: Json
    components: list[Json]
    created_ms: int
    updated_ms: int
    is_default: bool | None = None
    sort_order: int | None = None


@attrs.frozen(kw_only=True)
class Share:
    """A share link. Of its token only the hash and the beginning are kept. Who acts through it goes by its ``id``."""

    id: str
    token_hash: str
    preview: str
    dashboard_id: str
    allow_interactive: bool
    created_ms: int
    expires_ms: int | None = None

    def expired(self, now_ms: int) -> bool:
        return self.expires_ms is not None and now_ms >= self.expires_ms


@attrs.frozen(kw_only=True)
class Opened:
    """What a token opens."""

    share: Share
    dashboard: Dashboard
