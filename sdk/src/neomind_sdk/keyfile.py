"""Files that hold a key: made once, whole or not there, for their owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def create(path: Path, bits: int = 256) -> None:
    """Write a new random key in hexadecimal digits; who comes second keeps the first one's. Blocks on the disk.

    Raises ``OSError``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(bits // 8).encode())
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
