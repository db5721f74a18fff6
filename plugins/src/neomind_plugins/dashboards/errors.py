"""Errors of dashboards and their share links."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import ApiError, BadRequest, Forbidden

Problems = Sequence[tuple[str, str]]


class InvalidComponents(BadRequest):
    """400: says of each component at fault what is wrong with it."""

    def __init__(self, problems: Problems) -> None:
        text = "; ".join(
            f"{path.removeprefix('components').replace('[', 'component[', 1)}: {p}" for path, p in problems
        )
        super().__init__(f"Invalid component data: {text}")


class TooLarge(ApiError):
    """413: the components of one dashboard are too much to keep."""

    def __init__(self, limit: int) -> None:
        super().__init__("PAYLOAD_TOO_LARGE", f"The components of the dashboard are larger than {limit} bytes of JSON")


class ShareNotFound(ApiError):
    """404, in the same words for a link that never was and one that was revoked; the token is not repeated."""

    def __init__(self) -> None:
        super().__init__("SHARE_NOT_FOUND", "There is no such share link")


class ShareExpired(ApiError):
    """410: the link was one, and its time is over."""

    def __init__(self) -> None:
        super().__init__("GONE", "The share link has expired")


class NotShown(Forbidden):
    """403, whether the thing exists or not: the dashboard does not show it."""

    def __init__(self, what: str = "this") -> None:
        super().__init__(f"The shared dashboard does not show {what}", code="FORBIDDEN")


class ReadOnlyLink(Forbidden):
    """403: commands need a link that allows interaction."""

    def __init__(self) -> None:
        super().__init__("The share link only allows to look", code="FORBIDDEN")


class FixedParameter(Forbidden):
    """403: the dashboard says what a parameter is."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The dashboard fixes the parameter '{name}'", code="FORBIDDEN")
