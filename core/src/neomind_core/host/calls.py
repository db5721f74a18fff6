"""The one place that touches pluggy: typed, per plugin, and strict about names."""

from __future__ import annotations

import difflib
import inspect
from typing import Any

import pluggy

from .. import hookspecs
from ..contracts import PluginContext

Collected = dict[str, list[Any]]
AT_START = ("start", "stop")


class HookError(Exception):
    """The hooks of a plugin are not what the specs ask for; the message says which and what to do."""


class HookCalls:
    """Registers the hooks of plugins and calls them for one plugin at a time."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    def register(self, name: str, hooks: Any) -> None:
        """Add the hooks of a plugin; raises ``HookError`` for a misspelt, unmarked or wrongly shaped one."""
        _refuse_unmarked(hooks)
        try:
            self._manager.register(hooks, name=name)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            self.unregister(name)
            raise HookError(_explain(hooks, error)) from error

    def unregister(self, name: str) -> None:
        """Take the hooks of a plugin away; nothing happens when it has none."""
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def collect(self, name: str, kind: str, ctx: PluginContext) -> list[Any]:
        """What one plugin contributes of one kind."""
        plugin = self._manager.get_plugin(name)
        others = [other for other in self._manager.get_plugins() if other is not plugin]
        caller = self._manager.subset_hook_caller(f"neomind_{kind}", remove_plugins=others)
        return [item for result in caller(ctx=ctx) for item in _as_list(kind, result)]

    def collect_all(self, name: str, ctx: PluginContext) -> Collected:
        """Everything that one plugin contributes while assembling, settings excepted."""
        kinds = [hook.removeprefix("neomind_") for hook in hookspecs.hook_names()]
        found = {kind: self.collect(name, kind, ctx) for kind in kinds if kind not in ("settings", *AT_START)}
        return {kind: items for kind, items in found.items() if items}


def _as_list(kind: str, result: Any) -> list[Any]:
    if inspect.iscoroutine(result):
        result.close()
        raise HookError(f"neomind_{kind} is async, hooks are synchronous; async work lives on what they return")
    if not isinstance(result, list | tuple):
        raise HookError(f"neomind_{kind} returned {type(result).__name__}, a list is wanted")
    return list(result)


def _refuse_unmarked(hooks: Any) -> None:
    marker = f"{hookspecs.PROJECT}_impl"
    for attribute in dir(hooks):
        value = getattr(hooks, attribute, None) if attribute.startswith("neomind_") else None
        if callable(value) and not hasattr(value, marker):
            raise HookError(f"'{attribute}' lacks the decorator @hookimpl")


def _explain(hooks: Any, error: Exception) -> str:
    known = hookspecs.hook_names()
    for attribute in dir(hooks):
        # Only what is marked: a module that hooks live in may well have imported `neomind_sdk`.
        if attribute not in known and hasattr(getattr(hooks, attribute, None), f"{hookspecs.PROJECT}_impl"):
            close = difflib.get_close_matches(attribute, known, n=1)
            return f"there is no hook '{attribute}'" + (f"; did you mean '{close[0]}'?" if close else "")
    return str(error).replace("\n", " ")
