"""The text of keys: how it is made, what is kept of it, and what a given one must be."""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "nmk_"
GIVEN_MIN = 16
GIVEN_MAX = 256
PREVIEW_MAX = 8
# What can be sent in a header as it is.
VISIBLE = re.compile(r"[\x21-\x7e]*")


def make() -> str:
    """A new key: 128 random bits."""
    return PREFIX + secrets.token_hex(16)


def digest(text: str) -> str:
    """What a key is found by, in hex. A plain hash is enough: nobody guesses 128 random bits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def preview(text: str) -> str:
    """How the key begins: 8 characters, and of a short one no more than a quarter."""
    return text[: min(PREVIEW_MAX, len(text) // 4)] + "..."


def problem_of(given: str) -> str | None:
    """Why a key that somebody chose cannot be one, without repeating it."""
    if not VISIBLE.fullmatch(given):
        return "the key must consist of visible ASCII characters, without blanks"
    if not GIVEN_MIN <= len(given) <= GIVEN_MAX:
        return f"the key must have {GIVEN_MIN} to {GIVEN_MAX} random characters, it has {len(given)}"
    return None
