"""The key that tokens are signed with."""

from __future__ import annotations

import os
from pathlib import Path

from neomind_sdk import PluginUnavailable, keyfile

ENVIRONMENT = "NEOMIND_JWT_SECRET"
FILE_NAME = ".jwt_secret"
# https://www.rfc-editor.org/rfc/rfc7518#section-3.2: a key for HS256 has at least the size of the hash.
MIN_BYTES = 32


class SecretUnusable(PluginUnavailable):
    """The key cannot be used; the message says which and why."""


def given_secret() -> bytes | None:
    """The key from the environment; a blank one counts as none. Raises ``SecretUnusable`` when it is too short."""
    given = os.fsencode(os.environ.get(ENVIRONMENT, "")).strip()
    return _checked(given, ENVIRONMENT) if given else None


def load_secret(data_dir: Path) -> bytes:
    """The key from the environment, else that of ``<data_dir>/.jwt_secret``, which is made when it is not there.

    Blocks on the disk. Raises ``SecretUnusable`` for a key that is too short, ``OSError``.
    """
    given = given_secret()
    if given is not None:
        return given
    path = data_dir / FILE_NAME
    if not path.exists():
        keyfile.create(path, bits=MIN_BYTES * 8)
    path.chmod(0o600)
    return _checked(path.read_bytes().strip(), str(path))


def _checked(secret: bytes, where: str) -> bytes:
    if len(secret) < MIN_BYTES:
        raise SecretUnusable(f"{where}: the key for tokens must have at least {MIN_BYTES} bytes, it has {len(secret)}")
    return secret
