"""What ``neomind serve`` prints once it serves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

import click
import orjson

from neomind_core import contracts as c

from .host import Host
from .listening import WILDCARDS, url

ASK_WITHIN_S = 2.0


def say(text: str, **style: Any) -> None:
    """Print a line. That nobody can read it (any more) is no reason to stop serving."""
    with contextlib.suppress(OSError, ValueError):
        click.secho(text, **style)


async def greet(host: Host) -> None:
    """Say where it serves, what did not start, what is to be done first, and what to be warned of."""
    address = url(host.bound)
    say(f"NeoMind {host.version} serves at {address}", fg="green", bold=True)
    if host.bound[0] in WILDCARDS:
        say(f"It listens on all addresses of this machine, port {host.bound[1]}")
    _plugins(host.plugins())
    if await _without_administrator(host):
        _first_administrator(address)
    for warning in [warning async for warning in _warnings(host)]:
        say(f"WARNING: {warning}", fg="yellow", bold=True, err=True)


def _plugins(plugins: Iterable[c.PluginInfo]) -> None:
    """How many run; the others by status and reason, for a reason is often that of many."""
    groups: dict[tuple[str, str], list[str]] = {}
    running = 0
    for info in plugins:
        if info.status is c.Status.ENABLED:
            running += 1
        else:
            groups.setdefault((info.status.value, info.reason), []).append(info.name)
    say(f"Plugins running: {running}" + ("" if groups else ", all of them"))
    for (status, reason), names in groups.items():
        colour = "yellow" if status in ("blocked", "found") else "red"
        say(f"  {click.style(status, fg=colour)}: {', '.join(names)}: {reason}")


def _first_administrator(address: str) -> None:
    body = """'{"username": "admin", "password": "..."}'"""
    say("There is no administrator yet. To make one, any of:", bold=True)
    say(f"  curl {address}/api/setup/initialize -H 'Content-Type: application/json' -d {body}")
    say("  POST /api/auth/register with the same body: the first user becomes the administrator")
    say("  neomind user add admin, while the server is stopped")


async def _warnings(host: Host) -> Any:
    if host.safe_mode:
        yield f"safe mode ({host.safe_mode}): only first-party plugins were started; see `neomind plugins`"
    storage = host.services.get(c.OpenStorage)
    if storage is None:
        yield "no storage is open: nothing is kept"
    elif (await storage.value.info()).durability == "fast":
        yield "durability is 'fast': what was acknowledged last may be lost when the power goes"


async def _without_administrator(host: Host) -> bool:
    """Whether the platform asks for its setup. The core knows no users: it asks like any client would."""
    try:
        async with asyncio.timeout(ASK_WITHIN_S):
            answer = orjson.loads(await _get(host, "/api/setup/status"))
    except (TimeoutError, ValueError):
        return False
    data = answer.get("data") if isinstance(answer, dict) else None
    return isinstance(data, dict) and data.get("setup_required") is True


async def _get(host: Host, path: str) -> bytes:
    body = bytearray()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 0),
        "server": host.bound,
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        body.extend(message.get("body", b""))

    await host.api(scope, receive, send)
    return bytes(body)
