"""``neomind user``: accounts from the command line, also for who has lost the last administrator's password."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs
import click

from neomind_sdk import ROLES, ApiError, CliTools, PluginContext, fields

from .models import UserChangeBody
from .service import Accounts

T = TypeVar("T")
USERNAME = click.Argument(["username"])
FROM_STDIN = click.Option(["--password-stdin"], is_flag=True, help="Read the password from standard input.")


@attrs.frozen
class UserCommands:
    """The commands, working through ``tools``."""

    tools: CliTools

    def group(self) -> click.Group:
        role = click.Option(["--role"], type=click.Choice(ROLES), help="Default: admin while there is none, else user.")
        as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON.")
        commands = [
            click.Command("add", callback=self.add, params=[USERNAME, role, FROM_STDIN], help="Add a user."),
            click.Command("list", callback=self.list, params=[as_json], help="List the users."),
            click.Command("passwd", callback=self.passwd, params=[USERNAME, FROM_STDIN], help="Set a new password."),
            click.Command("disable", callback=self.disable, params=[USERNAME], help="Log a user out and keep out."),
            click.Command("enable", callback=self.enable, params=[USERNAME], help="Let a disabled user in again."),
            click.Command("delete", callback=self.delete, params=[USERNAME], help="Delete a user."),
        ]
        return click.Group("user", commands=commands, help="Manage the users of this platform.")

    def add(self, username: str, role: str | None, password_stdin: bool) -> None:
        password = read_password(password_stdin)

        async def work(accounts: Accounts) -> str:
            wanted = role or ("user" if accounts.has_admin() else "admin")
            user = await accounts.add(username, password, wanted)
            return f"Added {user.username} ({user.role})"

        click.echo(self.run(work))

    def list(self, as_json: bool) -> None:
        async def work(accounts: Accounts) -> list[dict[str, Any]]:
            return [row(user) for user in accounts.users()]

        rows = self.run(work)
        if as_json:
            click.echo(json.dumps(rows, ensure_ascii=False))
            return
        for user in rows:
            click.echo(f"{user['username']}\t{user['role']}{'	disabled' if user['disabled'] else ''}")

    def passwd(self, username: str, password_stdin: bool) -> None:
        password = read_password(password_stdin)
        self.run(lambda accounts: accounts.set_password(username, password))
        click.echo(f"The password of {username} is changed")

    def disable(self, username: str) -> None:
        self.run(lambda accounts: accounts.change(username, UserChangeBody(disabled=True)))
        click.echo(f"{username} is disabled")

    def enable(self, username: str) -> None:
        self.run(lambda accounts: accounts.change(username, UserChangeBody(disabled=False)))
        click.echo(f"{username} is enabled")

    def delete(self, username: str) -> None:
        self.run(lambda accounts: accounts.delete(username))
        click.echo(f"{username} is deleted")

    def run(self, work: Callable[[Accounts], Awaitable[T]]) -> T:
        """The result of ``work`` on the accounts of the data directory; what it refuses becomes one sentence."""

        async def with_context(ctx: PluginContext) -> T:
            return await work(ctx.services[Accounts])

        try:
            return self.tools.run(with_context)
        except ApiError as error:
            raise click.ClickException(error.message) from error


def row(user: Any) -> dict[str, Any]:
    shown = ("id", "username", "role", "disabled")
    return {**{name: getattr(user, name) for name in shown}, "created_at": user.created_ms // 1000}


def read_password(from_stdin: bool) -> str:
    """The first line of standard input, or what is typed twice without being shown."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    if not fields.clean(password):
        raise click.ClickException("The password is not valid text")
    return password
