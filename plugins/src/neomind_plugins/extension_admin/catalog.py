"""Plugins as the platform knows them, in the words of the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from neomind_sdk import AgentTool, ExtensionCommand, NotFound, OutputMetric, Platform, PluginInfo, Status
from neomind_sdk.public import public

from .errors import NotRunning
from .jsonable import shown
from .models import Command, CommandConfig, Extension, ExtensionsQuery, ExtensionType, Metric, Tool, ToolDetail

TYPES = (
    ExtensionType(id="llm_provider", name="LLM provider", description="Brings a kind of language model backend"),
    ExtensionType(id="device_protocol", name="Device protocol", description="Brings a way for devices to talk to us"),
    ExtensionType(
        id="alert_channel_type", name="Notification channel type", description="Brings a kind of notification channel"
    ),
    ExtensionType(id="tool", name="Tool", description="Brings tools for agents"),
    ExtensionType(id="generic", name="Generic", description="Brings anything else: commands, components, rule actions"),
)
STATES = {
    Status.ENABLED: "Running",
    Status.FOUND: "Stopped",
    Status.BLOCKED: "Stopped",
    Status.FAILED_AT_RUN: "Error",
}
HEALTH = {Status.ENABLED: "ok", Status.FOUND: "unknown", Status.BLOCKED: "unknown"}


def state(info: PluginInfo) -> str:
    return STATES.get(info.status, "Failed")


def extensions(platform: Platform, query: ExtensionsQuery) -> list[Extension]:
    """All plugins for everybody to see, by name: without paths of this machine."""
    commands = commands_by_plugin(platform)
    wanted = (query.state or "").casefold()
    found = [info for info in platform.plugins() if not wanted or wanted in (state(info).casefold(), info.status.value)]
    return [extension(info, commands.get(info.name, []), public(info.reason)) for info in found]


def detail(platform: Platform, extension_id: str) -> Extension:
    """One plugin with its whole reason and its place; raises ``NotFound``."""
    info = find(platform, extension_id)
    return extension(info, commands_by_plugin(platform).get(info.name, []), info.reason, info.location)


def find(platform: Platform, extension_id: str) -> PluginInfo:
    """The plugin that goes by a name: of several the one that runs; raises ``NotFound``."""
    found = [info for info in platform.plugins() if info.name == extension_id]
    if not found:
        raise NotFound("EXTENSION", extension_id)
    return next((info for info in found if info.status is Status.ENABLED), found[0])


def running(platform: Platform, extension_id: str) -> PluginInfo:
    """A plugin that runs; raises ``NotFound`` or ``NotRunning``."""
    info = find(platform, extension_id)
    if info.status is not Status.ENABLED:
        raise NotRunning(info)
    return info


def command(platform: Platform, extension_id: str, name: str) -> ExtensionCommand:
    """A command of a running plugin; raises ``NotFound`` or ``NotRunning``."""
    running(platform, extension_id)
    found = next((one for one in commands_of(platform, extension_id) if one.name == name), None)
    if found is None:
        raise NotFound("COMMAND", name, by="name")
    return found


def commands_of(platform: Platform, extension_id: str) -> list[ExtensionCommand]:
    return commands_by_plugin(platform).get(extension_id, [])


def commands_by_plugin(platform: Platform) -> dict[str, list[ExtensionCommand]]:
    found: dict[str, list[ExtensionCommand]] = {}
    for plugin, one in platform.contributions("commands"):
        found.setdefault(plugin, []).append(one)
    return found


def running_commands(platform: Platform) -> list[tuple[str, ExtensionCommand]]:
    """Those of all plugins that run, by plugin and name."""
    found = [(info.name, one) for info in _enabled(platform) for one in commands_of(platform, info.name)]
    return sorted(found, key=lambda each: (each[0], each[1].name))


def extension(
    info: PluginInfo, commands: list[ExtensionCommand], reason: str, location: str | None = None
) -> Extension:
    """``commands`` count only where the plugin runs: another distribution may have the same name."""
    enabled = info.status is Status.ENABLED
    commands = commands if enabled else []
    health = HEALTH.get(info.status, "error")
    failed = health == "error"
    return Extension(
        id=info.name,
        name=info.name,
        version=info.version,
        description=info.summary or None,
        author=info.author,
        state=state(info),
        status=info.status.value,
        reason=reason,
        distribution=info.distribution,
        first_party=info.first_party,
        requires=list(info.requires),
        after=list(info.after),
        contributions=info.contributions,
        since=info.since_ms // 1000,
        file_path=location,
        health_status=health,
        last_error=reason if failed else None,
        last_error_at=info.since_ms // 1000 if failed else None,
        commands=[command_view(one) for one in commands],
        metrics=metrics(commands),
        enabled=enabled,
    )


def command_view(one: ExtensionCommand) -> Command:
    return Command(
        id=one.name,
        display_name=one.display_name or one.name,
        description=one.description,
        input_schema=shown(one.input_schema),
        output_fields=[metric(output) for output in one.outputs],
        config=CommandConfig(timeout_ms=round(one.timeout_s * 1000)),
    )


def metrics(commands: Iterable[ExtensionCommand]) -> list[Metric]:
    """What the commands of one extension give, each metric once."""
    by_name = {output.name: output for one in commands for output in one.outputs}
    return [metric(output) for output in by_name.values()]


def metric(output: OutputMetric) -> Metric:
    return Metric(
        name=output.name,
        display_name=output.display_name or output.name,
        data_type=output.data_type.lower(),
        unit=output.unit,
        description=None,
        min=output.min,
        max=output.max,
        required=output.required,
    )


def tools(platform: Platform) -> list[Tool]:
    """The tools of all plugins, by name."""
    versions = versions_of(platform)
    found = [Tool(**tool_members(plugin, tool, versions)) for plugin, tool in platform.contributions("agent_tools")]
    return sorted(found, key=lambda tool: tool.name)


def tool(platform: Platform, name: str) -> ToolDetail:
    """One tool; raises ``NotFound``."""
    for plugin, one in platform.contributions("agent_tools"):
        if one.name == name:
            return ToolDetail(**tool_members(plugin, one, versions_of(platform)), namespace=plugin)
    raise NotFound("TOOL", name, by="name")


def tool_members(plugin: str, one: AgentTool, versions: dict[str, str]) -> dict[str, Any]:
    return {
        "name": one.name,
        "description": one.description,
        "category": one.category,
        "parameters": shown(one.parameters),
        "effect": one.effect,
        "extension_id": plugin,
        "version": versions.get(plugin, ""),
    }


def versions_of(platform: Platform) -> dict[str, str]:
    return {info.name: info.version for info in _enabled(platform)}


def _enabled(platform: Platform) -> list[PluginInfo]:
    return [info for info in platform.plugins() if info.status is Status.ENABLED]
