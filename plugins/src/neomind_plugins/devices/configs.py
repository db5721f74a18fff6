"""What a device may be: its id, its timeout, its connection's configuration and the token of its webhook."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from neomind_sdk import BadRequest, fields

from .errors import InvalidDeviceConfig
from .models import MASK, TIMEOUT_MAX_S, TIMEOUT_MIN_S

ID_MAX = 128
WEBHOOK_KEY = "webhook_token"
TOKEN_MAX = 512
TEXTS = ("telemetry_topic", "command_topic", "json_path", "entity_id", WEBHOOK_KEY)
RESERVED_IDS = frozenset({"types", "drafts", "webhook", "current-batch", "generate-mdl", "ble-provision", ".", ".."})
"""Words that are paths of their own where the id of a device stands, and what a path cannot hold."""
_ID = re.compile(rf"[A-Za-z0-9_.-]{{1,{ID_MAX}}}")

Config = dict[str, Any]


def check_id(device_id: str) -> None:
    """Raises ``BadRequest`` for an id that cannot be. A colon cannot: it separates the parts of a series' name."""
    if not _ID.fullmatch(device_id):
        raise BadRequest(f"device_id: must be 1 to {ID_MAX} letters, digits, _, - or .")
    if device_id in RESERVED_IDS:
        raise BadRequest(f"device_id: '{device_id}' is reserved")


def new_id(device_type: str) -> str:
    """``<device_type>_<8 hexadecimal digits>``."""
    return f"{device_type}_{secrets.token_hex(4)}"


def check_timeout(seconds: int | None) -> None:
    """Raises ``BadRequest`` for a timeout that is too short or too long."""
    if seconds is not None and not TIMEOUT_MIN_S <= seconds <= TIMEOUT_MAX_S:
        raise BadRequest(f"offline_timeout_secs: must be within {TIMEOUT_MIN_S} and {TIMEOUT_MAX_S}")


def sealed(config: Mapping[str, Any], kept: str | None = None) -> tuple[Config, str | None]:
    """The configuration with its token masked, and the token's hash.

    ``kept`` is the hash that holds now: it stays when the token is absent or the mask; ``null`` and an empty token
    take it away. Raises ``InvalidDeviceConfig`` naming the key.
    """
    for key in TEXTS:
        if not isinstance(config.get(key), str | None):
            raise InvalidDeviceConfig(key, "must be a string or null")
    token = config.get(WEBHOOK_KEY, MASK if kept else None)
    rest = {key: value for key, value in config.items() if key != WEBHOOK_KEY}
    if not token:
        return rest, None
    return {**rest, WEBHOOK_KEY: MASK}, kept if kept and token == MASK else hash_of(checked(token))


def checked(token: str) -> str:
    if token == MASK:
        raise InvalidDeviceConfig(WEBHOOK_KEY, "is the mask of a token, and there is none yet")
    if len(token) > TOKEN_MAX or token != token.strip() or not fields.clean(token):
        raise InvalidDeviceConfig(WEBHOOK_KEY, f"must be at most {TOKEN_MAX} characters without blanks around them")
    return token


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def matches(token: str | None, token_hash: str) -> bool:
    """Whether the token is the one of the hash; takes the same time either way."""
    return token is not None and hmac.compare_digest(hash_of(token), token_hash)


def texts(config: Mapping[str, Any]) -> dict[str, str]:
    """The configuration as one level of texts, without what is null."""
    return {key: text(value) for key, value in config.items() if value is not None}


def text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
