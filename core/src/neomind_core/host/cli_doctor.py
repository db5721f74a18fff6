"""``neomind doctor``: is everything in place for the platform to run here?"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from .cli_place import BadConfig, Place, pass_place, place_options

if TYPE_CHECKING:
    from .config import ServerConfig

OK, WARNING, WRONG = "ok", "warning", "wrong"
COLOURS = {OK: "green", WARNING: "yellow", WRONG: "red"}
PYTHONS = ((3, 11), (3, 14))
LITTLE_BYTES, TOO_LITTLE_BYTES = 500 * 10**6, 50 * 10**6


@attrs.frozen
class Finding:
    """``level`` is ``ok``, ``warning`` or ``wrong``."""

    name: str
    level: str
    detail: str


@click.command(params=place_options())
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_place
def doctor(place: Place, as_json: bool) -> None:
    """Check whether the platform can run here.

    The exit code is 1 when something is wrong. No plugin is imported.
    """
    findings = [finding for check in CHECKS for finding in _found(check, place)]
    well = all(finding.level != WRONG for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": well, "checks": [attrs.asdict(one) for one in findings]}, ensure_ascii=False))
    else:
        for one in findings:
            click.echo(f"{click.style(one.level.ljust(8), fg=COLOURS[one.level])} {one.name}: {one.detail}")
    click.get_current_context().exit(0 if well else 1)


def _found(check: Callable[[Place], Iterator[Finding]], place: Place) -> list[Finding]:
    """What a check finds; a check that breaks is a finding too, and the others go on."""
    try:
        return list(check(place))
    except Exception as error:
        name = check.__name__.strip("_").replace("_", " ")
        return [Finding(name, WRONG, f"cannot be checked: {type(error).__name__}: {error}")]


def _python(_place: Place) -> Iterator[Finding]:
    lowest, above = PYTHONS
    level = OK if lowest <= sys.version_info < above else WRONG
    wanted = "" if level == OK else f"; {lowest[0]}.{lowest[1]} to {above[0]}.{above[1] - 1} are wanted"
    yield Finding("python", level, f"{sys.version.split()[0]} at {sys.executable}{wanted}")


def _data_directory(place: Place) -> Iterator[Finding]:
    path = place.data_dir.absolute()
    there = next(one for one in (path, *path.parents) if one.exists())
    if not there.is_dir():
        yield Finding("data directory", WRONG, f"{there} is not a directory")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding("data directory", WRONG, f"{there} is not writable")
    else:
        new = "" if there == path else " does not exist yet, and can be made"
        yield Finding("data directory", OK, f"{path}{new}")
    free = shutil.disk_usage(there).free
    level = WRONG if free < TOO_LITTLE_BYTES else WARNING if free < LITTLE_BYTES else OK
    yield Finding("free space", level, f"{free / 10**6:,.0f} MB")


def _running(place: Place) -> Iterator[Finding]:
    from .state import StateFile

    state = StateFile(place.data_dir)
    holder = state.holder()
    if holder:
        yield Finding("running", OK, f"the process {holder} works on this data directory")
        return
    yield Finding("running", OK, "no process works on this data directory")
    yield _last_run(state.last_run().clean, state.last_run().stable, state.last_run().crashes)


def _last_run(clean: bool, stable: bool, crashes: int) -> Finding:
    if clean:
        return Finding("last run", OK, "ended as it should, or there was none")
    if stable:
        return Finding("last run", WARNING, "did not end by itself (killed, or the power went); it had run well before")
    times = f", and {crashes} before it" if crashes else ""
    return Finding("last run", WRONG, f"crashed soon after its start{times}; after three, only safe mode is started")


def _configuration(place: Place) -> Iterator[Finding]:
    try:
        config = place.load()
    except BadConfig as error:
        yield Finding("configuration", WRONG, error.message)
        return
    yield Finding("configuration", OK, "can be read")
    yield _port(place.data_dir, config.server)


def _port(data_dir: Path, server: ServerConfig) -> Finding:
    from .listening import CannotListen, listen
    from .state import StateFile

    try:
        listen(server).close()
    except CannotListen as error:
        ours = StateFile(data_dir).holder()
        return (
            Finding("port", OK, f"{server.port} is in use, by the platform")
            if ours
            else Finding("port", WRONG, str(error))
        )
    return Finding("port", OK, f"{server.port} is free")


def _plugins(place: Place) -> Iterator[Finding]:
    from .cli_plugins import overview

    rows = overview(place.data_dir).plugins
    count = Counter(row.status for row in rows)
    yield Finding("plugins", OK, f"{count['enabled']} of {len(rows)} are enabled, {count['found']} not started yet")
    for row in rows:
        if row.status not in ("enabled", "found"):
            yield Finding(
                f"plugin {row.name}", OK if row.status in ("blocked", "gone") else WRONG, f"{row.status}: {row.reason}"
            )


CHECKS = (_python, _data_directory, _running, _configuration, _plugins)
