"""The tools that plugins contribute, as things are now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import AgentTool, Platform, ToolSpec

from .grants import conceivable
from .kept import Agent

KIND = "agent_tools"
NAME_MAX = 64
_ODD = re.compile(r"[^A-Za-z0-9_-]")


@attrs.frozen(kw_only=True)
class Offer:
    """What a model is shown, and which tool a name in its answer means."""

    specs: tuple[ToolSpec, ...] = ()
    tools: Mapping[str, AgentTool] = attrs.field(factory=dict)


class Toolbox:
    """Finds tools; plugins come and go."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def all(self) -> Sequence[tuple[str, AgentTool]]:
        """``(plugin, tool)`` by name."""
        found = [(plugin, tool) for plugin, tool in self._platform.contributions(KIND) if isinstance(tool, AgentTool)]
        return sorted(found, key=lambda pair: pair[1].name)

    def find(self, name: str) -> AgentTool | None:
        return next((tool for _, tool in self.all() if tool.name == name), None)

    def offer(self, agent: Agent) -> Offer:
        """The tools of an agent; names are written as models take them."""
        specs: list[ToolSpec] = []
        tools: dict[str, AgentTool] = {}
        for _, tool in self.all():
            name = spelled(tool.name)
            tools.setdefault(name, tool)
            tools.setdefault(tool.name, tool)
            if conceivable(agent, tool) and tools[name] is tool:
                specs.append(ToolSpec(name=name, description=tool.description, parameters=dict(tool.parameters)))
        return Offer(specs=tuple(specs), tools=tools)


def spelled(name: str) -> str:
    return _ODD.sub("_", name)[:NAME_MAX]


def view(plugin: str, tool: AgentTool, version: str, *, first_party: bool) -> dict[str, Any]:
    """A tool as clients see it."""
    return {
        "name": tool.name,
        "description": tool.description,
        "source": "built-in" if first_party else "extension",
        "namespace": plugin,
        "category": tool.category,
        "effect": tool.effect,
        "parameters": dict(tool.parameters),
        "deprecated": False,
        "version": version,
        "disabled": False,
    }
