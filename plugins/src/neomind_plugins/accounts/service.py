"""Users and their logins: read from memory, changed through the database."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial

import attrs

from neomind_sdk import (
    ROLE_SCOPES,
    ApiError,
    Clock,
    Conflict,
    Database,
    EventBus,
    NotFound,
    Principal,
    Rejection,
    SessionEnded,
    Unavailable,
)
from neomind_sdk.turns import Turns

from . import tables
from .errors import (
    AccountDisabled,
    LastAdmin,
    NameTaken,
    OwnAccount,
    RegistrationClosed,
    SetupAlreadyCompleted,
    SetupIncomplete,
    TokenRefused,
    WrongCredentials,
    WrongOldPassword,
)
from .models import AccountsSettings, Entry, Session, User, UserChangeBody
from .passwords import Passwords
from .rules import check_email, check_password, check_setup_password, clean_username, name_key
from .sessions import Sessions
from .tokens import Tokens

TRIES = 3


class Accounts:
    """The users of the platform and who of them is logged in.

    Every request asks ``identify``, so users and sessions are held in memory. Changes run one after another: written
    first, then made in memory, then published.

    There is no limit of attempts per username on purpose: whoever knows a name could keep its owner out with it.
    Guessing is slowed by the limit per address and by the few passwords that are checked at a time.
    """

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        passwords: Passwords,
        settings: Callable[[], AccountsSettings],
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._passwords = passwords
        self._settings = settings
        self._turns = Turns()
        self._users: dict[str, User] = {}
        self._by_name: dict[str, User] = {}
        self._sessions: Sessions
        self.set_up = False

    async def load(self, secret: bytes) -> None:
        """Read everything; called once, at start. ``secret`` is the key of the tokens."""
        loaded = await self._database.read(tables.load)
        self.set_up = loaded.set_up
        for values in loaded.users:
            self._keep(User(**values))
        held = {user.id for user in self._users.values() if not user.disabled}
        sessions = [Session(**values) for values in loaded.sessions if values["user_id"] in held]
        self._sessions = Sessions(Tokens(secret), self._clock, sessions)

    async def close(self) -> None:
        """Finish the changes that were begun."""
        await self._turns.close()
        self._passwords.close()

    # ---- looking up ----

    def identify(self, token: str) -> Principal | Rejection:
        """Whose token this is; the role is the account's present one."""
        try:
            session = self._sessions.holder(token)
        except TokenRefused as refused:
            return Rejection("INVALID_TOKEN", str(refused))
        user = self._users[session.user_id]
        scopes = ROLE_SCOPES[user.role]
        return Principal(
            kind="user", id=user.id, name=user.username, role=user.role, scopes=scopes, session=session.jti
        )

    def find(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    def named(self, username: str) -> User:
        """The user of a name; raises ``NotFound``."""
        user = self._by_name.get(name_key(username))
        if user is None:
            raise NotFound("USER", username, by="name")
        return user

    def users(self) -> Sequence[User]:
        """All users, the oldest first."""
        return sorted(self._users.values(), key=lambda user: (user.created_ms, user.username))

    def has_admin(self) -> bool:
        """Whether somebody can log in as an administrator."""
        return any(map(_administrates, self._users.values()))

    def require_set_up(self) -> None:
        """Raises ``SetupIncomplete``."""
        if not self.set_up:
            raise SetupIncomplete

    # ---- coming in and going out ----

    async def login(self, username: str, password: str) -> Entry:
        """Raises ``WrongCredentials``, ``AccountDisabled``."""
        for _ in range(TRIES):
            user = await self._proved(username, password)
            entry = await self._turns.run(partial(self._enter, user))
            if entry is not None:
                await self._keep_up(user, password)
                return entry
        raise Unavailable("The account is being changed; try again")

    async def register(self, username: str, password: str) -> Entry:
        """A new account, ``admin`` when it is the first of all, else ``viewer``; and logged in.

        Raises ``RegistrationClosed``, ``InvalidUsername``, ``WeakPassword``, ``NameTaken``.
        """
        if self._settings().registration == "closed":
            raise RegistrationClosed
        check_password(password)
        draft = await self._draft(username, password, "viewer")
        return await self._turns.run(partial(self._register, draft))

    async def initialize(self, username: str, password: str, email: str | None) -> Entry:
        """The administrator of a platform that has no users; logged in.

        Raises ``SetupAlreadyCompleted``, ``InvalidUsername``, ``InvalidEmail``, ``WeakPassword``.
        """
        if self.set_up:
            raise SetupAlreadyCompleted
        check_email(email or "")
        check_setup_password(password)
        draft = await self._draft(username, password, "admin")
        return await self._turns.run(partial(self._initialize, draft))

    async def logout(self, jti: str) -> None:
        """End a session; one that is over already is no error."""
        await self._turns.run(partial(self._logout, jti))

    async def purge(self) -> None:
        """Forget the sessions whose time is over."""
        await self._turns.run(self._purge)

    # ---- changing ----

    async def add(self, username: str, password: str, role: str) -> User:
        """Raises ``InvalidUsername``, ``WeakPassword``, ``NameTaken``."""
        check_password(password)
        draft = await self._draft(username, password, role)
        return await self._turns.run(partial(self._add, draft))

    async def change_password(self, user_id: str, old: str, new: str) -> None:
        """Also end all sessions of the user. Raises ``WeakPassword``, ``WrongOldPassword``, ``NotFound``."""
        check_password(new)
        user = self._users.get(user_id)
        if user is None:
            raise NotFound("USER", user_id)
        if not await self._passwords.matches(old, user.password_hash):
            raise WrongOldPassword
        password_hash = await self._passwords.hash(new)
        await self._turns.run(partial(self._renew, user, password_hash))

    async def set_password(self, username: str, new: str) -> None:
        """As ``change_password``, by somebody who need not know the old one."""
        check_password(new)
        user, password_hash = self.named(username), await self._passwords.hash(new)
        await self._turns.run(partial(self._renew, user, password_hash))

    async def change(self, username: str, change: UserChangeBody, *, actor: str | None = None) -> User:
        """The user after the change; ``actor`` is the id of who asks. A disabled user is logged out everywhere.

        Raises ``NotFound``, ``OwnAccount``, ``LastAdmin``.
        """
        return await self._turns.run(partial(self._change, username, change, actor))

    async def delete(self, username: str, *, actor: str | None = None) -> None:
        """Raises ``NotFound``, ``OwnAccount``, ``LastAdmin``."""
        await self._turns.run(partial(self._delete, username, actor))

    # ---- in turn ----

    async def _enter(self, user: User) -> Entry | None:
        """``None`` when the account changed while the password was checked."""
        if self._users.get(user.id) != user:
            return None
        session = self._sessions.make(user)
        await self._database.write(partial(tables.insert_session, attrs.asdict(session)))
        return Entry(user=user, token=self._sessions.keep(session, user))

    async def _register(self, draft: User) -> Entry:
        entry = None if self.set_up else await self._enter_first(attrs.evolve(draft, role="admin"))
        if entry is not None:
            return entry
        self._require_free(draft)
        session = self._sessions.make(draft)
        await self._database.write(partial(tables.insert_user, attrs.asdict(draft), attrs.asdict(session)))
        self._keep(draft)
        return Entry(user=draft, token=self._sessions.keep(session, draft))

    async def _initialize(self, draft: User) -> Entry:
        entry = await self._enter_first(draft)
        if entry is None:
            raise SetupAlreadyCompleted
        return entry

    async def _enter_first(self, user: User) -> Entry | None:
        """``None`` when there is, or ever was, another user."""
        session = self._sessions.make(user)
        work = partial(tables.insert_first_user, attrs.asdict(user), attrs.asdict(session))
        inserted = await self._database.write(work)
        self.set_up = True
        if not inserted:
            return None
        self._keep(user)
        return Entry(user=user, token=self._sessions.keep(session, user))

    async def _add(self, user: User) -> User:
        self._require_free(user)
        await self._database.write(partial(tables.insert_user, attrs.asdict(user)))
        self.set_up = True
        self._keep(user)
        return user

    async def _replace(self, user: User) -> None:
        await self._database.write(partial(tables.update_user, attrs.asdict(user)))
        self._keep(user)

    async def _replace_ending_sessions(self, user: User, reason: str) -> None:
        await self._database.write(partial(tables.update_user_ending_sessions, attrs.asdict(user)))
        self._keep(user)
        self._end_sessions(user.id, reason)

    async def _rehash(self, user: User, password_hash: str) -> None:
        present = self._users.get(user.id)
        if present is not None and present.password_hash == user.password_hash:
            await self._replace(attrs.evolve(present, password_hash=password_hash))

    async def _renew(self, user: User, password_hash: str) -> None:
        present = self._users.get(user.id)
        if present is None:
            raise NotFound("USER", user.id)
        if present.password_hash != user.password_hash:
            raise Conflict("The password was changed at the same moment; try again")
        await self._replace_ending_sessions(attrs.evolve(present, password_hash=password_hash), "password changed")

    async def _change(self, username: str, change: UserChangeBody, actor: str | None) -> User:
        user = self.named(username)
        after = attrs.evolve(
            user,
            role=user.role if change.role is None else change.role,
            disabled=user.disabled if change.disabled is None else change.disabled,
        )
        if after.disabled and user.id == actor:
            raise OwnAccount("disable")
        self._spare_last_admin(user, after)
        if after.disabled:
            await self._replace_ending_sessions(after, "account disabled")
        elif after != user:
            await self._replace(after)
        if after.role != user.role and not after.disabled:
            # The login goes on; streams that were opened with the former role must not.
            self._bus.publish(SessionEnded(principal_id=user.id, reason="role changed"))
        return after

    async def _delete(self, username: str, actor: str | None) -> None:
        user = self.named(username)
        if user.id == actor:
            raise OwnAccount("delete")
        self._spare_last_admin(user, None)
        await self._database.write(partial(tables.delete_user, user.id))
        del self._users[user.id], self._by_name[user.name_key]
        self._end_sessions(user.id, "account deleted")

    async def _logout(self, jti: str) -> None:
        await self._database.write(partial(tables.delete_sessions, [jti]))
        session = self._sessions.end(jti)
        if session is not None:
            self._bus.publish(SessionEnded(principal_id=session.user_id, session=jti, reason="logout"))

    async def _purge(self) -> None:
        expired = self._sessions.expired()
        if not expired:
            return
        await self._database.write(partial(tables.delete_sessions, [session.jti for session in expired]))
        for session in expired:
            self._sessions.end(session.jti)
            self._bus.publish(SessionEnded(principal_id=session.user_id, session=session.jti, reason="expired"))

    # ---- help ----

    async def _proved(self, username: str, password: str) -> User:
        """The user of that name and password, who may log in; raises ``WrongCredentials``, ``AccountDisabled``."""
        user = self._by_name.get(name_key(username))
        right = await self._passwords.matches(password, user.password_hash if user else None)
        if user is None or not right:
            raise WrongCredentials
        if user.disabled:
            raise AccountDisabled
        return user

    async def _keep_up(self, user: User, password: str) -> None:
        """Hash the password again when hashes cost more, or less, by now; if that fails, at the next login."""
        if not self._passwords.outdated(user.password_hash):
            return
        try:
            password_hash = await self._passwords.hash(password)
            await self._turns.run(partial(self._rehash, user, password_hash))
        except ApiError:
            pass

    async def _draft(self, username: str, password: str, role: str) -> User:
        """A user to be; a name that is taken is refused before the work of hashing."""
        name, ident, now_ms = clean_username(username), str(uuid.uuid4()), self._clock.now_ms()
        user = User(id=ident, username=name, name_key=name_key(name), role=role, created_ms=now_ms, password_hash="")
        self._require_free(user)
        return attrs.evolve(user, password_hash=await self._passwords.hash(password))

    def _require_free(self, user: User) -> None:
        """Raises ``NameTaken``."""
        if user.name_key in self._by_name:
            raise NameTaken(user.username)

    def _spare_last_admin(self, user: User, after: User | None) -> None:
        """Raises ``LastAdmin`` when nobody but ``user`` administrates, and after the change ``user`` would not."""
        others = any(_administrates(other) for other in self._users.values() if other.id != user.id)
        if _administrates(user) and not others and not (after and _administrates(after)):
            raise LastAdmin(user.username)

    def _keep(self, user: User) -> None:
        self._users[user.id] = user
        self._by_name[user.name_key] = user

    def _end_sessions(self, user_id: str, reason: str) -> None:
        self._sessions.end_of(user_id)
        self._bus.publish(SessionEnded(principal_id=user_id, reason=reason))


def _administrates(user: User) -> bool:
    return user.role == "admin" and not user.disabled
