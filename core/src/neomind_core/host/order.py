"""In which order plugins start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

import attrs

from ..contracts import Plugin


@attrs.frozen
class Plan:
    """``order`` to start in; ``missing`` and ``cycles`` map a plugin to the reason why it cannot start."""

    order: tuple[str, ...]
    missing: Mapping[str, str]
    cycles: Mapping[str, str]


def providers(plugins: Iterable[Plugin]) -> dict[str, list[str]]:
    """Names, and names provided, to the plugins behind them."""
    found: dict[str, list[str]] = {}
    for plugin in plugins:
        for name in dict.fromkeys((plugin.name, *plugin.provides)):
            found.setdefault(name, []).append(plugin.name)
    return found


def plan(plugins: Mapping[str, Plugin], broken: Mapping[str, str], known: Iterable[str] = ()) -> Plan:
    """Sort ``plugins``; ``broken`` are the reasons of names that already failed, ``known`` names that run already."""
    alive, missing = dict(plugins), dict[str, str]()
    running = set(known)
    while lacking := _lacking(alive, running, {**broken, **_by_all_names(plugins, missing)}):
        missing |= lacking
        alive = {name: plugin for name, plugin in alive.items() if name not in lacking}
    order, cycles = _sort(alive)
    if cycles:
        rest = {name: plugin for name, plugin in alive.items() if name not in cycles}
        later = plan(rest, {**broken, **_by_all_names(plugins, {**missing, **cycles})}, running)
        return Plan(later.order, {**missing, **later.missing}, {**cycles, **later.cycles})
    return Plan(order, missing, {})


def _by_all_names(plugins: Mapping[str, Plugin], reasons: Mapping[str, str]) -> dict[str, str]:
    """Reasons by plugin, also under what these plugins would provide."""
    provided = {extra: reason for name, reason in reasons.items() for extra in plugins[name].provides}
    return {**provided, **reasons}


def _lacking(alive: Mapping[str, Plugin], running: set[str], reasons: Mapping[str, str]) -> dict[str, str]:
    there = set(providers(alive.values())) | running
    lacking: dict[str, str] = {}
    for name, plugin in alive.items():
        for wanted in plugin.requires:
            if wanted not in there:
                why = reasons.get(wanted)
                lacking[name] = f"requires '{wanted}', which " + (f"is not running: {why}" if why else "is not there")
                break
    return lacking


def _sort(plugins: Mapping[str, Plugin]) -> tuple[tuple[str, ...], dict[str, str]]:
    who = providers(plugins.values())
    graph: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(plugins):
        plugin = plugins[name]
        wanted = [other for want in (*plugin.requires, *plugin.after) for other in who.get(want, ())]
        graph.add(name, *(other for other in sorted(wanted) if other != name))
    try:
        return tuple(graph.static_order()), {}
    except CycleError as error:
        loop = " → ".join(reversed(error.args[1]))
        return (), dict.fromkeys(error.args[1], f"requires or after form a loop: {loop}")
