"""Keys, and what comes in and goes out."""

from __future__ import annotations

import attrs

from neomind_sdk import EVERYTHING, fields

NAME_MAX = 100
DAYS_MAX = 36_500


@attrs.frozen(kw_only=True)
class Key:
    """An API key, without its text: that is known to its holder only.

    ``key_hash``    SHA-256 of the text, in hex
    ``expires_ms``  from then on the key does not hold; ``None`` = never
    ``is_default``  whether it came from the environment
    """

    id: str
    name: str
    key_hash: str = attrs.field(repr=False)
    preview: str
    permissions: tuple[str, ...]
    created_ms: int
    expires_ms: int | None = None
    last_used_ms: int | None = None
    is_default: bool = False

    def expired(self, now_ms: int) -> bool:
        return self.expires_ms is not None and now_ms >= self.expires_ms


@attrs.frozen(kw_only=True)
class Draft:
    """A key to be."""

    name: str
    permissions: tuple[str, ...] = (EVERYTHING,)
    expires_ms: int | None = None


@attrs.frozen(kw_only=True)
class Issued:
    """A new key and, this once, its text."""

    key: Key
    text: str = attrs.field(repr=False)


# ---- requests ----


@attrs.frozen(kw_only=True)
class KeyCreateBody:
    """``permissions`` or ``scopes``, which are the same; ``["*"]`` when both are absent. One way to expire, or none."""

    name: str = fields.text(min=1, max=NAME_MAX)
    permissions: list[str] | None = None
    scopes: list[str] | None = None
    expires_at: float | None = fields.number(ge=0, default=None, doc="Epoch seconds; `null` = never")
    expires_in_days: float | None = fields.number(ge=0, le=DAYS_MAX, default=None)


# ---- answers ----


@attrs.frozen(kw_only=True)
class KeyInfo:
    """Times in epoch seconds; ``active`` until the key expires."""

    id: str
    name: str
    created_at: int
    permissions: list[str]
    active: bool
    expires_at: int | None
    last_used_at: int | None


@attrs.frozen(kw_only=True)
class KeyItem(KeyInfo):
    """``preview`` is how the key begins."""

    preview: str


@attrs.frozen(kw_only=True)
class KeysAnswer:
    keys: list[KeyItem]


@attrs.frozen(kw_only=True)
class IssuedAnswer:
    """``api_key`` is the key itself; nobody can ask for it again."""

    api_key: str = attrs.field(repr=False)
    info: KeyInfo


@attrs.frozen(kw_only=True)
class DeletedAnswer:
    message: str
    success: bool = True
