"""How the parts of the broker are put together."""

from __future__ import annotations

from neomind_sdk import Database, EmbeddedBroker, PluginContext, Service
from neomind_sdk.vault import Vault

from .models import BrokerSettings
from .service import Broker


def services() -> list[Service]:
    """In the order they need each other."""
    return [
        Service(key=Broker, build=build),
        Service(key=EmbeddedBroker, build=lambda ctx: ctx.services[Broker]),
    ]


def build(ctx: PluginContext) -> Broker:
    folder = ctx.data_dir / ctx.plugin.name
    return Broker(lambda: ctx.settings[BrokerSettings], ctx.services[Database], folder, Vault(ctx.data_dir), ctx.log)
