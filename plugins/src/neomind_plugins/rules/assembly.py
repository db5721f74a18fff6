"""How the parts of rules are put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from neomind_sdk import (
    CustomPublished,
    Database,
    DeviceDirectory,
    ExtensionStateChanged,
    Listener,
    MessageBoard,
    MetricsStored,
    NewMessage,
    Notice,
    Platform,
    PluginContext,
    Scheduling,
    Service,
    Step,
    TelemetryStore,
)

from .actions import ActionTypes
from .checking import Checker
from .deciding import Decider
from .dryrun import DryRun
from .engine import Engine
from .live import Live
from .models import RuleSettings
from .recorder import Recorder
from .runner import Runner
from .schedules import Schedules
from .service import Parts, Rules
from .values import Index, Values

AGES_EVERY_S = 60.0


def services() -> list[Service]:
    return [
        Service(key=Rules, build=build),
        Service(key=DryRun, build=lambda ctx: DryRun(ctx.services[Rules], ctx.services[TelemetryStore])),
    ]


def build(ctx: PluginContext) -> Rules:
    directory, types = ctx.services[DeviceDirectory], ActionTypes(ctx.services[Platform], ctx.log)
    index, values = Index(), Values(ctx.services[TelemetryStore], directory, ctx.clock)
    recorder = Recorder(ctx.services[Database], ctx.bus, ctx.clock, ctx.log)
    decider = Decider(values, recorder, ctx.clock, ctx.bus, ctx.log, pausing(ctx))
    engine = Engine(index, values, decider, ctx.log)
    decider.know = engine.know
    parts = Parts(
        database=ctx.services[Database],
        clock=ctx.clock,
        log=ctx.log,
        settings=lambda: ctx.settings[RuleSettings],
        types=types,
        checker=Checker(directory, types, lambda: ctx.services.find(Scheduling)),
        index=index,
        values=values,
        recorder=recorder,
        decider=decider,
        engine=engine,
    )
    return wired(parts, lambda: ctx.services.find(Scheduling))


def wired(parts: Parts, scheduling: Callable[[], Scheduling | None]) -> Rules:
    """The rules, with what runs their actions and keeps their times."""
    rules = Rules(parts, {})
    rules.schedules = Schedules(scheduling, rules.due, parts.log)
    rules.runner = Runner(
        parts.types,
        parts.recorder,
        parts.database,
        parts.clock,
        parts.log,
        parts.settings,
        rules.find,
        rules.ended,
    )
    parts.recorder.due, parts.recorder.over = rules.runner.put, rules.runner.over
    return rules


def pausing(ctx: PluginContext) -> Callable[[Live, str], None]:
    """What is to be done when a rule was paused: nobody looks at it any more, and people are told."""

    def paused(live: Live, reason: str) -> None:
        ctx.services[Rules].stopped(live)
        data = {"rule_id": live.id, "rule_name": live.rule.name, "reason": reason}
        ctx.bus.publish(CustomPublished(custom_type="rule_paused", data=data, source="rules"))
        ctx.spawn(tell(ctx, live, reason), f"paused:{live.id}")

    return paused


async def tell(ctx: PluginContext, live: Live, reason: str) -> None:
    """Raise a message about a rule that was paused, where there are messages."""
    board = ctx.services.find(MessageBoard)
    if board is None:
        return
    message = NewMessage(
        title=f"Rule paused: {live.rule.name}",
        message=f"The rule '{live.rule.name}' was paused: {reason}. Enable it again when it is mended.",
        severity="warning",
        category="system",
        source=live.id,
        source_type="rule",
        metadata={"rule_id": live.id},
        variant="paused",
    )
    try:
        await board.raise_message(message)
    except Exception:  # whatever is the matter with messages, rules go on
        ctx.log.exception("rule_paused_message_failed", rule_id=live.id)


def listeners(ctx: PluginContext) -> list[Listener]:
    async def stored(notices: Sequence[Notice]) -> None:
        await ctx.services[Rules].parts.engine.handle(notices)

    async def plugins_changed(notices: Sequence[Notice]) -> None:
        ctx.services[Rules].reschedule()

    return [
        Listener(name="rules.values", events=(MetricsStored,), handle=stored),
        Listener(name="rules.plugins", events=(ExtensionStateChanged,), handle=plugins_changed),
    ]


def start_steps(ctx: PluginContext) -> list[Step]:
    rules = ctx.services[Rules]

    async def ages() -> None:
        while True:
            await ctx.clock.sleep(AGES_EVERY_S)
            await rules.parts.engine.ages()

    async def work() -> None:
        ctx.spawn(rules.parts.recorder.run(), "recorder")
        ctx.spawn(rules.runner.fetch(), "firings")
        ctx.spawn(ages(), "ages")
        for number in range(ctx.settings[RuleSettings].workers):
            ctx.spawn(rules.runner.work(), f"worker-{number}")

    return [Step(name="load", run=rules.load), Step(name="work", run=work)]
