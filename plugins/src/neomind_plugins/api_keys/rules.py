"""What keys may be called, what they may be permitted, and by whom.

A permission is ``*``, ``admin``, ``read``, ``write``, or ``<area>:read|write``. Areas are those of ``AREAS`` and those
in the scopes of the routes that are served, so extensions bring theirs along, and a misspelt one is found out. Commands
serve no routes, so ``neomind key`` knows ``AREAS`` only.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from neomind_sdk import ADMIN, EVERYTHING, Principal, ValidationFailed
from neomind_sdk.units import DAY_MS, SECOND_MS, milliseconds

from .errors import GrantRefused
from .models import Draft, KeyCreateBody

GENERAL = (EVERYTHING, ADMIN, "read", "write")
VERBS = ("read", "write")
# Known whether or not their plugins are there, so that a key can be made before they are installed.
AREAS = frozenset(
    {
        "agents",
        "dashboards",
        "data_push",
        "devices",
        "events",
        "extensions",
        "llm",
        "messages",
        "rules",
        "settings",
    }
)
PERMISSIONS_MAX = 100


def read(body: KeyCreateBody, areas: Set[str], now_ms: int) -> Draft:
    """The key that a body asks for; raises ``ValidationFailed`` naming the field.

    ``areas`` are those that a permission may name besides ``AREAS``.
    """
    return Draft(
        name=clean_name(body.name),
        permissions=_permissions(body, AREAS | areas),
        expires_ms=_expiry(body.expires_at, body.expires_in_days, now_ms),
    )


def clean_name(text: str) -> str:
    """The name without surrounding blanks. What cannot be seen would make a mess of lists and logs."""
    name = text.strip()
    if not name.isprintable():
        raise ValidationFailed(("name", "must not hold control or invisible characters"))
    return name


def _permissions(body: KeyCreateBody, areas: Set[str]) -> tuple[str, ...]:
    if body.permissions is not None and body.scopes is not None:
        raise ValidationFailed(("scopes", "is the same as permissions; give one of them"))
    if body.scopes is not None:
        return _checked("scopes", body.scopes, areas)
    return _checked("permissions", [EVERYTHING] if body.permissions is None else body.permissions, areas)


def _checked(field: str, wanted: Sequence[str], areas: Set[str]) -> tuple[str, ...]:
    if not 1 <= len(wanted) <= PERMISSIONS_MAX:
        raise ValidationFailed((field, f"must have 1 to {PERMISSIONS_MAX} entries"))
    unknown = [number for number, permission in enumerate(wanted) if not _known(permission, areas)]
    if unknown:
        words = f"must be *, admin, read, write or <area>:read|write with an area of {', '.join(sorted(areas))}"
        raise ValidationFailed((f"{field}[{unknown[0]}]", words))
    return tuple(dict.fromkeys(wanted))


def _known(permission: str, areas: Set[str]) -> bool:
    area, _, verb = permission.partition(":")
    return permission in GENERAL or (area in areas and verb in VERBS)


def _expiry(at: float | None, in_days: float | None, now_ms: int) -> int | None:
    """When the key expires, in milliseconds, a whole second; ``None`` = never."""
    if at is not None and in_days is not None:
        raise ValidationFailed(("expires_in_days", "give this or expires_at, not both"))
    if in_days is not None:
        if not in_days > 0:
            raise ValidationFailed(("expires_in_days", "must be more than 0"))
        return _whole_second(now_ms + round(in_days * DAY_MS))
    return None if at is None else _whole_second(_future(at, now_ms))


def _future(at: float, now_ms: int) -> int:
    try:
        at_ms = milliseconds(at)
    except ValueError as error:
        raise ValidationFailed(("expires_at", str(error))) from error
    if at_ms <= now_ms:
        raise ValidationFailed(("expires_at", "must be in the future"))
    return at_ms


def _whole_second(ts_ms: int) -> int:
    return -(-ts_ms // SECOND_MS) * SECOND_MS


def check_grant(creator: Principal, permissions: Sequence[str]) -> None:
    """Raises ``GrantRefused`` for what the creator is not permitted."""
    refused = [permission for permission in permissions if not _may_grant(creator, permission)]
    if refused:
        raise GrantRefused(refused)


def _may_grant(creator: Principal, permission: str) -> bool:
    if permission == EVERYTHING:  # which is no scope of a route: ``may`` does not know it
        return EVERYTHING in creator.scopes
    return creator.may(permission)
