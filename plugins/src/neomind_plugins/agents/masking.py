"""Secrets and bulk are kept away from models and records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from neomind_sdk.public import public

MASK = "***"
TEXT_MAX = 4000
ITEMS_MAX = 500
DEPTH_MAX = 24

_WORDS = (
    "passw(?:or)?d|passphrase|secret|token|api_?key|access_?key|private_?key|authorization|auth_?token|auth_?basic|"
    "credentials?|connection_?config|cookie|bearer|client_?secret|signing_?key|psk|pin_?code"
)
_SECRET_KEY = re.compile(rf"(?:^|[_\-. ])(?:{_WORDS})$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SAID = re.compile(rf"(?i)\b({_WORDS})(\"?\s*[:=]\s*\"?)(?!\*\*\*)([^\s\",;}}&]+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_USERINFO = re.compile(r"(\w://)[^/\s@]+@")
_BULK = re.compile(r"(?:data:[\w/+.-]{1,100};base64,)?[A-Za-z0-9+/]{1000,}={0,2}")


def is_secret(name: str) -> bool:
    """Whether a member of this name holds a secret."""
    return _SECRET_KEY.search(_CAMEL.sub("_", name)) is not None


def masked(value: Any, depth: int = 0) -> Any:
    """A copy of a JSON value without secrets, without pictures as text, and not without end."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    if depth >= DEPTH_MAX:
        return "…"
    if isinstance(value, Mapping):
        pairs = list(value.items())[:ITEMS_MAX]
        return {text(str(key)): _member(str(key), each, depth) for key, each in pairs}
    if isinstance(value, list | tuple):
        return [masked(each, depth + 1) for each in value[:ITEMS_MAX]]
    return text(str(value))


def _member(key: str, value: Any, depth: int) -> Any:
    return MASK if is_secret(key) and value not in (None, "", {}, []) else masked(value, depth + 1)


def text(value: str) -> str:
    """A text without what looks like a secret in it, and without bulk."""
    found = _BULK.sub("[binary data left out]", value[: 64 * TEXT_MAX])
    found = found if len(found) <= TEXT_MAX else found[:TEXT_MAX] + "…"
    found = _SAID.sub(rf"\1\2{MASK}", _BEARER.sub(rf"\1 {MASK}", _JWT.sub(MASK, found)))
    return _USERINFO.sub(rf"\1{MASK}@", found).replace("\x00", " ").encode("utf-8", "replace").decode()


def reason(error: object) -> str:
    """Why something failed, as a record may have it: without secrets and without paths of this machine."""
    return public(text(str(error)))


def fitted(value: Any, most: int) -> Any:
    """The value, or the begin of its JSON when that is longer than ``most`` characters."""
    words = json.dumps(value, ensure_ascii=False)
    return value if len(words) <= most else {"cut": text(words[:TEXT_MAX]), "characters": len(words)}
