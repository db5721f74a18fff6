"""One run of the serving process inside this one, with signals that the test gives."""

import asyncio
from contextlib import asynccontextmanager

import attrs
import pytest

from neomind_core.host import serve, state
from neomind_core.host.config import load
from neomind_core.host.listening import listen
from neomind_core.host.state import StateFile

STARTS_WHEN_TOLD = """
@hookimpl
def neomind_start(ctx):
    async def run():
        while not (ctx.data_dir / "go").exists():
            await ctx.clock.sleep(0.01)
    return [Step(name="wait", run=run)]
"""
DIES = """
@hookimpl
def neomind_start(ctx):
    async def work():
        while not (ctx.data_dir / "die").exists():
            await ctx.clock.sleep(0.01)
        raise RuntimeError("died")
    async def run():
        ctx.spawn(work(), "work")
    return [Step(name="spawn", run=run)]
"""


class Signals:
    """Asks for the end when the test says so."""

    def __init__(self):
        self.asked = asyncio.Event()

    async def wait(self):
        await self.asked.wait()


@attrs.frozen
class Run:
    state: StateFile
    signals: Signals
    task: asyncio.Task

    async def until(self, holds):
        """Wait until something in the data directory is so."""
        for _ in range(2000):
            if holds():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not come to be so")


@pytest.fixture
def serving(neomind):
    @asynccontextmanager
    async def start(**settings):
        env = {"NEOMIND_ONLY": ",".join([*neomind.names, "-"]), "NEOMIND_HOST": "127.0.0.1", "PORT": "0", **settings}
        config = load(data_dir=neomind.data, environment=env)
        kept, signals = StateFile(neomind.data), Signals()
        kept.lock()
        sock = listen(config.server)
        task = asyncio.create_task(serve.Serving(config, kept, sock, signals).run())
        try:
            yield Run(kept, signals, task)
            signals.asked.set()
            async with asyncio.timeout(10):
                await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            sock.close()
            kept.unlock()

    return start


def reported(run, name):
    return next((p for p in run.state.last_report().get("plugins", []) if p["name"] == name), {}).get("status")


async def test_a_run_that_lasts_is_noted(serving, monkeypatch):
    monkeypatch.setattr(serve, "STABLE_AFTER_S", 0.01)
    async with serving() as run:
        await run.until(lambda: run.state.last_run() == state.Run(clean=False, stable=True))


async def test_a_run_that_has_not_lasted_yet_is_not(serving):
    async with serving() as run:
        await run.until(run.state.last_report)
        assert not run.state.last_run().stable
    assert run.state.last_run().stable  # the end was asked for: no crash


async def test_the_report_follows_a_plugin_that_dies(neomind, serving):
    neomind.plugin("mortal", DIES)
    async with serving() as run:
        await run.until(lambda: reported(run, "mortal") == "enabled")
        (neomind.data / "die").touch()
        await run.until(lambda: reported(run, "mortal") == "failed_at_run")


async def test_the_report_follows_a_plugin_that_starts_late(neomind, serving):
    neomind.plugin("late", STARTS_WHEN_TOLD)
    async with serving(NEOMIND_PLUGINS__START_WARN_S="0.05") as run:
        await run.until(lambda: reported(run, "late") == "found")
        (neomind.data / "go").touch()
        await run.until(lambda: reported(run, "late") == "enabled")


async def test_strict_mode_ends_with_the_first_plugin_that_fails(neomind, serving, capsys):
    neomind.plugin("bomb", "raise RuntimeError('no')")
    async with serving(NEOMIND_STRICT="1") as run:
        async with asyncio.timeout(10):
            assert await run.task == 1
    assert "Error: bomb: import_error: RuntimeError: no" in capsys.readouterr().err


async def test_a_note_that_cannot_be_written_ends_nothing(neomind, serving, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StateFile, "_write", full)
    async with serving() as run:
        await run.until(lambda: "serves at" in capsys.readouterr().out)
    assert run.task.result() == 0
