"""Every hook of the platform, in one file.

A hook is a noun with the prefix ``neomind_``. It is synchronous, takes one ``ctx`` (``PluginContext``), does no I/O
and returns a list of named, frozen objects; async work lives on those. Hooks are called once, when the plugin is
loaded. An implementation is a function of the same name with ``@hookimpl`` in the plugin's ``hooks`` module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from . import contracts as c

PROJECT = "neomind"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# ---- assemble: what a plugin adds ----------------------------------------------------------------------------------


@hookspec
def neomind_settings(ctx: c.PluginContext) -> list[c.SettingsSection]:
    """Sections of settings.

    :called: before every other hook of the plugin, because the values are there when the others are called.
    :returns: ``SettingsSection`` objects, usually one, whose class has a default for every field.
    :on error: a section that does not fit stops this plugin only: ``config_error`` with the path and the reason.
    :duplicates: the section's name; first-party wins, two strangers are both refused.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_settings(ctx):
            return [SettingsSection(name="greeter", cls=GreeterSettings)]
    """


@hookspec
def neomind_storages(ctx: c.PluginContext) -> list[c.Storage]:
    """Storage engines.

    :called: first of all plugins, before any migration runs; the engine that ``[storage] engine`` names is opened.
    :returns: ``Storage`` objects whose ``open`` returns a database and a telemetry store.
    :on error: without an engine every plugin that requires ``storage`` is ``missing_requirement``; the host runs on.
    :duplicates: the engine's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_storages(ctx):
            return [Storage(name="sqlite", open=open_store)]
    """


@hookspec
def neomind_tables(ctx: c.PluginContext) -> list[c.Tables]:
    """Tables and migrations.

    :called: after the settings; the steps that the ledger does not know yet run before the plugin starts.
    :returns: one ``Tables`` object named like the plugin, with models and ordered steps.
    :on error: a failing step is rolled back whole and the plugin is ``failed_at_run`` naming the step.
    :duplicates: the set's name, and every table's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_tables(ctx):
            return [Tables(name="greeter", models=MODELS, steps=STEPS)]
    """


@hookspec
def neomind_services(ctx: c.PluginContext) -> list[c.Service]:
    """Objects that other plugins ask for.

    :called: while assembling; ``build`` is called when the plugin starts, after everything it requires.
    :returns: ``Service`` objects: a key (a Protocol of the contracts, or an own class) and a ``build(ctx)``.
    :on error: ``build`` raising makes the plugin ``failed_at_run``; who requires it is ``missing_requirement``.
    :duplicates: the key.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_services(ctx):
            return [Service(key=Greeter, build=lambda ctx: Greeter(ctx.services[Database], ctx.clock))]
    """


@hookspec
def neomind_auth_schemes(ctx: c.PluginContext) -> list[c.AuthScheme]:
    """Ways of proving who calls.

    :called: while assembling; asked for every request to a route that is not public, by ascending ``priority``.
    :returns: objects that satisfy ``AuthScheme``.
    :on error: a scheme that raises while authenticating denies that request; it never falls through to the next.
    :duplicates: the scheme's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_auth_schemes(ctx):
            return [BadgeScheme(ctx)]
    """


@hookspec
def neomind_transports(ctx: c.PluginContext) -> list[c.Transport]:
    """Ways by which devices talk to us.

    :called: while assembling; a transport opens its connections in a start step.
    :returns: objects that satisfy ``Transport``; they hand samples to the ``Ingest`` service.
    :on error: an exception in ``send`` fails that command, never the platform.
    :duplicates: the transport's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_transports(ctx):
            return [SerialTransport(ctx)]
    """


@hookspec
def neomind_channels(ctx: c.PluginContext) -> list[c.ChannelType]:
    """Kinds of notification channels.

    :called: while assembling; listed at ``/api/messages/channels/types``.
    :returns: objects that satisfy ``ChannelType``; ``send`` makes one attempt.
    :on error: an exception in ``send`` counts as a failed attempt and is retried by the outbox.
    :duplicates: the channel type's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_channels(ctx):
            return [PagerChannel()]
    """


@hookspec
def neomind_llm_backends(ctx: c.PluginContext) -> list[c.LLMBackendType]:
    """Kinds of language model backends.

    :called: while assembling; listed at ``/api/llm-backends/types``.
    :returns: objects that satisfy ``LLMBackendType``.
    :on error: a backend that raises ``LLMError`` fails that call with its kind; anything else is reported as
        ``malformed``.
    :duplicates: the backend type's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_llm_backends(ctx):
            return [LlamaBackend()]
    """


@hookspec
def neomind_rule_actions(ctx: c.PluginContext) -> list[c.RuleActionType]:
    """What rules can do.

    :called: while assembling; an entry of a rule's ``actions`` names one by ``type``.
    :returns: objects that satisfy ``RuleActionType``.
    :on error: an exception in ``run`` is a failed action in the rule's history; the next action runs.
    :duplicates: the action's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_rule_actions(ctx):
            return [BlinkAction(ctx)]
    """


@hookspec
def neomind_push_targets(ctx: c.PluginContext) -> list[c.PushTargetType]:
    """Kinds of targets that data is pushed to.

    :called: while assembling; a push target names one by ``target_type``.
    :returns: objects that satisfy ``PushTargetType``; ``deliver`` makes one attempt.
    :on error: an exception in ``deliver`` counts as a failed attempt and is retried by the outbox.
    :duplicates: the target type's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_push_targets(ctx):
            return [KafkaTarget()]
    """


@hookspec
def neomind_dashboard_components(ctx: c.PluginContext) -> list[c.DashboardComponent]:
    """Components for dashboards.

    :called: while assembling; listed at ``/api/extensions/<plugin>/components``.
    :returns: ``DashboardComponent`` objects, with the ES module they are drawn by.
    :on error: a bundle that is not in the package makes the plugin ``self_check_failed``.
    :duplicates: the component's type.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_dashboard_components(ctx):
            return [DashboardComponent(type="clock-face", name="Clock", bundle="my_clock:clock.js")]
    """


@hookspec
def neomind_agent_tools(ctx: c.PluginContext) -> list[c.AgentTool]:
    """Tools for agents.

    :called: while assembling; offered to agents that were granted them.
    :returns: ``AgentTool`` objects with a JSON Schema of their arguments.
    :on error: an exception in ``run`` is told to the model as the tool's error; the run goes on.
    :duplicates: the tool's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_agent_tools(ctx):
            schema = {"type": "object", "properties": {"meter": {"type": "string"}}, "required": ["meter"]}
            return [AgentTool(name="read_meter", description="Reads a meter", parameters=schema, run=read_meter)]
    """


@hookspec
def neomind_commands(ctx: c.PluginContext) -> list[c.ExtensionCommand]:
    """Commands of the extension itself.

    :called: while assembling; run by ``POST /api/extensions/<plugin>/commands/<name>``, by rules and by agents.
    :returns: ``ExtensionCommand`` objects with a JSON Schema of their arguments.
    :on error: raising answers 502 with the message, exceeding ``timeout_s`` 504; the platform goes on.
    :duplicates: plugin and command name, so only within one plugin.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_commands(ctx):
            async def roll(args, call):
                return {"eyes": random.randint(1, args.get("sides", 6))}
            return [ExtensionCommand(name="roll", run=roll, description="Rolls a die")]
    """


@hookspec
def neomind_routes(ctx: c.PluginContext) -> list[c.Route | c.SocketRoute | c.Alias | c.Mirror]:
    """Operations of the REST API.

    :called: while assembling; served, and in ``/api/openapi.json``, from the moment the plugin is enabled.
    :returns: ``Route``, ``SocketRoute``, ``Alias`` and ``Mirror`` objects.
    :on error: a route without a scope makes the plugin ``self_check_failed``; a handler that raises answers 500.
    :duplicates: method and path.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_routes(ctx):
            async def hello(request):
                return {"hello": request.principal.name}
            return [Route(method="GET", path="/hello", handler=hello, scope=AUTHENTICATED, summary="Say hello")]
    """


@hookspec
def neomind_jobs(ctx: c.PluginContext) -> list[c.Job]:
    """Work that recurs.

    :called: while assembling; the scheduler runs them from the moment the plugin is enabled.
    :returns: ``Job`` objects.
    :on error: a run that raises or takes too long is logged and counted; the next one comes at its time.
    :duplicates: the job's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_jobs(ctx):
            return [Job(name="greeter.tidy", trigger=Every(seconds=3600), run=lambda: ctx.services[Greeter].tidy())]
    """


@hookspec
def neomind_cli(ctx: c.PluginContext) -> list[c.CliCommand]:
    """Commands of ``neomind``.

    :called: when ``neomind`` is asked for help or for a command that is not the core's own.
    :returns: ``CliCommand`` objects; click is imported inside ``build``.
    :on error: a plugin that fails here loses its commands; the core's commands always work.
    :duplicates: the command's name; the core's own names are taken.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_cli(ctx):
            return [CliCommand(name="greeter", summary="Manage greetings", build=build)]
    """


# ---- life cycle: starting and stopping ------------------------------------------------------------------------------


@hookspec
def neomind_start(ctx: c.PluginContext) -> list[c.Step]:
    """Steps that start the plugin.

    :called: when the plugin starts: its services are built, its tables exist, and what it requires has started.
    :returns: ``Step`` objects, run in order.
    :on error: raising, or more than 60 s, makes the plugin ``failed_at_run``; its stop steps run, the rest starts.
    :duplicates: not checked: the name is for the log.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_start(ctx):
            return [Step(name="load", run=ctx.services[Greeter].load)]
    """


@hookspec
def neomind_stop(ctx: c.PluginContext) -> list[c.Step]:
    """Steps that stop the plugin.

    :called: when the platform stops, in reverse order of start; also after a start that failed half-way.
    :returns: ``Step`` objects, run in order; they share the 10 s of the whole platform.
    :on error: an exception is logged, the next step runs; a step that takes too long is cancelled.
    :duplicates: not checked: the name is for the log.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_stop(ctx):
            return [Step(name="flush", run=ctx.services[Greeter].flush)]
    """


# ---- observe: listening and looking ---------------------------------------------------------------------------------


@hookspec
def neomind_health(ctx: c.PluginContext) -> list[c.HealthCheck]:
    """Health checks.

    :called: while assembling; asked by ``/api/health/ready`` and ``/api/extensions/<plugin>/health``.
    :returns: ``HealthCheck`` objects.
    :on error: a check that raises or takes over 2 s counts as not well, with the reason.
    :duplicates: the check's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_health(ctx):
            return [HealthCheck(name="meter_bus", check=lambda: ctx.services[MeterBus].health())]
    """


@hookspec
def neomind_listeners(ctx: c.PluginContext) -> list[c.Listener]:
    """Listeners to events.

    :called: while assembling; events arrive from the moment the plugin is enabled until it stops.
    :returns: ``Listener`` objects; ``handle`` gets batches of notices in order.
    :on error: raising is logged, the next batch comes; one that is too slow loses its oldest and gets ``Lagged``.
    :duplicates: the listener's name.
    :since: 0.1

    Example::

        @hookimpl
        def neomind_listeners(ctx):
            handle = lambda notices: ctx.services[Greeter].count(notices)
            return [Listener(name="greeter.count", events=(MetricsStored,), handle=handle)]
    """


def hook_names() -> tuple[str, ...]:
    """The names of all hooks, in the order of this file."""
    return tuple(name for name in globals() if name.startswith("neomind_"))
