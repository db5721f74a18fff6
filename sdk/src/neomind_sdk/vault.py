"""Secrets at rest: encrypted with a key beside the database, so that a copy of the database alone tells nothing.

AES-256-GCM (NIST SP 800-38D) with a random nonce for each text. The key is ``<data_dir>/.secret_key``, one for the
whole platform, readable by its owner only.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from pathlib import Path
from typing import Any

from . import keyfile

FILE_NAME = ".secret_key"
KEY_BYTES = 32
NONCE_BYTES = 12
_PREFIX = "v1."


class VaultUnusable(Exception):
    """The key file cannot be used; one sentence says why."""


class CannotUnseal(Exception):
    """A text was sealed with another key or for another purpose, or was changed since."""


class Vault:
    """Seals texts and unseals them. Making one touches no file; ``load`` does, and blocks on the disk.

    ``purpose`` says whose the text is (``messages.channel:pager``): it unseals for the same purpose only, so that a
    row of the database cannot be passed off as another's.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        self._key: bytes | None = None

    def load(self) -> None:
        """Read the key, and make it where there is none. Raises ``VaultUnusable`` and ``OSError``."""
        if self._key is None:
            if not self._path.exists():
                keyfile.create(self._path, bits=KEY_BYTES * 8)
            self._path.chmod(0o600)
            self._key = _read(self._path)

    def seal(self, text: str, purpose: str = "") -> str:
        """The text, encrypted; ASCII without blanks."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher().encrypt(nonce, text.encode(), purpose.encode())
        return _PREFIX + base64.urlsafe_b64encode(sealed).decode()

    def unseal(self, sealed: str, purpose: str = "") -> str:
        """What was sealed; raises ``CannotUnseal``."""
        from cryptography.exceptions import InvalidTag

        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_PREFIX))
            return bytes(self._cipher().decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode())).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise CannotUnseal("it was encrypted with another key, or was changed since") from error

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.load()
        return AESGCM(self._key or b"")


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError as error:
        raise VaultUnusable(f"{path} is not a key: it must hold {2 * KEY_BYTES} hexadecimal digits") from error
    if len(key) != KEY_BYTES:
        raise VaultUnusable(f"{path} must hold {2 * KEY_BYTES} hexadecimal digits, it holds {2 * len(key)}")
    return key
