"""What the webhook transport contributes."""

from __future__ import annotations

from neomind_sdk import DeviceDirectory, Ingest, PluginContext, Route, Service, Transport, hookimpl


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .service import Webhook

    def build(ctx: PluginContext) -> Webhook:
        return Webhook(ctx.services[DeviceDirectory], ctx.services[Ingest], ctx.clock)

    return [Service(key=Webhook, build=build)]


@hookimpl
def neomind_transports(ctx: PluginContext) -> list[Transport]:
    from .transport import WebhookTransport

    return [WebhookTransport()]


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes()
