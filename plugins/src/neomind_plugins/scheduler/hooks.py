"""What scheduler contributes."""

from __future__ import annotations

from neomind_sdk import HealthCheck, Listener, PluginContext, Service, Step, hookimpl


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)


@hookimpl
def neomind_health(ctx: PluginContext) -> list[HealthCheck]:
    from .assembly import checks

    return checks(ctx)


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .duty import Duty

    return [Step(name="end", run=ctx.services[Duty].stop)]
