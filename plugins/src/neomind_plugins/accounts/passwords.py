"""Hashing passwords with argon2id, away from the event loop."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import Parameters, PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from neomind_sdk import Unavailable

T = TypeVar("T")
# The first choice of https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html: 19 MiB, which a
# small machine can spare for each of the WORKERS, where the library's default takes 64.
COST = Parameters(type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=2, memory_cost=19 * 1024, parallelism=1)
WORKERS = 2
MAX_WAITING = 64


class Passwords:
    """Hashes and verifies, ``WORKERS`` at a time; raises ``Unavailable`` when ``MAX_WAITING`` others wait already."""

    def __init__(self, cost: Parameters = COST) -> None:
        self._hasher = PasswordHasher.from_parameters(cost)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="neomind-argon2")
        self._waiting = 0
        self._closed = False
        self._decoy = _decoy(cost)

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
        """Refuse what comes from now on, and what waits."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._closed or self._waiting >= MAX_WAITING:
            raise Unavailable("Too many passwords are being checked; try again")
        self._waiting += 1
        try:
            return await asyncio.wrap_future(self._pool.submit(work))
        except asyncio.CancelledError:
            if self._closed and not _is_cancelled():
                raise Unavailable("The platform is stopping; try again") from None
            raise
        finally:
            self._waiting -= 1


def _is_cancelled() -> bool:
    """Whether somebody wants the present task to end, rather than what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _decoy(cost: Parameters) -> str:
    """A well-formed hash of no password, of the present cost."""
    salt, tag = (_base64(secrets.token_bytes(size)) for size in (cost.salt_len, cost.hash_len))
    numbers = f"m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
    return f"$argon2id$v={cost.version}${numbers}${salt}${tag}"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")
