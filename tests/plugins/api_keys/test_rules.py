"""What keys may be permitted, for how long, and by whom."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.api_keys import rules
from neomind_plugins.api_keys.errors import GrantRefused
from neomind_plugins.api_keys.models import Draft, KeyCreateBody
from neomind_sdk import ROLE_SCOPES, Principal, ValidationFailed
from neomind_sdk.units import DAY_MS

NOW_MS = 1_700_000_000_250


def read(**more: Any) -> Draft:
    return rules.read(KeyCreateBody(**{"name": "robot", **more}), {"greetings"}, NOW_MS)


def field_of(**more: Any) -> str:
    with pytest.raises(ValidationFailed) as caught:
        read(**more)
    (problem,) = caught.value.details
    return problem["field"]


def test_without_permissions_a_key_may_everything_for_ever() -> None:
    assert read() == Draft(name="robot", permissions=("*",), expires_ms=None)
    assert read(permissions=None, scopes=None, expires_at=None) == read()


@pytest.mark.parametrize("field", ["permissions", "scopes"])
def test_permissions_have_two_names(field: str) -> None:
    wanted = ["devices:read", "data_push:write", "greetings:read", "admin", "read", "write", "*", "devices:read"]
    assert read(**{field: wanted}).permissions == tuple(wanted[:-1])


@pytest.mark.parametrize(
    "permission",
    [
        "",
        "devices",
        "devices:",
        ":read",
        "devices:delete",
        "*:read",
        "device:read",
        "Devices:read",
        " read",
        "a:b:read",
    ],
)
@pytest.mark.parametrize("field", ["permissions", "scopes"])
def test_unknown_permissions_are_refused_by_their_place(field: str, permission: str) -> None:
    assert field_of(**{field: ["devices:read", permission]}) == f"{field}[1]"


def test_a_key_for_nothing_or_too_much_is_refused() -> None:
    assert field_of(permissions=[]) == "permissions"
    assert field_of(scopes=["read"] * 101) == "scopes"
    assert field_of(permissions=["read"], scopes=["read"]) == "scopes"


def test_names_are_trimmed_and_visible() -> None:
    assert read(name="  Ofen Küche 厨房 ").name == "Ofen Küche 厨房"
    assert field_of(name="a\nb") == "name"
    assert field_of(name="a\u202eb") == "name"


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", "a\ud800b"])
def test_names_that_the_body_refuses(name: str) -> None:
    with pytest.raises(ValueError):
        KeyCreateBody(name=name)


def test_expiry_is_a_whole_second() -> None:
    assert read(expires_at=1_700_000_001).expires_ms == 1_700_000_001_000
    assert read(expires_at=1_700_000_000.5).expires_ms == 1_700_000_001_000
    assert read(expires_at=1_800_000_000_000).expires_ms == 1_800_000_000_000  # milliseconds
    assert read(expires_in_days=1).expires_ms == 1_700_000_001_000 + DAY_MS
    assert read(expires_in_days=0.5).expires_ms == 1_700_000_001_000 + DAY_MS // 2


@pytest.mark.parametrize("at", [0, 1_699_999_999, NOW_MS / 1000, 1e15, 1e300])
def test_expiry_must_be_in_the_future(at: float) -> None:
    assert field_of(expires_at=at) == "expires_at"


def test_days_must_be_some() -> None:
    assert field_of(expires_in_days=0) == "expires_in_days"
    assert field_of(expires_in_days=float("nan")) == "expires_in_days"
    assert field_of(expires_in_days=1, expires_at=1_800_000_000) == "expires_in_days"


@pytest.mark.parametrize(
    ("scopes", "granted", "refused"),
    [
        ({"*"}, ["*", "admin", "read", "write", "devices:read", "settings:write"], []),
        ({"admin"}, ["admin", "read", "write", "devices:read", "settings:write"], ["*"]),
        (ROLE_SCOPES["user"], ["read", "write", "devices:write"], ["*", "admin", "settings:write"]),
        (ROLE_SCOPES["viewer"], ["read", "devices:read"], ["*", "admin", "write", "devices:write"]),
        ({"devices:write"}, ["devices:write"], ["devices:read", "read", "write", "rules:write"]),
    ],
)
def test_nobody_gives_away_what_they_do_not_have(scopes: Any, granted: list[str], refused: list[str]) -> None:
    creator = Principal(kind="api_key", id="apikey:1", name="k", scopes=frozenset(scopes))
    rules.check_grant(creator, granted)
    for permission in refused:
        with pytest.raises(GrantRefused, match=permission.replace("*", r"\*")):
            rules.check_grant(creator, [*granted, permission])
