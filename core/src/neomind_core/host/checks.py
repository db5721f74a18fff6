"""What contributed objects must be, and who may have a name when two want it."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import contracts as c
from .http.routing import check_alias, check_route
from .records import Record, contribution_name

KINDS: Mapping[str, type[Any] | tuple[type[Any], ...]] = {
    "settings": c.SettingsSection,
    "storages": c.Storage,
    "tables": c.Tables,
    "services": c.Service,
    "auth_schemes": c.AuthScheme,
    "transports": c.Transport,
    "channels": c.ChannelType,
    "llm_backends": c.LLMBackendType,
    "rule_actions": c.RuleActionType,
    "push_targets": c.PushTargetType,
    "dashboard_components": c.DashboardComponent,
    "agent_tools": c.AgentTool,
    "commands": c.ExtensionCommand,
    "routes": (c.Route, c.SocketRoute, c.Alias, c.Mirror),
    "jobs": c.Job,
    "cli": c.CliCommand,
    "health": c.HealthCheck,
    "listeners": c.Listener,
    "start": c.Step,
    "stop": c.Step,
}
PARAMETER = re.compile(r"\{[^}]*\}")
# Commands belong to their plugin: two plugins may both have a `roll`.
PRIVATE_KINDS = frozenset({"commands", "start", "stop"})


def wrong(plugin: str, kind: str, items: Iterable[Any]) -> str | None:
    """Why what a plugin contributes of one kind cannot be used; ``None`` when it can."""
    seen: set[str] = set()
    for item in items:
        if not isinstance(item, KINDS[kind]):
            return f"neomind_{kind}: {_what(item)} is not {_wanted(kind)}{_lacks(kind, item)}"
        name = contribution_name(item)
        if name in seen:
            return f"neomind_{kind}: '{name}' is contributed twice"
        seen.add(name)
        check = _CHECKS.get(kind)
        problem = check(plugin, item) if check else None
        if problem:
            return f"neomind_{kind}: '{name}': {problem}"
    return None


def _what(item: Any) -> str:
    return f"the class {item.__name__}" if isinstance(item, type) else f"a {type(item).__name__}"


def _wanted(kind: str) -> str:
    kinds = KINDS[kind]
    names = [cls.__name__ for cls in (kinds if isinstance(kinds, tuple) else (kinds,))]
    return " or ".join(names)


def _lacks(kind: str, item: Any) -> str:
    protocol = KINDS[kind]
    members = getattr(protocol, "__protocol_attrs__", None) or getattr(protocol, "__annotations__", {})
    missing = sorted(name for name in members if not hasattr(item, name) and not name.startswith("_"))
    return f" (it lacks {', '.join(missing)})" if missing and not isinstance(protocol, tuple) else ""


def _route(_plugin: str, item: Any) -> str | None:
    if isinstance(item, c.Alias):
        return check_alias(item)
    return check_route(item) if isinstance(item, c.Route | c.SocketRoute) else None


def _bundle(_plugin: str, item: c.DashboardComponent) -> str | None:
    if item.bundle is None:
        return None
    package, _, path = item.bundle.partition(":")
    try:
        there = importlib.resources.files(package).joinpath(path).is_file()
    except (ModuleNotFoundError, ValueError, TypeError):
        there = False
    return None if path and there else f"the bundle '{item.bundle}' is not in the package"


def _tables(plugin: str, item: c.Tables) -> str | None:
    if item.name != plugin:
        return f"the set must be named like the plugin, '{plugin}'"
    for model in item.models:
        table = model._meta.table_name
        if not table.startswith(f"{plugin}_"):
            return f"the table '{table}' must be named '{plugin}_…'"
    steps = [step.name for step in item.steps]
    return "two steps have one name" if len(set(steps)) < len(steps) else None


_CHECKS: Mapping[str, Callable[[str, Any], str | None]] = {
    "routes": _route,
    "dashboard_components": _bundle,
    "tables": _tables,
}


def conflicts(running: Iterable[Record], fresh: Iterable[Record]) -> dict[int, str]:
    """Reasons, by ``id(record)``, of the fresh records that must give way.

    What runs already stays. Among the fresh ones first-party wins; two strangers are both refused.
    """
    taken: dict[tuple[str, str], list[Record]] = {}
    for record in running:
        for claim in claims(record):
            taken.setdefault(claim, []).append(record)
    standing, refused = set(map(id, running)), dict[int, str]()
    fresh = list(fresh)
    for record in fresh:
        for claim in claims(record):
            taken.setdefault(claim, []).append(record)
    for (kind, name), owners in taken.items():
        if len(owners) > 1:
            winner = next((o for o in owners if id(o) in standing), None) or _first_party(owners)
            for loser in owners:
                if loser is not winner and id(loser) not in standing:
                    refused.setdefault(id(loser), _sentence(kind, name, owners, winner))
    return refused


def claims(record: Record) -> list[tuple[str, str]]:
    """What a plugin must have for itself: its contributions by kind and name."""
    return [
        (kind, _claimed(item))
        for kind, items in record.contributions.items()
        if kind not in PRIVATE_KINDS
        for item in items
        if not (isinstance(item, c.Service) and item.private)
    ]


def _claimed(item: Any) -> str:
    """The name, for a path without what its parameters are called: ``GET /a/{x}`` and ``GET /a/{y}`` are one route."""
    name = contribution_name(item)
    return PARAMETER.sub("{}", name) if isinstance(item, c.Route | c.SocketRoute | c.Alias) else name


def _first_party(owners: list[Record]) -> Record | None:
    ours = [owner for owner in owners if owner.first_party]
    return ours[0] if len(ours) == 1 else None


def _sentence(kind: str, name: str, owners: list[Record], winner: Record | None) -> str:
    who = " and ".join(f"{owner.distribution} ({owner.name})" for owner in owners)
    end = f"{winner.distribution} keeps it" if winner else "neither gets it"
    return f"{who} both contribute the {kind.rstrip('s')} '{name}'; {end}"
