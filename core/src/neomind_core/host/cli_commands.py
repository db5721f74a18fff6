"""Commands that plugins contribute.

Looking for them imports a plugin and its hooks and asks ``neomind_cli``, nothing else: no routes, no tables, no
settings. A plugin that fails here loses its commands and is named in one line on stderr.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import attrs
import click

from neomind_core.contracts import CliCommand, Plugin, Status

from . import checks, threads
from .calls import HookCalls, HookError
from .cli_place import Place, held, quiet_logs
from .config import HostConfig, PluginsConfig
from .discovery import Candidate, scan
from .host import Host
from .order import providers
from .records import NAME, PluginFailed, Record

T = TypeVar("T")
ASK_WITHIN_S = 10.0
IN_USE = "; stop the server first, or use its REST API"


@attrs.frozen
class Found:
    """A plugin that was imported, and where it came from."""

    candidate: Candidate
    record: Record


@attrs.frozen
class Offer:
    """A command, and the means it is built with."""

    command: CliCommand
    plugin: str
    tools: Tools

    def build(self) -> click.Command:
        """The click command; raises ``click.ClickException`` when the plugin cannot build it."""
        try:
            built = self.command.build(self.tools)
        except (Exception, SystemExit) as error:
            text = f"the plugin '{self.plugin}' cannot build this command: {threads.describe(error)}"
            raise click.ClickException(text) from error
        if not isinstance(built, click.Command):
            raise click.ClickException(f"the plugin '{self.plugin}' built a {type(built).__name__}, no click command")
        return built


@attrs.frozen
class Tools:
    """The ``CliTools`` of one plugin; ``candidates`` are what it works with, itself among them."""

    config: HostConfig
    plugin: str
    candidates: Sequence[Candidate]

    def run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        with held(self.config.data_dir, hint=IN_USE):
            quiet_logs(self.config)
            return asyncio.run(self._run(work))

    async def _run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        host = Host(self.config, find=lambda: list(self.candidates))
        try:
            return await work(await self._started(host))
        finally:
            await host.stop()

    async def _started(self, host: Host) -> Any:
        try:
            await host.start()
            await host.settled()
        except PluginFailed as error:
            raise click.ClickException(str(error)) from error
        record = host.board.get(self.plugin)
        if record is None or record.status is not Status.ENABLED:
            why = f"{record.status.value}: {record.reason}" if record else "it is not there any more"
            raise click.ClickException(f"the plugin '{self.plugin}' cannot start: {why}")
        return record.context


def offers(place: Place, taken: Iterable[str]) -> dict[str, Offer]:
    """The commands of plugins by name; ``taken`` are the core's own names. Raises ``BadConfig``."""
    config = place.load()
    quiet_logs(config)
    found = asyncio.run(_asked(config))
    _refuse_conflicts(found, set(taken))
    plugins = {one.record.name: one.record.plugin for one in found if one.record.plugin}
    offered: dict[str, Offer] = {}
    for one in found:
        name = one.record.name
        for command in one.record.contributions.get("cli", ()):
            needed = closure(name, plugins)
            tools = Tools(config, name, [other.candidate for other in found if other.record.name in needed])
            offered[command.name] = Offer(command, name, tools)
    return offered


def closure(name: str, plugins: Mapping[str, Plugin]) -> set[str]:
    """The plugins that a command of ``name`` works with: the storage, and what it requires, and what those require.

    What the plugin itself names in ``after`` belongs to it: it asks those through ``services.find()``, and a command
    must do the same as the server would. What the required ones name in ``after`` does not: they work without, and
    each plugin less is one less that connects, listens or sends while somebody only wants to list users.
    """
    who = providers(plugins.values())
    wanted, found = ["storage", name, *plugins[name].after], set[str]()
    while wanted:
        for owner in who.get(wanted.pop(), ()):
            if owner not in found:
                found.add(owner)
                wanted += plugins[owner].requires
    return found


async def _asked(config: HostConfig) -> list[Found]:
    calls, host = HookCalls(), Host(config)
    wanted = [one for one in scan(config.data_dir / "extensions") if _wanted(one, config.plugins)]
    found: list[Found] = []
    for candidate in _one_name_each(wanted):
        one = Found(candidate, _record(candidate))
        try:
            await threads.call(partial(_ask, calls, host, one), ASK_WITHIN_S)
        except threads.ForeignError as failed:
            _lost(candidate, str(failed))
        except TimeoutError:
            _lost(candidate, f"asking it took over {ASK_WITHIN_S:g} s")
        else:
            found.append(one)
    return found


def _one_name_each(candidates: Iterable[Candidate]) -> list[Candidate]:
    """As the server decides it: of several plugins with one name the first-party one, else none."""
    rivals: dict[str, list[Candidate]] = {}
    for one in candidates:
        rivals.setdefault(one.name, []).append(one)
    for name, several in rivals.items():
        ours = [one for one in several if one.first_party]
        kept = several if len(several) == 1 else ours if len(ours) == 1 else []
        for one in several:
            if one not in kept:
                _lost(one, f"{' and '.join(rival.distribution for rival in several)} both have a plugin of this name")
        rivals[name] = kept
    return [one for kept in rivals.values() for one in kept]


def _wanted(one: Candidate, config: PluginsConfig) -> bool:
    """Whether the plugin would be loaded by the server, as far as that can be told from the outside."""
    asked_for = one.name not in config.block and (config.only is None or one.name in config.only)
    return asked_for and not one.gate and bool(NAME.fullmatch(one.name)) and (one.first_party or not config.safe)


def _record(one: Candidate) -> Record:
    return Record(
        name=one.name,
        distribution=one.distribution,
        version=one.version,
        first_party=one.first_party,
        location=one.location,
    )


def _ask(calls: HookCalls, host: Host, one: Found) -> None:
    record = one.record
    record.plugin, hooks = one.candidate.load()
    calls.register(record.name, hooks)
    record.context = host.context(record)
    commands = calls.collect(record.name, "cli", record.context)
    problem = checks.wrong(record.name, "cli", commands)
    if problem:
        raise HookError(problem)
    record.contributions = {"cli": commands} if commands else {}


def _refuse_conflicts(found: Iterable[Found], taken: set[str]) -> None:
    found = list(found)
    for one in found:
        commands = one.record.contributions.get("cli", [])
        for command in [command for command in commands if command.name in taken]:
            commands.remove(command)
            _lost(one.candidate, f"'{command.name}' is a command of the core")
    refused = checks.conflicts([], [one.record for one in found])
    for one in found:
        if id(one.record) in refused:
            one.record.contributions = {}
            _lost(one.candidate, refused[id(one.record)])


def _lost(one: Candidate, reason: str) -> None:
    click.echo(f"No commands from the plugin '{one.name}' of {one.distribution}: {reason}", err=True)
