"""Errors of accounts."""

from __future__ import annotations

from neomind_sdk import ApiError, BadRequest, Conflict, Forbidden, Unauthorized


class TokenRefused(Exception):
    """A token does not hold; the message is what its bearer is told."""


class WrongCredentials(Unauthorized):
    """401: which of the two was wrong is not said."""

    def __init__(self) -> None:
        super().__init__("Wrong username or password")


class WrongOldPassword(Unauthorized):
    """401: to change a password one must know it."""

    def __init__(self) -> None:
        super().__init__("The old password is wrong")


class AccountDisabled(Forbidden):
    """403: said only to who knows the password."""

    def __init__(self) -> None:
        super().__init__("This account is disabled", code="FORBIDDEN")


class RegistrationClosed(Forbidden):
    """403: ``accounts.registration`` is ``closed``."""

    def __init__(self) -> None:
        super().__init__("Registration is closed; ask an administrator for an account", code="FORBIDDEN")


class InvalidUsername(BadRequest):
    """400 ``INVALID_USERNAME``."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The username {problem}", code="INVALID_USERNAME")


class InvalidEmail(BadRequest):
    """400 ``INVALID_EMAIL``."""

    def __init__(self) -> None:
        super().__init__("The email address is not valid", code="INVALID_EMAIL")


class WeakPassword(BadRequest):
    """400 ``WEAK_PASSWORD``."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The password {problem}", code="WEAK_PASSWORD")


class NameTaken(Conflict):
    """409: usernames differ in more than case."""

    def __init__(self, username: str) -> None:
        super().__init__(f"A user named '{username}' exists already")


class LastAdmin(Conflict):
    """409: the change would leave nobody to administrate."""

    def __init__(self, username: str) -> None:
        super().__init__(f"'{username}' is the last administrator who can log in")


class OwnAccount(BadRequest):
    """400: what administrators may do to others only."""

    def __init__(self, deed: str) -> None:
        super().__init__(f"You cannot {deed} your own account")


class SetupAlreadyCompleted(ApiError):
    """403 ``SETUP_ALREADY_COMPLETED``."""

    def __init__(self) -> None:
        super().__init__("SETUP_ALREADY_COMPLETED", "The platform is set up already; log in instead")


class SetupIncomplete(BadRequest):
    """400 ``SETUP_INCOMPLETE``."""

    def __init__(self) -> None:
        super().__init__("There is no administrator yet", code="SETUP_INCOMPLETE")
