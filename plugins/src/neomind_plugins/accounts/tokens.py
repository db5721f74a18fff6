"""Tokens: signed claims about a session."""

from __future__ import annotations

from typing import Any

import attrs
import jwt

from .errors import TokenRefused
from .models import Session, User

ALGORITHM = "HS256"
BAD_FORMAT = "Invalid token format"
BAD_SIGNATURE = "Invalid token signature"
MAX_LENGTH = 4096
"""Above the longest that is issued: 64 characters of a name are at most 1024 of a token."""

# Times are compared with the platform's clock, by who knows the session; see ``Sessions``.
OPTIONS: Any = {
    "require": ["sub", "jti", "exp"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
}


@attrs.frozen(kw_only=True)
class Claims:
    """What a genuine token says: whose it is, of which login, until when (epoch seconds)."""

    user_id: str
    jti: str
    expires: int


class Tokens:
    """Issues and reads tokens with one key and one algorithm."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, user: User, session: Session) -> str:
        claims = {
            "sub": user.id,
            "username": user.username,
            "role": user.role,
            "iat": session.issued_ms // 1000,
            "exp": session.expires_ms // 1000,
            "jti": session.jti,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Claims:
        """The claims of a token that we signed; raises ``TokenRefused``. Whether it is expired is not looked at."""
        if len(token) > MAX_LENGTH:
            raise TokenRefused(BAD_FORMAT)
        try:
            found = jwt.decode(token, self._secret, algorithms=[ALGORITHM], options=OPTIONS)
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError) as error:
            raise TokenRefused(BAD_SIGNATURE) from error
        except (jwt.PyJWTError, ValueError, RecursionError) as error:  # the latter two: text that is no JSON of ours
            raise TokenRefused(BAD_FORMAT) from error
        return _claims(found["sub"], found["jti"], found["exp"])


def _claims(user_id: object, jti: object, expires: object) -> Claims:
    """Genuine claims may still be odd: another program may have the key."""
    if isinstance(expires, bool):
        raise TokenRefused(BAD_FORMAT)
    if isinstance(user_id, str) and isinstance(jti, str) and isinstance(expires, int):
        return Claims(user_id=user_id, jti=jti, expires=expires)
    raise TokenRefused(BAD_FORMAT)
