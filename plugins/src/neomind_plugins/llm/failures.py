"""Whatever a backend raises, as the one error that callers know, without secrets."""

from __future__ import annotations

from collections.abc import Iterable

from neomind_sdk import EgressBlocked, EgressFailed, LLMError
from neomind_sdk.foreign import ForeignError
from neomind_sdk.masks import scrubbed
from neomind_sdk.public import public
from neomind_sdk.waiting import TooSlow

KINDS = ("connect", "timeout", "auth", "rate_limited", "refused", "malformed")
TEXT_MAX = 500


def failure(error: BaseException, secrets: Iterable[str]) -> LLMError:
    """The error to raise, ``from None``: what it comes from may hold what nobody may see."""
    cause = error.error if isinstance(error, ForeignError) else error
    if isinstance(cause, LLMError):
        kind = cause.kind if cause.kind in KINDS else "malformed"
        return LLMError(kind, said(_text(cause) or kind, secrets), retry_after=_seconds(cause.retry_after))
    if isinstance(cause, TooSlow):
        return LLMError("timeout", said(_text(cause), secrets))
    if isinstance(cause, EgressFailed | EgressBlocked):
        return LLMError("connect", said(_text(cause), secrets))
    return LLMError("malformed", said(f"the backend failed with {type(cause).__name__}: {_text(cause)}", secrets))


def said(text: str, secrets: Iterable[str]) -> str:
    """One line without secrets and without the paths of this machine."""
    return " ".join(public(scrubbed(text, secrets)).split())[:TEXT_MAX]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # exceptions may be of somebody else's making
        return ""


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None
