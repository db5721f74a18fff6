"""Hook implementations of the plugin ``storage_sqlite``."""

from __future__ import annotations

from neomind_sdk import PluginContext, SettingsSection, Storage, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import SqliteSettings

    return [SettingsSection(name="storage_sqlite", cls=SqliteSettings)]


@hookimpl
def neomind_storages(ctx: PluginContext) -> list[Storage]:
    from .models import SqliteSettings
    from .store import open_store

    return [Storage(name="sqlite", open=open_store, settings=SqliteSettings)]
