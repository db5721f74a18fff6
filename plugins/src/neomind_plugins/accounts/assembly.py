"""How the parts of accounts are put together and started."""

from __future__ import annotations

import asyncio
import os

from neomind_sdk import Database, PluginContext

from .jwt_secret import ENVIRONMENT, load_secret
from .models import AccountsSettings
from .passwords import Passwords
from .service import Accounts


def build(ctx: PluginContext) -> Accounts:
    settings = ctx.settings
    return Accounts(ctx.services[Database], ctx.bus, ctx.clock, Passwords(), lambda: settings[AccountsSettings])


async def start(ctx: PluginContext) -> None:
    """Read the key of the tokens, the users and the sessions; raises ``SecretUnusable``."""
    secret = await asyncio.to_thread(load_secret, ctx.data_dir, os.environ.get(ENVIRONMENT))
    await ctx.services[Accounts].load(secret)
