"""What names and passwords may be."""

from __future__ import annotations

import re
import unicodedata

from .errors import InvalidEmail, InvalidUsername, WeakPassword

NAME_MIN_BYTES = 3
NAME_MAX = 64
PASSWORD_MIN = 6
SETUP_PASSWORD_MIN = 8
# Drawn as nothing, although Unicode has them among the letters and marks.
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def clean_username(text: str) -> str:
    """The name without surrounding blanks; raises ``InvalidUsername``.

    The lower limit is three bytes, as in the reference implementation: two Chinese characters are a full name.
    Control and format characters could make two names look alike, and a slash cannot stand in ``/users/{username}``.
    """
    name = text.strip()
    if not name.isprintable() or "/" in name or UNSEEN.search(name):
        raise InvalidUsername("must not hold slashes, control or invisible characters")
    if len(name.encode()) < NAME_MIN_BYTES:
        raise InvalidUsername("must have at least 3 characters")
    if len(name) > NAME_MAX:
        raise InvalidUsername(f"must have at most {NAME_MAX} characters")
    return name


def name_key(username: str) -> str:
    """What is unique of a name: case, blanks, and the ways to write one character do not matter."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def check_password(password: str) -> None:
    """The rule for every password; raises ``WeakPassword``. There is no upper limit but that of the body."""
    if len(password) < PASSWORD_MIN:
        raise WeakPassword(f"must have at least {PASSWORD_MIN} characters")


def check_setup_password(password: str) -> None:
    """The rule for the administrator that the setup wizard makes; raises ``WeakPassword``."""
    if len(password) < SETUP_PASSWORD_MIN:
        raise WeakPassword(f"must have at least {SETUP_PASSWORD_MIN} characters")
    if not any(map(str.isalpha, password)) or not any(map(str.isdigit, password)):
        raise WeakPassword("must hold a letter and a digit")


def check_email(email: str) -> None:
    """Raises ``InvalidEmail`` for what cannot be an address; a blank one counts as none."""
    if email.strip() and not EMAIL.fullmatch(email.strip()):
        raise InvalidEmail
