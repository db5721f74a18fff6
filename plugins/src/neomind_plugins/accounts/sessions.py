"""The logins that live, in memory."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import attrs

from neomind_sdk import Clock
from neomind_sdk.units import DAY_MS, SECOND_MS

from .errors import TokenRefused
from .models import Session, User
from .tokens import Tokens

LIFETIME_MS = 7 * DAY_MS
LEEWAY_MS = 30 * SECOND_MS
EXPIRED = "Token has expired"
REVOKED = "Session has been revoked"


@attrs.define
class _Live:
    session: Session
    token: str | None = None
    """The session's token, once its signature was verified."""


class Sessions:
    """Finds the session of a token without the database, and verifies each signature once.

    Verifying costs about as much as the rest of a small request, so a verified token is remembered for as long as its
    session lives.
    """

    def __init__(self, tokens: Tokens, clock: Clock, sessions: Iterable[Session]) -> None:
        self._tokens = tokens
        self._clock = clock
        self._live = {session.jti: _Live(session) for session in sessions}
        self._verified: dict[str, Session] = {}

    def make(self, user: User) -> Session:
        """A new session, not kept yet. Its times are whole seconds, as they stand in the token."""
        now_ms = self._clock.now_ms() // SECOND_MS * SECOND_MS
        return Session(jti=secrets.token_hex(16), user_id=user.id, issued_ms=now_ms, expires_ms=now_ms + LIFETIME_MS)

    def keep(self, session: Session, user: User) -> str:
        """From now on the session lives; its token."""
        self._live[session.jti] = _Live(session)
        return self._tokens.issue(user, session)

    def holder(self, token: str) -> Session:
        """The live session of a token; raises ``TokenRefused``."""
        session = self._verified.get(token) or self._verify(token)
        if self._over(session.expires_ms):
            raise TokenRefused(EXPIRED)
        return session

    def end(self, jti: str) -> Session | None:
        """The session that lived until now; ``None`` when it was over already."""
        live = self._live.pop(jti, None)
        if live is None:
            return None
        if live.token is not None:
            del self._verified[live.token]
        return live.session

    def end_of(self, user_id: str) -> None:
        """End all sessions of a user."""
        for jti in [jti for jti, live in self._live.items() if live.session.user_id == user_id]:
            self.end(jti)

    def expired(self) -> list[Session]:
        """The sessions whose time is over."""
        return [live.session for live in self._live.values() if self._over(live.session.expires_ms)]

    def _verify(self, token: str) -> Session:
        claims = self._tokens.read(token)
        if self._over(claims.expires * SECOND_MS):
            raise TokenRefused(EXPIRED)
        live = self._live.get(claims.jti)
        if live is None or live.session.user_id != claims.user_id:
            raise TokenRefused(REVOKED)
        if live.token is None:
            live.token = token
            self._verified[token] = live.session
        return live.session

    def _over(self, expires_ms: int) -> bool:
        return self._clock.now_ms() > expires_ms + LEEWAY_MS
