"""What an agent may do: decided here and nowhere else, whatever its model says.

Tools that read may be used. Tools that act may be used on what the agent is bound to (devices, commands, tools of
extensions), and on what a grant names. ``never`` wins over ``confirm``, and that over ``auto``; what nobody granted is
refused. A grant of ``*`` speaks of tools that act only: to keep an agent from a tool that reads, name the tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from neomind_sdk import READ, AgentTool

from .kept import ANYTHING, AUTO, COMMAND, CONFIRM, DEVICE, EXTENSION_TOOL, NEVER, Agent, Grant, Resource

STRICTNESS = {AUTO: 0, CONFIRM: 1, NEVER: 2}
TARGETS_MAX = 100
AREAS = {"extensions": "extension_commands"}
"""Where the area is not the category: to write ``extensions`` is for administrators, to run a command is not."""


@attrs.frozen(kw_only=True)
class Verdict:
    """``tier`` is ``auto``, ``confirm`` or ``never``; ``reason`` says by what, or why not."""

    tier: str
    reason: str
    targets: tuple[str, ...] = ()


def judge(agent: Agent, tool: AgentTool, arguments: Mapping[str, Any]) -> Verdict:
    """Whether the agent may use the tool with these arguments."""
    if not offered(agent, tool):
        return Verdict(tier=NEVER, reason=f"the tool '{tool.name}' is not among the tools of this agent")
    try:
        targets = targets_of(tool, arguments)
    except Exception as error:  # a tool of another plugin's making may raise anything
        return Verdict(tier=NEVER, reason=f"the targets of the call cannot be told: {type(error).__name__}")
    granted = [each for each in agent.grants if speaks_of(each, tool)]
    found = [_of_target(agent, tool, granted, target, arguments) for target in targets or (None,)]
    strictest = max(found, key=lambda each: STRICTNESS[each.tier])
    return attrs.evolve(strictest, targets=targets)


def offered(agent: Agent, tool: AgentTool) -> bool:
    """Whether the tool is one that the agent has at all."""
    config = agent.tool_config
    return config is None or (config.enabled and (not config.allowed_tools or tool.name in config.allowed_tools))


def conceivable(agent: Agent, tool: AgentTool) -> bool:
    """Whether there are arguments with which the agent may use the tool; others need not be shown to its model."""
    if not offered(agent, tool):
        return False
    granted = [each for each in agent.grants if speaks_of(each, tool)]
    if tool.effect == READ:
        return not any(each.tier == NEVER and not each.targets for each in granted)
    bound = tool.targets is not None and any(each.resource_type in BINDING for each in agent.resources)
    return bound or any(each.tier != NEVER for each in granted)


def targets_of(tool: AgentTool, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """What the call touches; raises whatever the tool raises, and ``ValueError``."""
    if tool.targets is None:
        return ()
    found = tool.targets(arguments)
    if not isinstance(found, tuple | list) or not all(isinstance(each, str) for each in found):
        raise ValueError("targets must be a tuple of texts")
    if len(found) > TARGETS_MAX:
        raise ValueError("too many targets")
    return tuple(dict.fromkeys(found))


def area_of(tool: AgentTool | None) -> str:
    """Whoever grants the tool, or approves a call of it, must be permitted to write this area."""
    if tool is None:
        return "agent_tools"
    return AREAS.get(tool.category, tool.category)


def speaks_of(grant: Grant, tool: AgentTool) -> bool:
    return grant.tool == tool.name or (grant.tool == ANYTHING and tool.effect != READ)


def covers(grant: Grant, target: str | None) -> bool:
    """A call that names no target is covered by a grant without targets only."""
    return not grant.targets or ANYTHING in grant.targets or target in grant.targets


def _of_target(
    agent: Agent, tool: AgentTool, granted: Iterable[Grant], target: str | None, arguments: Mapping[str, Any]
) -> Verdict:
    covering = [each for each in granted if covers(each, target)]
    if covering:
        grant = max(covering, key=lambda each: STRICTNESS[each.tier])
        return Verdict(tier=grant.tier, reason=f"granted: {grant.tool} {grant.tier}")
    if tool.effect == READ:
        return Verdict(tier=AUTO, reason="reads")
    if target is not None and any(binds(each, target, arguments) for each in agent.resources):
        return Verdict(tier=AUTO, reason=f"bound to {target}")
    touched = f"'{target}' is neither bound to this agent nor granted" if target else "the tool is not granted"
    return Verdict(tier=NEVER, reason=f"{tool.name}: {touched}")


# ---- what resources bind ----


def binds(resource: Resource, target: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a resource lets its agent act upon a target."""
    rule = BINDING.get(resource.resource_type)
    return rule is not None and rule(resource, target, arguments)


def _device(resource: Resource, target: str, arguments: Mapping[str, Any]) -> bool:
    return target == f"device:{resource.resource_id}"


def _command(resource: Resource, target: str, arguments: Mapping[str, Any]) -> bool:
    """That command of the device, with the parameters that are fixed."""
    device_id, _, command = resource.resource_id.rpartition(":")
    if target != f"device:{device_id}" or arguments.get("command") != command:
        return False
    return _has(_given(arguments, "params"), resource.config.get("parameters"))


def _extension_tool(resource: Resource, target: str, arguments: Mapping[str, Any]) -> bool:
    """That command of the extension, or each of its commands where the resource names none."""
    wanted = resource.resource_id
    if not _has(_given(arguments, "args"), resource.config.get("parameters")):
        return False
    if target == wanted:
        return wanted.startswith("extension:")
    if wanted.count(":") == 1:
        return target.startswith(f"{wanted}:")
    extension, _, command = wanted.rpartition(":")
    return target == extension and arguments.get("command") == command


def _given(arguments: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = arguments.get(name)
    return found if isinstance(found, Mapping) else {}


def _has(given: Mapping[str, Any], fixed: Any) -> bool:
    """Whether ``given`` has every fixed parameter with just its value; 1 is not ``true``."""
    pairs = fixed.items() if isinstance(fixed, Mapping) else ()
    return all(name in given and same(given[name], value) for name, value in pairs)


def same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) is isinstance(other, bool)


Binds = Callable[[Resource, str, Mapping[str, Any]], bool]
BINDING: Mapping[str, Binds] = {DEVICE: _device, COMMAND: _command, EXTENSION_TOOL: _extension_tool}
