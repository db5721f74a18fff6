"""What the MQTT transport contributes."""

from __future__ import annotations

from neomind_sdk import Listener, PluginContext, Route, Service, SettingsSection, Step, Tables, Transport, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import TransportSettings

    return [SettingsSection(name="transport_mqtt", cls=TransportSettings, summary="How brokers are connected to")]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="transport_mqtt", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_transports(ctx: PluginContext) -> list[Transport]:
    from .transport import MqttTransport

    return [MqttTransport(ctx)]


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .broker_routes import broker_routes
    from .routes import routes

    return [*routes(), *broker_routes()]


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .brokers import Brokers

    return [Step(name="brokers", run=ctx.services[Brokers].start)]


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .brokers import Brokers

    return [Step(name="brokers", run=ctx.services[Brokers].stop)]
