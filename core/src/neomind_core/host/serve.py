"""The serving process: one host behind uvicorn, from the lock on the data directory to the last commit.

In this order: the data directory is taken, the port is taken, then the loop runs. uvicorn serves from the first moment
and plugins start meanwhile: each becomes reachable when it runs, and until all do, a path that nobody serves yet gets
503 with ``Retry-After`` rather than 404. At the end uvicorn goes first: no new connections, requests under way are
answered, and only then the plugins and the storage stop. While plugins start and stop, one that blocks the loop itself
is interrupted (see ``LoopGuard``): it alone fails, and what it blocked goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import sys
from collections.abc import Generator, Sequence
from typing import Any, cast

import click
import uvicorn
import uvloop

from neomind_core import contracts as c

from . import logs, protocols
from .cli_greeting import greet, say
from .cli_place import held
from .config import HostConfig
from .guard import LoopGuard
from .host import Host
from .http.app import HttpConfig
from .listening import CannotListen, listen, url
from .records import PluginFailed
from .signals import StopSignals
from .state import CRASHES_TO_SAFE_MODE, STABLE_AFTER_S, StateFile

GC_THRESHOLDS = (20_000, 50, 100)
# How long a thread waits before it asks for the interpreter lock. With the 5 ms that are usual, the storage's writer
# gets it when all requests at hand are taken apart, and then these and the next ones wait for its commit; with this it
# commits one half of them while the other half is taken apart.
SWITCH_S = 0.0005
REQUESTS_END_WITHIN_S = 1
KEEP_ALIVE_S = 75  # devices post every so many seconds; a shorter time may close just as they send
STOP_WITHIN_S = 9.5
REST_S = 1.5
STOP_STEP_BLOCKS_S = 2.5
PATIENCE_S = 2.0


def run(config: HostConfig) -> int:
    """Serve until a signal asks for the end; the exit code. Raises ``click.ClickException`` when it cannot begin."""
    with held(config.data_dir) as state:
        try:
            sock = listen(config.server)
        except CannotListen as error:
            raise click.ClickException(str(error)) from error
        logs.configure(config.log)
        limit = max(STOP_WITHIN_S, config.plugins.stop_cap_s + REST_S)
        loops = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        with sock, StopSignals(limit) as signals:
            with loops:
                code = loops.run(Serving(config, state, sock, signals).run())
            if code == 0:
                _noted(state.end)
            return code


class Server(uvicorn.Server):
    """uvicorn without signals of its own, and with an event for when it serves."""

    def __init__(self, app: Any, http: HttpConfig) -> None:
        config = uvicorn.Config(
            app,
            http=protocols.Http,
            ws=cast(Any, protocols.websocket),
            ws_per_message_deflate=False,  # a window of its own per connection costs more memory than it saves bytes
            interface="asgi3",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=bool(http.trusted_proxies),
            forwarded_allow_ips=http.trusted_proxies,
            timeout_graceful_shutdown=REQUESTS_END_WITHIN_S,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Reporter:
    """Keeps ``neomind plugins`` informed."""

    def __init__(self, host: Host, state: StateFile) -> None:
        self._host = host
        self._state = state
        self._one_at_a_time = asyncio.Lock()

    async def follow(self) -> None:
        """Write the report now, and whenever a plugin changes its state."""
        events = (c.ExtensionStateChanged,)
        self._host.bus.subscribe(c.Listener(name="host.report", events=events, handle=self._changed))
        await self.write()

    async def _changed(self, _notices: Sequence[c.Notice]) -> None:
        await self.write()

    async def write(self) -> None:
        async with self._one_at_a_time:
            plugins, now_ms = self._host.plugins(), self._host.clock.now_ms()
            await asyncio.to_thread(_noted, lambda: self._state.report(plugins, now_ms))


class Serving:
    """One run."""

    def __init__(self, config: HostConfig, state: StateFile, sock: socket.socket, signals: StopSignals) -> None:
        self._config = config
        self._state = state
        self._sock = sock
        self._signals = signals

    async def run(self) -> int:
        """Until a stop is asked for (0), starting fails in strict mode, or the server dies (1)."""
        host = Host(self._config, safe=self._why_safe())
        host.bound = self._sock.getsockname()[:2]
        server = Server(host.api, self._config.http)
        serving = asyncio.create_task(server.serve(sockets=[self._sock]), name="serve")
        starting = asyncio.create_task(self._start(host, server), name="start")
        lasting = asyncio.create_task(self._lasting(), name="lasting")
        asked = asyncio.create_task(self._signals.wait(), name="asked")
        await _until_over({serving, starting, asked}, starting)
        code = 0 if asked.done() else _complaint(starting, serving)
        if asked.done():
            await asyncio.to_thread(
                _noted, self._state.stable
            )  # an end that was asked for is no crash, however it goes
            say("Stopping; a second signal ends at once", err=True)
        await host.announce_stop()  # while the server still sends
        server.should_exit = True
        for task in (starting, lasting, asked):
            task.cancel()
        await asyncio.wait({serving, starting, lasting, asked})
        await _stop(host, self._config.plugins.stop_cap_s)
        return code

    def _why_safe(self) -> str | None:
        crashes = 0
        try:
            crashes = self._state.begin()
        except OSError as error:
            logs.logger("host").error("state_not_written", reason=str(error))
        if crashes < CRASHES_TO_SAFE_MODE:
            return None
        return f"{crashes} starts in a row crashed within {STABLE_AFTER_S:g} s"

    async def _start(self, host: Host, server: Server) -> None:
        await server.ready.wait()
        with LoopGuard(self._config.plugins.start_cap_s):
            await self._told_to_wait(host)
            await Reporter(host, self._state).follow()
            await self._greet(host)
            await host.settled()
        _calm_collector()
        sys.setswitchinterval(SWITCH_S)

    async def _greet(self, host: Host) -> None:
        try:
            await greet(host)
        except Exception:
            logs.logger("host").exception("greeting_failed")

    async def _told_to_wait(self, host: Host) -> None:
        start = asyncio.create_task(host.start(), name="host")
        try:
            await asyncio.wait({start}, timeout=PATIENCE_S)
            if not start.done():
                say(f"Listening on {url(host.bound)}; plugins are still starting")
            await start
        finally:
            start.cancel()

    async def _lasting(self) -> None:
        await asyncio.sleep(STABLE_AFTER_S)
        await asyncio.to_thread(_noted, self._state.stable)


async def _until_over(tasks: set[asyncio.Task[Any]], starting: asyncio.Task[None]) -> None:
    """Until one of ``tasks`` ends; that ``starting`` ends well is not the end."""
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if done == {starting} and not starting.cancelled() and starting.exception() is None:
        await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)


def _calm_collector() -> None:
    """What is there now stays, so the garbage collector need not look at it again; and it looks less often.

    A history of a thousand rows makes as many objects that all go at once: with the interpreter's own thresholds a
    third of such a request is spent on looking for cycles that nobody makes.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()


def _complaint(*tasks: asyncio.Task[None]) -> int:
    error = next((task.exception() for task in tasks if task.done() and task.exception()), None)
    if error is not None and not isinstance(error, PluginFailed):
        logs.logger("host").error("serving_failed", exc_info=error)
    say(f"Error: {error or 'the server ended by itself'}", err=True, fg="red")
    return 1


async def _stop(host: Host, cap_s: float) -> None:
    log = logs.logger("host")
    try:
        async with asyncio.timeout(cap_s + REST_S / 3):
            with LoopGuard(min(cap_s, STOP_STEP_BLOCKS_S)):
                await host.stop()
    except TimeoutError:
        log.error("stop_took_too_long", seconds=cap_s)
    except Exception:
        log.exception("stop_failed")


def _noted(note: Any) -> None:
    """Write a note for later; a full disk must not end the platform."""
    try:
        note()
    except OSError as error:
        logs.logger("host").error("state_not_written", reason=os.strerror(error.errno or 0))
