"""``neomind key``: API keys from the command line, while the platform does not run."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs
import click

from neomind_sdk import ApiError, CliTools, PluginContext

from . import views
from .models import DAYS_MAX, KeyCreateBody
from .service import ApiKeys

T = TypeVar("T")
AS_JSON = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON.")
PERMISSION = click.Option(
    ["--permission", "permissions"],
    multiple=True,
    metavar="P",
    help="What the key may do: *, admin, read, write, <area>:read or <area>:write. May be repeated. Default: *.",
)
DAYS = click.Option(
    ["--expires-in-days", "days"],
    type=click.FloatRange(0, DAYS_MAX, min_open=True),
    help="Default: the key does not expire.",
)


@attrs.frozen
class KeyCommands:
    """The commands, working through ``tools``."""

    tools: CliTools

    def group(self) -> click.Group:
        name, ident = click.Argument(["name"]), click.Argument(["key_id"], metavar="ID")
        commands = [
            click.Command(
                "create",
                callback=self.create,
                params=[name, PERMISSION, DAYS, AS_JSON],
                help="Make a key. It is shown once.",
            ),
            click.Command("list", callback=self.list, params=[AS_JSON], help="List the keys."),
            click.Command("delete", callback=self.delete, params=[ident], help="Delete a key."),
        ]
        return click.Group("key", commands=commands, help="Manage the API keys of this platform.")

    def create(self, name: str, permissions: tuple[str, ...], days: float | None, as_json: bool) -> None:
        body = wish(name, permissions, days)

        async def work(ctx: PluginContext) -> dict[str, Any]:
            issued = await ctx.services[ApiKeys].create(body)
            return {"api_key": issued.text, "info": attrs.asdict(views.info(issued.key, ctx.clock.now_ms()))}

        made = self.run(work)
        if as_json:
            click.echo(json.dumps(made, ensure_ascii=False))
            return
        click.echo(f"Made the key {made['info']['name']} ({made['info']['id']}); it is not shown again:", err=True)
        click.echo(made["api_key"])

    def list(self, as_json: bool) -> None:
        async def work(ctx: PluginContext) -> list[dict[str, Any]]:
            return [attrs.asdict(views.item(key, ctx.clock.now_ms())) for key in ctx.services[ApiKeys].all()]

        rows = self.run(work)
        if as_json:
            click.echo(json.dumps(rows, ensure_ascii=False))
            return
        for row in rows:
            permissions = ",".join(row["permissions"])
            click.echo("\t".join([row["id"], row["name"], row["preview"], permissions, validity(row)]))

    def delete(self, key_id: str) -> None:
        async def work(ctx: PluginContext) -> str:
            return (await ctx.services[ApiKeys].delete(key_id)).name

        click.echo(f"The key {self.run(work)} is deleted")

    def run(self, work: Callable[[PluginContext], Awaitable[T]]) -> T:
        """The result of ``work``; what the keys refuse becomes one sentence."""
        try:
            return self.tools.run(work)
        except ApiError as error:
            raise click.ClickException(error.message) from error


def wish(name: str, permissions: tuple[str, ...], days: float | None) -> KeyCreateBody:
    try:
        return KeyCreateBody(name=name, permissions=list(permissions) or None, expires_in_days=days)
    except ValueError as error:  # of the name: click checked the days
        raise click.ClickException(f"name: {error}") from error


def validity(row: dict[str, Any]) -> str:
    """``never expires``, ``expires 2030-01-01T00:00:00+00:00`` or the same with ``expired``."""
    if row["expires_at"] is None:
        return "never expires"
    when = datetime.fromtimestamp(row["expires_at"], UTC).isoformat()
    return f"{'expires' if row['active'] else 'expired'} {when}"
