"""Certificates of the broker, and the files that they are in."""

from __future__ import annotations

import os
from pathlib import Path

import attrs

PUBLIC_MODE = 0o644
SECRET_MODE = 0o600


@attrs.frozen
class Files:
    """Where the certificates are."""

    folder: Path

    @property
    def cert(self) -> Path:
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def complete(self) -> bool:
        return self.cert.exists() and self.key.exists()


@attrs.frozen(kw_only=True)
class Pems:
    cert: bytes
    key: bytes = attrs.field(repr=False)
    ca: bytes | None = None


def write(files: Files, pems: Pems) -> None:
    """Replace all files; each is whole or not there."""
    files.folder.mkdir(parents=True, exist_ok=True)
    _put(files.key, pems.key, SECRET_MODE)
    _put(files.cert, pems.cert, PUBLIC_MODE)
    if pems.ca is None:
        files.ca.unlink(missing_ok=True)
    else:
        _put(files.ca, pems.ca, PUBLIC_MODE)


def read(files: Files) -> Pems | None:
    """What is there; ``None`` when there is nothing."""
    if not files.complete():
        return None
    ca = files.ca.read_bytes() if files.ca.exists() else None
    return Pems(cert=files.cert.read_bytes(), key=files.key.read_bytes(), ca=ca)


def remove(files: Files) -> None:
    for path in (files.cert, files.key, files.ca):
        path.unlink(missing_ok=True)


def _put(path: Path, content: bytes, mode: int) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
