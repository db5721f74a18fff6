"""Signatures of what is sent, as Standard Webhooks describes them (https://www.standardwebhooks.com).

    headers = signed(tools, config.secrets, body)
    answer = await tools.egress.request("POST", config.url, headers=headers, content=body, trust=ADMIN_TARGET)

A secret is ``whsec_`` and the base64 of 24 to 64 random bytes. While one is replaced, there are two: with both a
signature is made, and the receiver is content with either.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as random
from collections.abc import Sequence

from neomind_core.contracts import SendTools

__all__ = ["KEPT", "check_secret", "new_secret", "rotated", "sign", "signed", "verify"]

PREFIX = "whsec_"
VERSION = "v1"
BYTES_MIN, BYTES, BYTES_MAX = 24, 32, 64
KEPT = 2
"""How many secrets a target has while one of them is being replaced."""
TOLERANCE_S = 300


def new_secret() -> str:
    """A new random secret."""
    return PREFIX + base64.b64encode(random.token_bytes(BYTES)).decode()


def rotated(secrets: Sequence[str], *, keep: int = KEPT) -> tuple[str, ...]:
    """A new secret, then the newest of the given ones: ``keep`` altogether. The oldest holds no more."""
    return (new_secret(), *secrets)[:keep]


def check_secret(secret: str) -> str | None:
    """What is wrong with a secret, as a check of ``fields.field``; ``None`` when it can be used."""
    try:
        _key(secret)
    except ValueError as error:
        return str(error)
    return None


def sign(secrets: str | Sequence[str], delivery_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one signature per secret, separated by spaces.

    Raises ``ValueError``, which shows none of them, when there is no secret or one cannot be used.
    """
    given = [secrets] if isinstance(secrets, str) else list(secrets)
    if not given:
        raise ValueError("there must be a secret to sign with")
    return " ".join(_signature(_key(secret), delivery_id, timestamp_s, body) for secret in given)


def signed(tools: SendTools, secrets: str | Sequence[str], body: bytes) -> dict[str, str]:
    """The headers of an attempt with its signature; raises ``ValueError`` as ``sign`` does."""
    delivery_id, timestamp_s = tools.headers["webhook-id"], int(tools.headers["webhook-timestamp"])
    return {**tools.headers, "webhook-signature": sign(secrets, delivery_id, timestamp_s, body)}


def verify(
    secrets: str | Sequence[str], delivery_id: str, timestamp_s: int, body: bytes, header: str, *, now_s: float
) -> bool:
    """Whether one of the signatures in a header is of one of the secrets, and not older than five minutes."""
    expected = sign(secrets, delivery_id, timestamp_s, body).split()
    given = header.encode(errors="replace").split()
    known = [hmac.compare_digest(one, other.encode()) for one in given for other in expected]
    return any(known) and abs(now_s - timestamp_s) <= TOLERANCE_S


def _signature(key: bytes, delivery_id: str, timestamp_s: int, body: bytes) -> str:
    content = b"%s.%d." % (delivery_id.encode(), timestamp_s) + body
    return f"{VERSION},{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"must be {PREFIX} and base64") from None
    if not BYTES_MIN <= len(key) <= BYTES_MAX:
        raise ValueError(f"must be of {BYTES_MIN} to {BYTES_MAX} bytes")
    return key
