"""Users: who gets an account, who comes in, what changes and what a restart finds."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from neomind_plugins.accounts.errors import (
    AccountDisabled,
    InvalidEmail,
    InvalidUsername,
    LastAdmin,
    NameTaken,
    OwnAccount,
    RegistrationClosed,
    SetupAlreadyCompleted,
    SetupIncomplete,
    WeakPassword,
    WrongCredentials,
    WrongOldPassword,
)
from neomind_plugins.accounts.models import UserChangeBody
from neomind_plugins.accounts.tables import update_user
from neomind_sdk import ROLE_SCOPES, NotFound, Principal, Rejection, SessionEnded, StorageFailed

USERS, SESSIONS, MARKER = 0, 1, 2


async def test_the_first_is_admin_and_everybody_later_viewer(world: Any) -> None:
    roles = [(await world.register(name)).user.role for name in ("ada", "bob", "eve")]
    assert roles == ["admin", "viewer", "viewer"]
    assert [user.username for user in world.accounts.users()] == ["ada", "bob", "eve"]


async def test_a_token_is_its_bearer(world: Any) -> None:
    entry = await world.register(" ada ")
    found = world.accounts.identify(entry.token)
    [session] = await world.rows(SESSIONS)
    assert found == Principal(
        kind="user",
        id=entry.user.id,
        name="ada",
        role="admin",
        scopes=ROLE_SCOPES["admin"],
        session=session["jti"],
    )


async def test_the_role_is_read_from_the_store(world: Any) -> None:
    await world.register("ada")
    token = (await world.register("bob")).token
    for role in ("user", "admin", "viewer"):
        await world.accounts.change("bob", UserChangeBody(role=role))
        found = world.accounts.identify(token)
        assert (found.role, found.scopes) == (role, ROLE_SCOPES[role])


async def test_passwords_stand_nowhere(world: Any) -> None:
    entry = await world.register("ada", "correct horse")
    [row] = await world.rows(USERS)
    assert row["password_hash"].startswith("$argon2id$")
    assert "correct horse" not in str(row)
    assert row["password_hash"] not in repr(entry)
    assert entry.token not in repr(entry)


@pytest.mark.parametrize(("name", "password"), [("Ada", "lovelace"), ("ＡＤＡ", "lovelace"), (" ada", "lovelace")])
async def test_logging_in_whatever_the_spelling(world: Any, name: str, password: str) -> None:
    await world.register("ada", "lovelace")
    entry = await world.accounts.login(name, password)
    assert world.knows(entry.token)
    with pytest.raises(NameTaken):
        await world.register(name)


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "Lovelace"), ("ada", ""), ("ada", "lovelace "), ("bob", "lovelace"), ("", "")]
)
async def test_what_was_wrong_is_not_said(world: Any, name: str, password: str) -> None:
    await world.register("ada", "lovelace")
    with pytest.raises(WrongCredentials, match=r"^Wrong username or password$"):
        await world.accounts.login(name, password)
    assert len(await world.rows(SESSIONS)) == 1


async def test_disabled_users_are_told_when_they_know_the_password(world: Any) -> None:
    await world.register("ada")
    await world.register("bob")
    await world.accounts.change("bob", UserChangeBody(disabled=True))
    with pytest.raises(AccountDisabled):
        await world.accounts.login("bob", "lovelace")
    with pytest.raises(WrongCredentials):
        await world.accounts.login("bob", "guessed")
    await world.accounts.change("bob", UserChangeBody(disabled=False))
    assert world.knows((await world.accounts.login("bob", "lovelace")).token)


# ---- ending sessions ----


async def test_logout_ends_one_session(world: Any) -> None:
    first, second = await world.register(), await world.accounts.login("ada", "lovelace")
    session = world.accounts.identify(first.token).session
    await world.accounts.logout(session)
    await world.accounts.logout(session)
    assert world.accounts.identify(first.token) == Rejection("INVALID_TOKEN", "Session has been revoked")
    assert world.knows(second.token)
    assert world.bus.events == [SessionEnded(principal_id=first.user.id, session=session, reason="logout")]
    await world.restart()
    assert not world.knows(first.token)
    assert world.knows(second.token)


async def change_password(world: Any, user_id: str) -> None:
    await world.accounts.change_password(user_id, "lovelace", "byron1815")


async def set_password(world: Any, user_id: str) -> None:
    await world.accounts.set_password("bob", "byron1815")


async def disable(world: Any, user_id: str) -> None:
    await world.accounts.change("bob", UserChangeBody(disabled=True))


async def delete(world: Any, user_id: str) -> None:
    await world.accounts.delete("bob")


@pytest.mark.parametrize("deed", [change_password, set_password, disable, delete])
async def test_all_sessions_of_the_user_end_at_once(world: Any, deed: Any) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    again = await world.accounts.login("bob", "lovelace")
    assert all(map(world.knows, (ada.token, bob.token, again.token)))
    await deed(world, bob.user.id)
    assert [world.knows(entry.token) for entry in (ada, bob, again)] == [True, False, False]
    [event] = world.bus.events
    assert (event.principal_id, event.session) == (bob.user.id, None)
    assert event.reason
    assert {row["user_id"] for row in await world.rows(SESSIONS)} == {ada.user.id}
    await world.restart()
    assert [world.knows(entry.token) for entry in (ada, bob, again)] == [True, False, False]


async def test_changing_the_password(world: Any) -> None:
    user = (await world.register("ada", "lovelace")).user
    with pytest.raises(WrongOldPassword):
        await world.accounts.change_password(user.id, "guessed", "byron1815")
    with pytest.raises(WeakPassword):
        await world.accounts.change_password(user.id, "lovelace", "short")
    with pytest.raises(NotFound):
        await world.accounts.change_password("apikey:1", "lovelace", "byron1815")
    assert world.bus.events == []
    await world.accounts.change_password(user.id, "lovelace", "byron1815")
    with pytest.raises(WrongCredentials):
        await world.accounts.login("ada", "lovelace")
    assert world.knows((await world.accounts.login("ada", "byron1815")).token)


async def test_a_new_role_ends_streams_but_no_login(world: Any) -> None:
    await world.register("ada")
    bob = await world.register("bob")
    await world.accounts.change("bob", UserChangeBody(role="user"))
    assert world.knows(bob.token)
    assert world.bus.events == [SessionEnded(principal_id=bob.user.id, reason="role changed")]
    await world.accounts.change("bob", UserChangeBody(role="user"))
    await world.accounts.change("bob", UserChangeBody())
    await world.accounts.change("bob", UserChangeBody(disabled=False))
    assert len(world.bus.events) == 1


async def test_names_of_the_deleted_are_free_and_their_tokens_are_not_revived(world: Any) -> None:
    await world.register("ada")
    old = await world.register("bob")
    await world.accounts.delete("BOB")
    with pytest.raises(NotFound, match="User with name 'bob' not found"):
        await world.accounts.delete("bob")
    new = await world.register("bob")
    assert new.user.id != old.user.id
    assert not world.knows(old.token)


# ---- administrators ----


async def test_the_last_administrator_stays(world: Any) -> None:
    await world.register("ada")
    await world.register("bob")
    for change in (UserChangeBody(disabled=True), UserChangeBody(role="user"), UserChangeBody(role="viewer")):
        with pytest.raises(LastAdmin):
            await world.accounts.change("ada", change)
    with pytest.raises(LastAdmin):
        await world.accounts.delete("ada")
    await world.accounts.change("bob", UserChangeBody(role="admin"))
    await world.accounts.change("ada", UserChangeBody(disabled=True))
    with pytest.raises(LastAdmin):
        await world.accounts.change("bob", UserChangeBody(role="user"))
    assert world.accounts.has_admin()


async def test_oneself_cannot_be_deleted_or_disabled(world: Any) -> None:
    ada = (await world.register("ada")).user
    await world.accounts.add("eve", "mallory", "admin")
    with pytest.raises(OwnAccount):
        await world.accounts.delete("Ada", actor=ada.id)
    with pytest.raises(OwnAccount):
        await world.accounts.change("ADA", UserChangeBody(disabled=True), actor=ada.id)
    await world.accounts.change("ada", UserChangeBody(role="viewer"), actor=ada.id)
    assert [user.role for user in world.accounts.users()] == ["viewer", "admin"]


async def test_added_users_are_not_logged_in(world: Any) -> None:
    user = await world.accounts.add("bob", "lovelace", "user")
    assert (user.role, await world.rows(SESSIONS)) == ("user", [])
    with pytest.raises(NameTaken):
        await world.accounts.add("BOB", "lovelace", "user")
    with pytest.raises(WeakPassword):
        await world.accounts.add("eve", "short", "user")
    with pytest.raises(InvalidUsername):
        await world.accounts.add("ev", "lovelace", "user")


# ---- setting up ----


async def test_the_wizard_makes_one_administrator_once(world: Any) -> None:
    with pytest.raises(SetupIncomplete):
        world.accounts.require_set_up()
    entry = await world.accounts.initialize("ada", "lovelace1", "ada@example.org")
    assert (entry.user.role, world.knows(entry.token)) == ("admin", True)
    world.accounts.require_set_up()
    with pytest.raises(SetupAlreadyCompleted):
        await world.accounts.initialize("eve", "mallory12", None)
    assert (await world.register("bob")).user.role == "viewer"


@pytest.mark.parametrize(
    ("name", "password", "email", "error"),
    [
        ("ad", "lovelace1", None, InvalidUsername),
        ("ada", "lovela1", None, WeakPassword),
        ("ada", "lovelace", None, WeakPassword),
        ("ada", "18151210", None, WeakPassword),
        ("ada", "lovelace1", "nowhere", InvalidEmail),
    ],
)
async def test_a_wizard_that_was_refused_can_go_on(
    world: Any, name: Any, password: Any, email: Any, error: Any
) -> None:
    with pytest.raises(error):
        await world.accounts.initialize(name, password, email)
    assert not world.accounts.set_up
    await world.accounts.initialize("ada", "lovelace1", "")


async def test_closed_registration_leaves_the_wizard(world: Any) -> None:
    world.registration = "closed"
    with pytest.raises(RegistrationClosed):
        await world.register()
    await world.accounts.initialize("ada", "lovelace1", None)
    with pytest.raises(RegistrationClosed):
        await world.register("bob")
    world.registration = "open"
    assert (await world.register("bob")).user.role == "viewer"


@pytest.mark.parametrize("running", [True, False])
async def test_an_emptied_table_does_not_reopen_the_setup(world: Any, running: bool) -> None:
    await world.register("ada")
    await world.empty(USERS)
    if not running:
        await world.restart()
        assert world.accounts.users() == []
    assert world.accounts.set_up
    with pytest.raises(SetupAlreadyCompleted):
        await world.accounts.initialize("eve", "mallory12", None)
    assert (await world.register("eve")).user.role == "viewer"


async def test_users_without_the_marker_count_as_set_up(world: Any) -> None:
    """As after a restore of the one table without the other. Negative control: without both, it is fresh."""
    await world.register("ada")
    await world.empty(MARKER)
    assert (await world.restart()).set_up
    await world.empty(USERS)
    assert not (await world.restart()).set_up


# ---- restarts and failures ----


async def test_restarts_keep_users_sessions_and_marker(world: Any) -> None:
    entries = [await world.register(name) for name in ("ada", "bob")]
    await world.accounts.change("bob", UserChangeBody(role="user"))
    before = world.accounts.users()
    await world.restart()
    assert world.accounts.users() == before
    assert world.accounts.set_up
    assert all(world.knows(entry.token) for entry in entries)
    assert world.knows((await world.accounts.login("bob", "lovelace")).token)


async def test_another_key_after_a_restart_ends_every_token(world: Any) -> None:
    entry = await world.register("ada")
    world.secret = world.secret[::-1]
    await world.restart()
    assert world.accounts.identify(entry.token) == Rejection("INVALID_TOKEN", "Invalid token signature")
    assert world.knows((await world.accounts.login("ada", "lovelace")).token)


async def test_sessions_of_who_is_disabled_or_gone_in_the_database_are_not_revived(world: Any) -> None:
    entry = await world.register("ada")
    disabled = attrs.asdict(attrs.evolve(entry.user, disabled=True))
    await world.storage.database.write(lambda: update_user(disabled))
    await world.restart()
    assert not world.knows(entry.token)
    await world.empty(USERS)
    await world.restart()
    assert not world.knows(entry.token)


async def test_what_is_not_written_did_not_happen(world: Any) -> None:
    entry, other = await world.register("ada"), await world.register("bob")
    before = world.accounts.users()
    world.database.error = StorageFailed("the disk is gone")
    for deed in (
        world.register("kim"),
        world.accounts.login("ada", "lovelace"),
        world.accounts.add("eve", "mallory", "admin"),
        world.accounts.change("bob", UserChangeBody(role="admin")),
        world.accounts.change("bob", UserChangeBody(disabled=True)),
        world.accounts.delete("bob"),
        world.accounts.change_password(entry.user.id, "lovelace", "byron1815"),
        world.accounts.logout(world.accounts.identify(entry.token).session),
    ):
        with pytest.raises(StorageFailed):
            await deed
    assert world.accounts.users() == before
    assert world.knows(entry.token)
    assert world.knows(other.token)
    assert world.bus.events == []


async def test_a_first_user_who_cannot_be_stored_leaves_the_setup_open(world: Any) -> None:
    world.database.error = StorageFailed("the disk is gone")
    with pytest.raises(StorageFailed):
        await world.accounts.initialize("ada", "lovelace1", None)
    assert not world.accounts.set_up
    world.database.error = None
    assert (await world.register("ada")).user.role == "admin"


async def test_a_user_and_the_first_session_are_stored_together(world: Any, monkeypatch: Any) -> None:
    def fail(session: Any) -> None:
        raise StorageFailed("the disk is gone")

    await world.register("ada")
    monkeypatch.setattr("neomind_plugins.accounts.tables.insert_session", fail)
    with pytest.raises(StorageFailed):
        await world.register("bob")
    monkeypatch.undo()
    assert len(await world.rows(USERS)) == 1
    await world.register("bob")
