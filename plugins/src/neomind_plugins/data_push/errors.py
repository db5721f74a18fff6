"""What can be wrong with targets."""

from __future__ import annotations

from neomind_sdk import BadRequest, Conflict, NotFound


class PushTargetNotFound(NotFound):
    """404 ``PUSH_TARGET_NOT_FOUND``."""

    def __init__(self, target_id: str) -> None:
        super().__init__("PUSH_TARGET", target_id[:100])


class SelfLoop(BadRequest):
    """400: what is pushed there would come in again, and be pushed again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The target would feed itself: {what}")


class BadTemplate(BadRequest):
    """400: the template cannot be used; the message names the line."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"template, line {line}: {problem}")


class Failed(Exception):
    """The template cannot be rendered with these values: one sentence that names the line."""


class TargetUnavailable(Conflict):
    """409: the target's type cannot be used at the moment; the message says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"Push target '{name}' is not available: {reason}")
