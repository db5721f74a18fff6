"""The broker's process: started, watched, started again when it ends by itself, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import attrs

from neomind_sdk import Logger, PluginUnavailable

from .errors import BrokerDown

CHILD = str(Path(__file__).with_name("child.py"))
READY_S = 15.0
POLL_S = 0.02
STOP_S = 1.0
LAST_LINES = 5
# A broker that crashes at once costs little at this pace, and devices are not to wait long for one that crashed once.
RESTART_FIRST_S = 0.1
RESTART_MOST_S = 2.0
STEADY_S = 30.0
Endpoint = tuple[str, int]


@attrs.frozen(kw_only=True)
class Launch:
    """What a process is started with; ``endpoints`` are where it listens once it is up."""

    toml: str = attrs.field(repr=False)
    endpoints: tuple[Endpoint, ...]


class Child:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, launch: Launch) -> Child:
        """Start, and wait until it listens; raises ``BrokerDown`` with the reason."""
        child = cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                CHILD,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C at a terminal is for the platform, which then stops the broker
            )
        )
        try:
            await child._feed(launch.toml.encode())
            await asyncio.wait_for(child._listening(launch.endpoints), READY_S)
        except BaseException as error:
            await child.stop()
            if isinstance(error, TimeoutError):
                raise BrokerDown(f"the broker did not listen within {READY_S:g} s") from error
            raise
        return child

    async def wait(self) -> str:
        """Until it ended; returns how."""
        code = await self.process.wait()
        await self._reader
        return f"the broker's process ended with {code}" + "".join(f"; {line}" for line in self._lines)

    async def stop(self) -> None:
        """Close its pipe, which ends it; kill it when it does not."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        await self._reader

    async def _feed(self, text: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"%d\n%s" % (len(text), text))
        with contextlib.suppress(ConnectionError):  # it ended already, and why comes out of wait()
            await self.process.stdin.drain()

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self._lines.append(line.decode(errors="replace").strip())

    async def _listening(self, endpoints: tuple[Endpoint, ...]) -> None:
        while not all([await answers(endpoint) for endpoint in endpoints]):
            if self.process.returncode is not None:
                raise BrokerDown(await self.wait())
            await asyncio.sleep(POLL_S)
        if self.process.returncode is not None:  # then somebody else answered
            raise BrokerDown(await self.wait())


class Supervisor:
    """Keeps one process running. ``launch`` is asked anew at every start; ``changed`` is called when it is up."""

    def __init__(self, launch: Callable[[], Launch], log: Logger) -> None:
        self._launch = launch
        self._log = log
        self._child: Child | None = None
        self._watching: asyncio.Task[None] | None = None
        self.detail = "not started yet"
        self.restarts = 0

    @property
    def running(self) -> bool:
        return self._child is not None

    @property
    def pid(self) -> int | None:
        return self._child.process.pid if self._child else None

    async def start(self) -> None:
        """Raises ``BrokerDown`` and ``PortInUse``; then nothing runs."""
        await self._up()
        self._watching = asyncio.create_task(self._watch())

    async def resume(self) -> None:
        """Start what ran before; when that fails now, it is tried again until it does not."""
        try:
            await self._up()
        except (PluginUnavailable, OSError) as error:
            self.detail = str(error)
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        child, self._child = self._child, None
        if child is not None:
            await child.stop()
        self.detail = "stopped"

    async def _up(self) -> None:
        self._child = await Child.start(self._launch())
        self.detail = ""

    async def _watch(self) -> None:
        delay, told, loop = RESTART_FIRST_S, "", asyncio.get_running_loop()
        while True:
            began = loop.time()
            if self._child is not None:
                self.detail = await self._child.wait()
                self._child = None
            if self.detail != told:
                self._log.warning("mqtt_broker_ended", reason=self.detail)
            told = self.detail
            delay = RESTART_FIRST_S if loop.time() - began > STEADY_S else min(delay * 2, RESTART_MOST_S)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            await self._again()

    async def _again(self) -> None:
        try:
            await self._up()
        except (PluginUnavailable, OSError) as error:
            self.detail = str(error)
        else:
            self.restarts += 1
            self._log.warning("mqtt_broker_restarted", times=self.restarts)


async def answers(endpoint: Endpoint) -> bool:
    """Whether something listens there."""
    try:
        _, writer = await asyncio.open_connection(*endpoint)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
