"""Hashing passwords with argon2id, away from the event loop."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from neomind_sdk import Unavailable

T = TypeVar("T")
# The first choice of https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html: 19 MiB, which a
# small machine can spare for each of the WORKERS, where the library's default takes 64.
COST = {"time_cost": 2, "memory_cost": 19 * 1024, "parallelism": 1}
WORKERS = 2
MAX_WAITING = 64


class Passwords:
    """Hashes and verifies, ``WORKERS`` at a time; raises ``Unavailable`` when ``MAX_WAITING`` others wait already."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(**COST)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="neomind-argon2")
        self._waiting = 0
        self._decoy = self._make_decoy()

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the one that was hashed.

        ``None`` (there is no such user) takes the same work, so that the time does not tell which names exist.
        """
        return await self._run(lambda: self._verify(password, password_hash or self._decoy))

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made at another cost than hashes are made now."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many passwords are being checked; try again")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def _make_decoy(self) -> str:
        """A well-formed hash of no password, of the present cost."""
        salt, tag = (_base64(secrets.token_bytes(size)) for size in (16, 32))
        cost: dict[str, Any] = COST
        return f"$argon2id$v=19$m={cost['memory_cost']},t={cost['time_cost']},p={cost['parallelism']}${salt}${tag}"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")
