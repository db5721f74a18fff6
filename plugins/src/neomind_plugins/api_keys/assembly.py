"""How the parts of API keys are put together and started."""

from __future__ import annotations

import os

from neomind_sdk import ApiKeyCounter, Database, Platform, PluginContext, PluginUnavailable, Service, Step

from .service import ApiKeys
from .texts import problem_of

ENVIRONMENT = "NEOMIND_API_KEY"


def services() -> list[Service]:
    """Raises ``PluginUnavailable`` when the key from the environment cannot be one."""
    default_key()
    return [
        Service(key=ApiKeys, build=build),
        Service(key=ApiKeyCounter, build=lambda ctx: ctx.services[ApiKeys]),
    ]


def build(ctx: PluginContext) -> ApiKeys:
    platform = ctx.services[Platform]
    return ApiKeys(ctx.services[Database], ctx.bus, ctx.clock, ctx.log, lambda: areas(platform))


def default_key() -> str | None:
    """The key from the environment; a blank one counts as none. Raises ``PluginUnavailable``."""
    given = os.environ.get(ENVIRONMENT, "").strip()
    problem = problem_of(given) if given else None
    if problem:
        raise PluginUnavailable(f"{ENVIRONMENT}: {problem}")
    return given or None


def areas(platform: Platform) -> frozenset[str]:
    """The areas of the scopes that running plugins use, those of extensions included."""
    scopes = [getattr(item, "scope", "") for _, item in platform.contributions("routes")]
    return frozenset(scope.partition(":")[0] for scope in scopes if ":" in scope)


def start_steps(ctx: PluginContext) -> list[Step]:
    keys = ctx.services[ApiKeys]

    async def load() -> None:
        await keys.load(default_key())

    async def keep_up() -> None:
        ctx.spawn(keys.keep_up(), "keep_up")

    return [Step(name="load", run=load), Step(name="keep_up", run=keep_up)]
