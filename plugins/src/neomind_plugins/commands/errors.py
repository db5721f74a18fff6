"""Errors of commands."""

from __future__ import annotations

from neomind_sdk import BadRequest, ValidationFailed


class BadParameter(ValidationFailed):
    """422 that names the parameter: ``params.duration_sec: must be at most 3600``."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__((f"params.{name}", problem))
        self.problem = problem


class CannotBeSent(BadRequest):
    """400: the command is known, and there is no way to send it; the message says why."""


class BadTemplate(CannotBeSent):
    """400: the payload template of the device type cannot be used, or lacks a value."""


class Unreachable(Exception):
    """The transport is not there, or has no connection: the command was not handed over and is tried again."""


class Refused(Exception):
    """The transport does not send to devices, and says so in words."""


class Unsure(Exception):
    """The transport did not answer in time: nobody knows whether the device gets the command."""


class Undeliverable(Exception):
    """The transport failed, or the device is gone: the command is not tried again."""
