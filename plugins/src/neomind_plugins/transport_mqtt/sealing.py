"""Secrets at rest: encrypted with a key beside the database, so that a copy of the database alone tells nothing.

They cannot be hashes, because the broker and other brokers want the passwords themselves.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken


class Seal:
    """Encrypts and decrypts. ``key_file`` is made when it is not there; blocks on the disk."""

    def __init__(self, key_file: Path) -> None:
        self._fernet = Fernet(_key(key_file))

    def close(self, secret: str) -> str:
        """The secret, encrypted."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """The secret; ``None`` when it was encrypted with another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None


def _key(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    return path.read_bytes()
