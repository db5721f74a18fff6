"""Secrets at rest: encrypted with a key beside the database, so that a copy of the database alone tells nothing.

AES-256-GCM (NIST SP 800-38D) with a random nonce for each text. The key is ``<data_dir>/.secret_key``, one for the
whole platform, readable by its owner only.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path
from typing import Any

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
                _create(self._path)
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


def _create(path: Path) -> None:
    """Write a new key so that the file is whole or not there; who comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(KEY_BYTES).encode())
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
        _sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    except OSError:  # a file system without links, as on memory cards and network shares
        draft.replace(path)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
