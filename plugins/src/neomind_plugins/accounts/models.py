"""Users, sessions, settings, and what comes in and goes out."""

from __future__ import annotations

import attrs

from neomind_sdk import ROLES, fields


@attrs.frozen(kw_only=True)
class User:
    """A person's account; ``name_key`` is what must be unique of the name."""

    id: str
    username: str
    name_key: str
    role: str
    created_ms: int
    password_hash: str = attrs.field(repr=False)
    disabled: bool = False


@attrs.frozen(kw_only=True)
class Session:
    """A login. ``jti`` stands in its token and is no secret: the token's signature is."""

    jti: str
    user_id: str
    issued_ms: int
    expires_ms: int


@attrs.frozen(kw_only=True)
class Entry:
    """Somebody came in: the account and the token of the new session."""

    user: User
    token: str = attrs.field(repr=False)


# ---- settings ----


@attrs.frozen(kw_only=True)
class AccountsSettings:
    """Who may get an account."""

    registration: str = fields.one_of(
        ("open", "closed"),
        default="open",
        doc="`closed`: /auth/register refuses everybody; the first administrator is then made by the setup wizard",
    )


@attrs.frozen(kw_only=True)
class AttemptLimits:
    """How often one address may try; higher where many people come through one proxy."""

    per_minute: int = fields.number(ge=1, le=10_000, default=10)


# ---- requests ----


@attrs.frozen(kw_only=True)
class LoginBody:
    username: str = fields.text()
    password: str = fields.secret()


@attrs.frozen(kw_only=True)
class InitializeBody:
    """``email`` is checked and not kept."""

    username: str = fields.text()
    password: str = fields.secret()
    email: str | None = fields.text(default=None)


@attrs.frozen(kw_only=True)
class PasswordChangeBody:
    old_password: str = fields.secret()
    new_password: str = fields.secret()


@attrs.frozen(kw_only=True)
class UserCreateBody:
    username: str = fields.text()
    password: str = fields.secret()
    role: str = fields.one_of(ROLES, default="user")


@attrs.frozen(kw_only=True)
class UserChangeBody:
    """What is absent stays as it is."""

    role: str | None = fields.one_of(ROLES, default=None)
    disabled: bool | None = None


# ---- answers ----


@attrs.frozen(kw_only=True)
class UserView:
    """``created_at`` in epoch seconds."""

    id: str
    username: str
    role: str
    created_at: int


@attrs.frozen(kw_only=True)
class UserItem(UserView):
    """A user as administrators see one."""

    disabled: bool


@attrs.frozen(kw_only=True)
class UsersAnswer:
    users: list[UserItem]


@attrs.frozen(kw_only=True)
class UserAnswer:
    user: UserItem


@attrs.frozen(kw_only=True)
class EntryAnswer:
    token: str
    user: UserView


@attrs.frozen(kw_only=True)
class StatusAnswer:
    """``user`` when it is a person who asks."""

    enabled: bool
    key_count: int
    has_default_key: bool
    authenticated: bool
    setup_required: bool
    user: UserView | None = None


@attrs.frozen(kw_only=True)
class Bearer:
    id: str
    username: str
    role: str


@attrs.frozen(kw_only=True)
class VerifyAnswer:
    """``method`` is ``jwt`` (then with ``user``) or ``api_key``."""

    authenticated: bool
    method: str
    user: Bearer | None = None


@attrs.frozen(kw_only=True)
class MeAnswer:
    """``created_at`` is that of the account; ``null`` for an API key, which has none."""

    id: str
    username: str
    role: str | None
    created_at: int | None


@attrs.frozen(kw_only=True)
class MessageAnswer:
    message: str


@attrs.frozen(kw_only=True)
class SetupStatusAnswer:
    setup_required: bool
    is_first_launch: bool
    setup_version: str = "1.0"


@attrs.frozen(kw_only=True)
class InitializeAnswer:
    message: str
    user: UserView
    token: str


@attrs.frozen(kw_only=True)
class CompleteAnswer:
    message: str
    redirect: str
