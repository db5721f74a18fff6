"""How the parts of settings are put together."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import Database, ExtensionStateChanged, Listener, Notice, PluginContext, SettingsRegistry

from .service import KeptSettings


def build(ctx: PluginContext) -> KeptSettings:
    return KeptSettings(ctx.services[SettingsRegistry], ctx.services[Database], ctx.log)


def listeners(ctx: PluginContext) -> list[Listener]:
    async def plugins_changed(notices: Sequence[Notice]) -> None:
        ctx.services[KeptSettings].apply()

    return [Listener(name="settings.plugins", events=(ExtensionStateChanged,), handle=plugins_changed)]
