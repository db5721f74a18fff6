"""``neomind plugins``: what is installed, from metadata alone, and what became of it when the platform last ran."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from .cli_place import Place, pass_place, place_options

if TYPE_CHECKING:
    from .discovery import Candidate

COLUMNS = ("name", "status", "distribution", "version", "reason")
COLOURS = {"enabled": "green", "found": "yellow", "blocked": "yellow"}


@attrs.frozen(kw_only=True)
class Row:
    """One plugin; ``status`` is one of ``Status``, or ``gone`` when it was there and is not installed any more."""

    name: str
    status: str
    reason: str
    distribution: str
    version: str
    summary: str = ""
    location: str | None = None


@attrs.frozen(kw_only=True)
class Overview:
    """``running`` is the process that serves now, ``reported_ms`` when the statuses were noted."""

    running: str | None
    reported_ms: int | None
    plugins: list[Row]


def overview(data_dir: Path) -> Overview:
    """Every plugin that is installed or was reported; imports none of them."""
    from .discovery import scan
    from .state import StateFile

    state = StateFile(data_dir)
    report = state.last_report()
    known = {(info.get("name", ""), info.get("distribution", "")): info for info in report.get("plugins", [])}
    found = {(one.name, one.distribution): one for one in scan(data_dir / "extensions")}
    rows = [*_there(found, known), *(_gone(known[key]) for key in known.keys() - found.keys())]
    rows.sort(key=lambda row: (row.name, row.distribution))
    return Overview(running=state.holder(), reported_ms=report.get("at_ms"), plugins=rows)


def _there(found: Mapping[Any, Candidate], known: Mapping[Any, Mapping[str, Any]]) -> Iterator[Row]:
    for key, one in found.items():
        told = known.get(key, {})
        status, reason = told.get("status", "found"), told.get("reason", "was not there when the platform last ran")
        if not known:
            reason = "the platform has not run here yet"
        if one.gate and status != "blocked":
            status, reason = "incompatible", f"{one.distribution} {one.gate}"
        yield Row(
            name=one.name,
            status=status,
            reason=reason,
            distribution=one.distribution,
            version=one.version,
            summary=told.get("summary", ""),
            location=one.location,
        )


def _gone(told: Mapping[str, Any]) -> Row:
    return Row(
        name=told.get("name", ""),
        status="gone",
        reason="was there when the platform last ran, is not installed any more",
        distribution=told.get("distribution", ""),
        version=told.get("version", ""),
        summary=told.get("summary", ""),
    )


@click.command(params=place_options())
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_place
def plugins(place: Place, as_json: bool) -> None:
    """Show every plugin with its status and the reason.

    No plugin is imported, so this works when one of them keeps the platform from starting.
    """
    seen = overview(place.data_dir)
    if as_json:
        click.echo(json.dumps(attrs.asdict(seen), ensure_ascii=False, indent=2))
        return
    click.echo(_since(seen))
    for line in table(seen.plugins):
        click.echo(line)


def _since(seen: Overview) -> str:
    if seen.reported_ms is None:
        what = "not reported yet" if seen.running else "never run here"
    else:
        what = "as of " + time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seen.reported_ms / 1000))
    return f"The platform is running (process {seen.running}), {what}" if seen.running else f"Not running; {what}"


def table(rows: list[Row]) -> Iterator[str]:
    """The rows as aligned columns, the status in colour."""
    texts = [[str(getattr(row, column)) for column in COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip([c.upper() for c in COLUMNS], *texts, strict=True)]
    yield "  ".join(name.upper().ljust(width) for name, width in zip(COLUMNS, widths, strict=True)).rstrip()
    for line in texts:
        cells = [text.ljust(width) for text, width in zip(line, widths, strict=True)]
        cells[1] = click.style(cells[1], fg=COLOURS.get(line[1], "red"))
        yield "  ".join(cells).rstrip()
