"""Errors that travel to the REST client inside the failure envelope."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

ERROR_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "BAD_REQUEST": 400,
        "INVALID_DEVICE_CONFIG": 400,
        "INVALID_USERNAME": 400,
        "INVALID_EMAIL": 400,
        "WEAK_PASSWORD": 400,
        "SETUP_INCOMPLETE": 400,
        "UNAUTHORIZED": 401,
        "INVALID_TOKEN": 401,
        "INVALID_API_KEY": 401,
        "API_KEY_EXPIRED": 401,
        "FORBIDDEN": 403,
        "INSUFFICIENT_PERMISSIONS": 403,
        "SETUP_ALREADY_COMPLETED": 403,
        "NOT_FOUND": 404,
        "METHOD_NOT_ALLOWED": 405,
        "REQUEST_TIMEOUT": 408,
        "CONFLICT": 409,
        "GONE": 410,
        "PAYLOAD_TOO_LARGE": 413,
        "UNSUPPORTED_MEDIA_TYPE": 415,
        "VALIDATION_ERROR": 422,
        "EGRESS_BLOCKED": 422,
        "RATE_LIMITED": 429,
        "INTERNAL_ERROR": 500,
        "AGENT_EXECUTION_FAILED": 500,
        "EXTENSION_FAILED": 502,
        "SERVICE_UNAVAILABLE": 503,
        "EXTENSION_TIMEOUT": 504,
        "AGENT_EXECUTION_TIMEOUT": 504,
        "STORAGE_FULL": 507,
    }
)


def status_of(code: str) -> int:
    """The HTTP status of an error code; every ``<NOUN>_NOT_FOUND`` is 404, an unknown code is 400."""
    if code.endswith("_NOT_FOUND"):
        return 404
    return ERROR_STATUS.get(code, 400)


class ApiError(Exception):
    """An answer that is an error: becomes ``{"success": false, "error": {code, message, hint?, details?}}``.

    ``code`` is one of ``ERROR_STATUS`` or ``<NOUN>_NOT_FOUND``; ``headers`` go out with the response.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        hint: str | None = None,
        details: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or status_of(code)
        self.hint = hint
        self.details = details
        self.headers = dict(headers or {})


class NotFound(ApiError):
    """404 ``<NOUN>_NOT_FOUND``: ``NotFound("DEVICE", "xxx")`` says ``Device with id 'xxx' not found``."""

    def __init__(self, noun: str, ident: str, *, by: str = "id") -> None:
        words = noun.replace("_", " ").capitalize()
        super().__init__(f"{noun}_NOT_FOUND", f"{words} with {by} '{ident}' not found")


class BadRequest(ApiError):
    """400 for input that is understood but makes no sense."""

    def __init__(self, message: str, *, code: str = "BAD_REQUEST", hint: str | None = None) -> None:
        super().__init__(code, message, hint=hint)


class ValidationFailed(ApiError):
    """422 ``VALIDATION_ERROR`` that names the path of each field at fault: ``("port", "must be at most 65535")``."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        details = [{"field": path, "message": text} for path, text in problems]
        super().__init__("VALIDATION_ERROR", "; ".join(f"{path}: {text}" for path, text in problems), details=details)


class Conflict(ApiError):
    """409: the thing exists already, or is in use."""

    def __init__(self, message: str) -> None:
        super().__init__("CONFLICT", message)


class Unauthorized(ApiError):
    """401: no credential, or one that does not hold."""

    def __init__(self, message: str = "Authentication required", *, code: str = "UNAUTHORIZED") -> None:
        super().__init__(code, message, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ApiError):
    """403: the caller is known and may not do this."""

    def __init__(self, message: str, *, code: str = "INSUFFICIENT_PERMISSIONS") -> None:
        super().__init__(code, message)


class Unavailable(ApiError):
    """503 with ``Retry-After`` (seconds): nothing is wrong with the request, try again."""

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__("SERVICE_UNAVAILABLE", message, headers={"Retry-After": str(retry_after)})
        self.retry_after = retry_after


class StorageBusy(Unavailable):
    """503: the writer's queue is full; nothing of this request was stored."""


class StorageFull(ApiError):
    """507: the disk took no more; nothing of this request was stored and no acknowledgement was given."""

    def __init__(self, message: str = "The disk is full; nothing was stored") -> None:
        super().__init__("STORAGE_FULL", message)


class StorageFailed(Unavailable):
    """503: the disk reported an error; nothing of this request counts as stored."""
