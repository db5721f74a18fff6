"""Errors of messages and channels."""

from __future__ import annotations

from neomind_sdk import BadRequest, Conflict, NotFound

from .severities import KNOWN


class MessageNotFound(NotFound):
    """404 ``MESSAGE_NOT_FOUND``."""

    def __init__(self, message_id: str) -> None:
        super().__init__("MESSAGE", message_id)


class ChannelNotFound(NotFound):
    """404 ``CHANNEL_NOT_FOUND``."""

    def __init__(self, name: str) -> None:
        super().__init__("CHANNEL", name, by="name")


class ChannelTypeNotFound(NotFound):
    """404 ``CHANNEL_TYPE_NOT_FOUND``."""

    def __init__(self, name: str) -> None:
        super().__init__("CHANNEL_TYPE", name, by="name")


class RecipientNotFound(NotFound):
    """404 ``RECIPIENT_NOT_FOUND``."""

    def __init__(self, email: str) -> None:
        super().__init__("RECIPIENT", email, by="address")


class BadId(BadRequest):
    """400: not the id of any message."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"'{message_id[:64]}' is not the id of a message: ids are UUIDs")


class BadSeverity(BadRequest):
    """400: no such severity."""

    def __init__(self, severity: str) -> None:
        super().__init__(f"'{severity[:64]}' is not a severity; known are {KNOWN}")


class ChannelUnavailable(Conflict):
    """409: the channel cannot send at the moment; the message says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"Channel '{name}' is not available: {reason}")
