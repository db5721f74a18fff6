"""Tables of accounts and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from peewee import BigIntegerField, BooleanField, IntegerField, TextField

from neomind_sdk.tables import Model


class UserRow(Model):
    """A user; ``name_key`` is the name as it must be unique."""

    id = TextField(primary_key=True)
    username = TextField()
    name_key = TextField(unique=True)
    role = TextField()
    created_ms = BigIntegerField()
    password_hash = TextField()
    disabled = BooleanField(default=False)

    class Meta:
        table_name = "accounts_user"


class SessionRow(Model):
    """A login that lives."""

    jti = TextField(primary_key=True)
    user_id = TextField(index=True)
    issued_ms = BigIntegerField()
    expires_ms = BigIntegerField()

    class Meta:
        table_name = "accounts_session"


class SetupRow(Model):
    """One row, written with the first user and never deleted: an emptied table of users does not reopen the setup."""

    id = IntegerField(primary_key=True)

    class Meta:
        table_name = "accounts_setup"


MODELS = (UserRow, SessionRow, SetupRow)
Values = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Loaded:
    """Everything there is, at start, as dictionaries of columns."""

    set_up: bool
    users: Sequence[Values]
    sessions: Sequence[Values]


def load() -> Loaded:
    return Loaded(
        set_up=is_set_up(),
        users=_rows(UserRow),
        sessions=_rows(SessionRow),
    )


def _rows(model: type[Model]) -> Sequence[Values]:
    rows: Iterable[Any] = model.select().dicts()
    return list(rows)


def is_set_up() -> bool:
    """Whether there is, or ever was, a user."""
    return SetupRow.select().exists() or UserRow.select().exists()


def insert_user(user: Values, session: Values | None = None) -> None:
    """The user, and the login that came with it: both or none."""
    UserRow.insert(**user).execute()
    SetupRow.insert(id=1).on_conflict_ignore().execute()
    if session is not None:
        insert_session(session)


def insert_first_user(user: Values, session: Values) -> bool:
    """Whether the user was inserted; not when there is, or ever was, another. One transaction decides."""
    if is_set_up():
        return False
    insert_user(user, session)
    return True


def update_user(user: Values) -> None:
    UserRow.update(**user).where(UserRow.id == user["id"]).execute()


def update_user_ending_sessions(user: Values) -> None:
    update_user(user)
    SessionRow.delete().where(SessionRow.user_id == user["id"]).execute()


def delete_user(user_id: str) -> None:
    """The user and the sessions."""
    UserRow.delete().where(UserRow.id == user_id).execute()
    SessionRow.delete().where(SessionRow.user_id == user_id).execute()


def insert_session(session: Values) -> None:
    SessionRow.insert(**session).execute()


def delete_sessions(jtis: Sequence[str]) -> None:
    for jti in jtis:
        SessionRow.delete().where(SessionRow.jti == jti).execute()
