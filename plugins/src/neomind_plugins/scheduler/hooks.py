"""What scheduler contributes."""

from __future__ import annotations

from neomind_sdk import HealthCheck, Listener, PluginContext, Scheduling, Service, Step, hookimpl


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import build
    from .service import Jobs

    return [Service(key=Jobs, build=build), Service(key=Scheduling, build=lambda ctx: ctx.services[Jobs])]


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
    from .service import Jobs

    return [Step(name="begin", run=ctx.services[Jobs].start)]


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Jobs

    return [Step(name="end", run=ctx.services[Jobs].stop)]
