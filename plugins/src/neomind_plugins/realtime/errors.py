"""What a client is told when it cannot have a stream.

None of these texts may hold the words ``token``, ``Authentication`` or ``Unauthorized``: known clients throw their
login away when an error says one of them.
"""

from __future__ import annotations

from neomind_sdk import ApiError, Unavailable

RETRY_S = 10


class TooManyStreams(Unavailable):
    """503: the platform has as many streams as it may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"All {limit} event streams are taken; try again later", retry_after=RETRY_S)


class TooManyOfCaller(ApiError):
    """429: this caller has as many streams as one may have."""

    def __init__(self, limit: int) -> None:
        text = f"You have {limit} event streams open already; close one of them first"
        super().__init__("RATE_LIMITED", text, headers={"Retry-After": str(RETRY_S)})


class TooManyWaiting(Unavailable):
    """503: too many sockets are open whose client has not said yet who it is."""

    def __init__(self) -> None:
        super().__init__("Too many connections wait to log in; try again later", retry_after=RETRY_S)


class Stopping(Unavailable):
    """503: the platform is going down."""

    def __init__(self) -> None:
        super().__init__("The platform is stopping", retry_after=RETRY_S)
