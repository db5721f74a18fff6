"""What the broker contributes."""

from __future__ import annotations

from neomind_sdk import Health, HealthCheck, PluginContext, Route, Service, SettingsSection, Step, Tables, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import BrokerSettings

    return [SettingsSection(name="mqtt_broker", cls=BrokerSettings, summary="The MQTT broker that comes along")]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="mqtt_broker", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes()


@hookimpl
def neomind_health(ctx: PluginContext) -> list[HealthCheck]:
    from .service import Broker

    async def check() -> Health:
        return await ctx.services[Broker].health()

    return [HealthCheck(name="mqtt_broker", check=check)]


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .service import Broker

    return [Step(name="broker", run=ctx.services[Broker].start)]


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Broker

    return [Step(name="broker", run=ctx.services[Broker].stop)]
