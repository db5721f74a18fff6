"""Errors of extensions."""

from __future__ import annotations

from neomind_sdk import ApiError, PluginInfo, Status


class NotRunning(ApiError):
    """What only a running plugin can do: 503 while it starts, else 409; the message has its status and the reason.

    Not 503 for good: clients repeat that, and no repetition helps.
    """

    def __init__(self, info: PluginInfo) -> None:
        starting = info.status is Status.FOUND
        text = f"Extension '{info.name}' is not running: {info.status.value}: {info.reason}"
        super().__init__(
            "SERVICE_UNAVAILABLE" if starting else "CONFLICT",
            text,
            details={"extension_id": info.name, "status": info.status.value, "reason": info.reason},
            headers={"Retry-After": "2"} if starting else None,
        )


class CommandFailed(ApiError):
    """502 ``EXTENSION_FAILED``: the command raised, or answered what is not JSON."""

    def __init__(self, extension_id: str, command: str, problem: str) -> None:
        super().__init__("EXTENSION_FAILED", f"Command '{command}' of extension '{extension_id}' failed: {problem}")


class CommandTimeout(ApiError):
    """504 ``EXTENSION_TIMEOUT``."""

    def __init__(self, extension_id: str, command: str, limit_s: float) -> None:
        text = f"Command '{command}' of extension '{extension_id}' took over {limit_s:g} s"
        super().__init__("EXTENSION_TIMEOUT", text)
