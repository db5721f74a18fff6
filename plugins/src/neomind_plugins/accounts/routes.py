"""Routes of accounts: logging in and out, oneself, users, the setup wizard."""

from __future__ import annotations

from neomind_sdk import (
    ADMIN,
    AUTHENTICATED,
    PUBLIC,
    ApiKeyCounter,
    RateLimit,
    Reply,
    Request,
    Route,
)

from .models import (
    Bearer,
    CompleteAnswer,
    Entry,
    EntryAnswer,
    InitializeAnswer,
    InitializeBody,
    LoginBody,
    MeAnswer,
    MessageAnswer,
    PasswordChangeBody,
    SetupStatusAnswer,
    StatusAnswer,
    User,
    UserAnswer,
    UserChangeBody,
    UserCreateBody,
    UserItem,
    UsersAnswer,
    UserView,
    VerifyAnswer,
)
from .service import Accounts

# Bounds what is hashed: a password has no upper limit of its own.
MAX_BODY = 64 * 1024
HOLDERS = ("user", "api_key")
BUSY = "SERVICE_UNAVAILABLE"
STORING = (BUSY, "STORAGE_FULL")


# ---- logging in and out ----


async def login(request: Request) -> EntryAnswer:
    body = request.body
    return answer(await request.services[Accounts].login(body.username, body.password))


async def register(request: Request) -> EntryAnswer:
    body = request.body
    return answer(await request.services[Accounts].register(body.username, body.password))


async def logout(request: Request) -> MessageAnswer:
    session = request.principal.session
    if session is None:
        return MessageAnswer(message="There is no session to end")
    await request.services[Accounts].logout(session)
    return MessageAnswer(message="Logged out")


async def status(request: Request) -> StatusAnswer:
    accounts, keys = request.services[Accounts], request.services.find(ApiKeyCounter)
    user = accounts.find(request.principal.id)
    return StatusAnswer(
        enabled=True,
        key_count=keys.count() if keys else 0,
        has_default_key=keys.has_default() if keys else False,
        authenticated=request.principal.kind in HOLDERS,
        setup_required=not accounts.set_up,
        user=view(user) if user else None,
    )


async def verify(request: Request) -> VerifyAnswer:
    principal = request.principal
    if principal.kind == "api_key":
        return VerifyAnswer(authenticated=True, method="api_key")
    user = Bearer(id=principal.id, username=principal.name, role=principal.role or "")
    return VerifyAnswer(authenticated=True, method="jwt", user=user)


# ---- oneself ----


async def me(request: Request) -> MeAnswer:
    principal = request.principal
    user = request.services[Accounts].find(principal.id)
    created_at = user.created_ms // 1000 if user else None
    return MeAnswer(id=principal.id, username=principal.name, role=principal.role, created_at=created_at)


async def change_password(request: Request) -> MessageAnswer:
    body = request.body
    await request.services[Accounts].change_password(request.principal.id, body.old_password, body.new_password)
    return MessageAnswer(message="The password is changed; log in again")


# ---- users ----


async def list_users(request: Request) -> Reply:
    found = [item(user) for user in request.services[Accounts].users()]
    return Reply(data=UsersAnswer(users=found), meta={"count": len(found)})


async def create_user(request: Request) -> UserAnswer:
    body = request.body
    return UserAnswer(user=item(await request.services[Accounts].add(body.username, body.password, body.role)))


async def change_user(request: Request) -> UserAnswer:
    username, actor = request.params["username"], request.principal.id
    return UserAnswer(user=item(await request.services[Accounts].change(username, request.body, actor=actor)))


async def delete_user(request: Request) -> MessageAnswer:
    username, actor = request.params["username"], request.principal.id
    await request.services[Accounts].delete(username, actor=actor)
    return MessageAnswer(message=f"The user '{username}' is deleted")


# ---- the setup wizard ----


async def setup_status(request: Request) -> SetupStatusAnswer:
    required = not request.services[Accounts].set_up
    return SetupStatusAnswer(setup_required=required, is_first_launch=required)


async def initialize(request: Request) -> InitializeAnswer:
    body = request.body
    entry = await request.services[Accounts].initialize(body.username, body.password, body.email)
    return InitializeAnswer(message="The administrator is created", user=view(entry.user), token=entry.token)


async def complete(request: Request) -> CompleteAnswer:
    request.services[Accounts].require_set_up()
    return CompleteAnswer(message="The setup is complete", redirect="/dashboard")


# ---- shapes ----


