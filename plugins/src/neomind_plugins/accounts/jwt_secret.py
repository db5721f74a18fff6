"""The key that tokens are signed with."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from neomind_sdk import PluginUnavailable

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
        _create(path)
    path.chmod(0o600)
    return _checked(path.read_bytes().strip(), str(path))


def _checked(secret: bytes, where: str) -> bytes:
    if len(secret) < MIN_BYTES:
        raise SecretUnusable(f"{where}: the key for tokens must have at least {MIN_BYTES} bytes, it has {len(secret)}")
    return secret


def _create(path: Path) -> None:
    """Write a new key so that the file is whole or not there; who comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(MIN_BYTES).encode())
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
