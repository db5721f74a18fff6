"""The tokens of share links: how they are made and what is kept of them."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "ds_"
PREVIEW_CHARS = 8


def make() -> str:
    """A new token: 128 random bits."""
    return PREFIX + secrets.token_hex(16)


def digest(token: str) -> str:
    """What a link is found by, in hex. A plain hash is enough: nobody guesses 128 random bits.

    Looking the hash up tells nothing by its duration: who times it does not choose what is compared.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def preview(token: str) -> str:
    """How the token begins, for people who have several."""
    return f"{token[:PREVIEW_CHARS]}..."
