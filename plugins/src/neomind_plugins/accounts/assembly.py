"""How the parts of accounts are put together and started."""

from __future__ import annotations

import asyncio

from neomind_sdk import Database, PluginContext, Service

from .jwt_secret import given_secret, load_secret
from .models import AccountsSettings
from .passwords import Passwords
from .service import Accounts


def services() -> list[Service]:
    """Raises ``SecretUnusable`` when the key from the environment cannot be one."""
    given_secret()
    return [Service(key=Accounts, build=build)]


def build(ctx: PluginContext) -> Accounts:
    settings = ctx.settings
    return Accounts(ctx.services[Database], ctx.bus, ctx.clock, Passwords(), lambda: settings[AccountsSettings])


async def start(ctx: PluginContext) -> None:
    """Read the key of the tokens, the users and the sessions; raises ``SecretUnusable``, ``OSError``."""
    secret = await asyncio.to_thread(load_secret, ctx.data_dir)
    await ctx.services[Accounts].load(secret)