def view(user: User) -> UserView:
    return UserView(id=user.id, username=user.username, role=user.role, created_at=user.created_ms // 1000)


def item(user: User) -> UserItem:
    created_at = user.created_ms // 1000
    return UserItem(id=user.id, username=user.username, role=user.role, created_at=created_at, disabled=user.disabled)


def answer(entry: Entry) -> EntryAnswer:
    return EntryAnswer(token=entry.token, user=view(entry.user))


def routes(attempts: int) -> list[Route]:
    """All routes; ``attempts`` is how often an address may try per minute."""
    limit = RateLimit(hits=attempts)
    return [*entry_routes(limit), *own_routes(attempts), *user_routes(), *setup_routes(limit)]


def entry_routes(limit: RateLimit) -> list[Route]:
    return [
        Route(
            method="POST",
            path="/auth/login",
            handler=login,
            scope=PUBLIC,
            summary="Log in",
            description="The token is valid for seven days; send it as `Authorization: Bearer <token>`.",
            body=LoginBody,
            body_required=True,
            max_body=MAX_BODY,
            limit=limit,
            response=EntryAnswer,
            errors=("UNAUTHORIZED", "FORBIDDEN", *STORING),
        ),
        Route(
            method="POST",
            path="/auth/register",
            handler=register,
            scope=PUBLIC,
            summary="Get an account",
            description="The first user becomes `admin`, everybody later `viewer`.",
            status=201,
            body=LoginBody,
            body_required=True,
            max_body=MAX_BODY,
            limit=limit,
            response=EntryAnswer,
            errors=("INVALID_USERNAME", "WEAK_PASSWORD", "FORBIDDEN", "CONFLICT", *STORING),
        ),
        Route(
            method="GET",
            path="/auth/status",
            handler=status,
            scope=PUBLIC,
            identify=True,
            summary="Whether one is logged in, and whether the platform is set up",
            response=StatusAnswer,
        ),
        Route(
            method="GET",
            path="/auth/verify",
            handler=verify,
            scope=AUTHENTICATED,
            callers=HOLDERS,
            summary="Check a token or an API key",
            response=VerifyAnswer,
        ),
    ]


def own_routes(attempts: int) -> list[Route]:
    return [
        Route(
            method="POST",
            path="/auth/logout",
            handler=logout,
            scope=AUTHENTICATED,
            callers=HOLDERS,
            summary="End the session of the token",
            response=MessageAnswer,
            errors=STORING,
        ),
        Route(
            method="GET",
            path="/auth/me",
            handler=me,
            scope=AUTHENTICATED,
            callers=HOLDERS,
            summary="Who the caller is",
            response=MeAnswer,
        ),
        Route(
            method="POST",
            path="/auth/change-password",
            handler=change_password,
            scope=AUTHENTICATED,
            callers=HOLDERS,
            summary="Change one's password",
            description="Ends all sessions of the user, this one included.",
            body=PasswordChangeBody,
            body_required=True,
            max_body=MAX_BODY,
            limit=RateLimit(hits=attempts, per="caller"),
            response=MessageAnswer,
            errors=("WEAK_PASSWORD", "UNAUTHORIZED", "USER_NOT_FOUND", "CONFLICT", *STORING),
        ),
    ]


def user_routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/users",
            handler=list_users,
            scope=ADMIN,
            callers=("user",),
            summary="All users",
            response=UsersAnswer,
        ),
        Route(
            method="POST",
            path="/users",
            handler=create_user,
            scope=ADMIN,
            callers=("user",),
            summary="Add a user",
            status=201,
            body=UserCreateBody,
            body_required=True,
            max_body=MAX_BODY,
            response=UserAnswer,
            errors=("INVALID_USERNAME", "WEAK_PASSWORD", "CONFLICT", *STORING),
        ),
        Route(
            method="PUT",
            path="/users/{username}",
            handler=change_user,
            scope=ADMIN,
            callers=("user",),
            summary="Change the role of a user, or disable one",
            description="Who is disabled is logged out everywhere at once. The last administrator stays one.",
            body=UserChangeBody,
            body_required=True,
            response=UserAnswer,
            errors=("BAD_REQUEST", "USER_NOT_FOUND", "CONFLICT", *STORING),
        ),
        Route(
            method="DELETE",
            path="/users/{username}",
            handler=delete_user,
            scope=ADMIN,
            callers=("user",),
            summary="Delete a user",
            response=MessageAnswer,
            errors=("BAD_REQUEST", "USER_NOT_FOUND", "CONFLICT", *STORING),
        ),
    ]


def setup_routes(limit: RateLimit) -> list[Route]:
    return [
        Route(
            method="GET",
            path="/setup/status",
            handler=setup_status,
            scope=PUBLIC,
            summary="Whether the platform has yet to be set up",
            response=SetupStatusAnswer,
        ),
        Route(
            method="POST",
            path="/setup/initialize",
            handler=initialize,
            scope=PUBLIC,
            summary="Make the first administrator",
            description="Once only: as soon as there was a user, the answer is 403.",
            body=InitializeBody,
            body_required=True,
            max_body=MAX_BODY,
            limit=limit,
            response=InitializeAnswer,
            errors=(
                "INVALID_USERNAME",
                "INVALID_EMAIL",
                "WEAK_PASSWORD",
                "SETUP_ALREADY_COMPLETED",
                "CONFLICT",
                *STORING,
            ),
        ),
        Route(
            method="POST",
            path="/setup/complete",
            handler=complete,
            scope=PUBLIC,
            summary="The wizard is through",
            limit=limit,
            response=CompleteAnswer,
            errors=("SETUP_INCOMPLETE",),
        ),
    ]
