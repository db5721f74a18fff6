"""Reasons as strangers may read them: without the paths of this machine and without passwords in addresses."""

from __future__ import annotations

import re

# Not the paths of routes, which conflicts name ("GET /devices/{device_id}").
_ROUTES = "".join(f"(?<!{word} )" for word in ("GET", "POST", "PUT", "PATCH", "DELETE", "WEBSOCKET", "ALIAS", "MIRROR"))
_PATH = re.compile(rf"(?<![\w/:.…]){_ROUTES}/(?:[^\s/'\":,;()<>]+/)+([^\s/'\":,;()<>]*)")
_USERINFO = re.compile(r"(\w://)[^/\s@]+@")


def public(text: str) -> str:
    """``text`` with ``…/name`` for each absolute path, and ``***`` for who logs in in an address."""
    return _PATH.sub(r"…/\1", _USERINFO.sub(r"\1***@", text))
