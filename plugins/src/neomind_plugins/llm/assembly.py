"""How the parts of llm are put together."""

from __future__ import annotations

import asyncio

from neomind_sdk import Database, LanguageModels, Platform, PluginContext, Service, Step
from neomind_sdk.vault import Vault

from . import asking, registry, service
from .asking import Models
from .configs import Configs
from .kinds import Kinds
from .models import LLMSettings
from .places import Places
from .probing import Prober
from .registry import Registry
from .service import Backends
from .usage import Usages


def services() -> list[Service]:
    return [
        Service(key=Vault, build=lambda ctx: Vault(ctx.data_dir), private=True),
        Service(key=Kinds, build=lambda ctx: Kinds(ctx.services[Platform], ctx.log)),
        Service(key=Configs, build=lambda ctx: Configs(ctx.services[Kinds], ctx.services[Vault], ctx.egress)),
        Service(key=Usages, build=lambda ctx: Usages(ctx.services[Database], ctx.clock, ctx.log)),
        Service(key=Registry, build=build_registry),
        Service(key=LanguageModels, build=build_models),
        Service(key=Prober, build=build_prober),
        Service(key=Backends, build=build_backends),
    ]


def build_registry(ctx: PluginContext) -> Registry:
    return Registry(
        registry.Parts(
            database=ctx.services[Database],
            clock=ctx.clock,
            log=ctx.log,
            kinds=ctx.services[Kinds],
            configs=ctx.services[Configs],
        )
    )


def build_models(ctx: PluginContext) -> Models:
    return Models(
        asking.Parts(
            registry=ctx.services[Registry],
            configs=ctx.services[Configs],
            places=Places(ctx.clock, lambda: ctx.settings[LLMSettings].max_concurrent),
            usages=ctx.services[Usages],
            clock=ctx.clock,
        )
    )


def build_prober(ctx: PluginContext) -> Prober:
    return Prober(
        registry=ctx.services[Registry],
        configs=ctx.services[Configs],
        kinds=ctx.services[Kinds],
        clock=ctx.clock,
        log=ctx.log,
        timeout_s=lambda: ctx.settings[LLMSettings].probe_timeout_s,
    )


def build_backends(ctx: PluginContext) -> Backends:
    return Backends(
        service.Parts(
            registry=ctx.services[Registry],
            prober=ctx.services[Prober],
            usages=ctx.services[Usages],
            models=ctx.services[LanguageModels],
            kinds=ctx.services[Kinds],
            configs=ctx.services[Configs],
            egress=ctx.egress,
            clock=ctx.clock,
            settings=lambda: ctx.settings[LLMSettings],
        )
    )


def start_steps(ctx: PluginContext) -> list[Step]:
    async def load_key() -> None:
        await asyncio.to_thread(ctx.services[Vault].load)

    async def count() -> None:
        await ctx.services[Usages].load()
        ctx.spawn(ctx.services[Usages].keep_up(), "save_usage")

    return [
        Step(name="load_key", run=load_key),
        Step(name="load_backends", run=ctx.services[Registry].load),
        Step(name="count", run=count),
    ]


def stop_steps(ctx: PluginContext) -> list[Step]:
    return [
        Step(name="finish_changes", run=ctx.services[Registry].close),
        Step(name="save_usage", run=ctx.services[Usages].save),
    ]
