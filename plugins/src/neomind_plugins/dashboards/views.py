"""Dashboards and share links as they are answered."""

from __future__ import annotations

from typing import Any

from .records import Dashboard, Opened, Share
from .share_models import Permissions, ShareItem, ShareLink


def dashboard(found: Dashboard) -> dict[str, Any]:
    """The members of ``DashboardView``; the last two only when they are set."""
    optional = {"is_default": found.is_default, "sort_order": found.sort_order}
    return {
        "id": found.id,
        "name": found.name,
        "layout": found.layout,
        "components": found.components,
        "created_at": found.created_ms // 1000,
        "updated_at": found.updated_ms // 1000,
        **{name: value for name, value in optional.items() if value is not None},
    }


def link(share: Share, token: str) -> ShareLink:
    """The only view that has the token."""
    return ShareLink(**common(share), token=token, share_url=f"/share/{token}")


def item(share: Share) -> ShareItem:
    return ShareItem(**common(share), token=share.id)


def common(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "token_preview": share.preview,
        "dashboard_id": share.dashboard_id,
        "permissions": permissions(share),
        "created_at": share.created_ms // 1000,
        "expires_at": expires_at(share),
    }


def shared(opened: Opened) -> dict[str, Any]:
    """The data of ``SharedDashboard``."""
    return {
        "dashboard": dashboard(opened.dashboard),
        "permissions": permissions(opened.share),
        "expires_at": expires_at(opened.share),
    }


def permissions(share: Share) -> Permissions:
    return Permissions(allow_interactive=share.allow_interactive)


def expires_at(share: Share) -> int | None:
    """In whole epoch seconds, never later than the end."""
    return None if share.expires_ms is None else share.expires_ms // 1000
