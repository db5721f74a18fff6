"""The plugin in a host, with the jobs of other plugins."""

from __future__ import annotations

import asyncio

from neomind_plugins.scheduler import plugin as scheduler
from neomind_plugins.scheduler.service import Jobs
from neomind_plugins.settings import plugin as settings_plugin
from neomind_sdk import Cron, Every, Job, Platform, Plugin, Status, hookimpl
from neomind_sdk.testing import make_host, needs

from .conftest import HOUR

FILE = """
from neomind_sdk import Every, Job, Plugin, hookimpl
plugin = Plugin(name="late", summary="Comes while the platform runs.", version="1.0")

@hookimpl
def neomind_jobs(ctx):
    async def tick():
        ctx.log.info("tick")
    return [Job(name="late.tick", trigger=Every(seconds=5), run=tick)]
"""


class Worker:
    """A plugin with one job; ``doom`` ends its background task, and with it the plugin."""

    def __init__(self, trigger, misfire="skip"):
        self.trigger = trigger
        self.misfire = misfire
        self.runs = 0
        self.ctx = None

    @hookimpl
    def neomind_jobs(self, ctx):
        self.ctx = ctx
        return [Job(name="worker.job", trigger=self.trigger, run=self.run, misfire=self.misfire)]

    async def run(self):
        self.runs += 1

    async def fail(self):
        raise RuntimeError("doom")


def worker_plugin(worker):
    return Plugin(name="worker", summary="Has a job.", hooks=worker)


async def test_jobs_of_plugins_run_whichever_starts_first():
    worker = Worker(Every(seconds=10))
    for order in ([scheduler, worker_plugin(worker)], [worker_plugin(worker), scheduler]):
        worker.runs = 0
        async with make_host(*order) as host:
            await host.settle()
            await host.clock.advance(25)
            assert worker.runs == 2
            assert [job.name for job in host.services[Jobs].all()] == ["worker.job"]


async def test_without_the_plugin_no_job_runs():
    worker = Worker(Every(seconds=10))
    async with make_host(worker_plugin(worker)) as host:
        await host.clock.advance(25)
        assert worker.runs == 0


async def test_a_plugin_that_fails_takes_its_jobs_along():
    worker = Worker(Every(seconds=10))
    async with make_host(scheduler, worker_plugin(worker), strict=False) as host:
        await host.settle()
        await host.clock.advance(10)
        worker.ctx.spawn(worker.fail(), "doom")
        async with asyncio.timeout(10):
            while host.services[Jobs].all():  # noqa: ASYNC110 - what is undone, is undone in a thread
                await asyncio.sleep(0.001)
        await host.clock.advance(30)
        assert worker.runs == 1


async def test_a_plugin_that_is_put_in_while_running_brings_its_jobs(tmp_path):
    async with make_host(scheduler, data_dir=tmp_path, extensions=True) as host:
        extensions = tmp_path / "extensions"
        extensions.mkdir(exist_ok=True)
        (extensions / "late.py").write_text(FILE)
        [info] = await host.services[Platform].discover()
        assert (info.name, info.status) == ("late", Status.ENABLED)
        await host.settle()
        await host.clock.advance(12)
        [job] = host.services[Jobs].all()
        assert (job.name, job.plugin, job.state.runs) == ("late.tick", "late", 2)


@needs("settings")
async def test_the_time_zone_is_that_of_the_settings():
    worker = Worker(Cron(expression="0 12 * * *"))
    async with make_host(settings_plugin, scheduler, worker_plugin(worker)) as host:
        answer = await host.client().put("/api/settings/timezone", json={"timezone": "America/New_York"})
        assert answer.status_code == 200
        await host.settle()
        await host.clock.advance(60)
        [job] = host.services[Jobs].all()
        assert job.next_ms // 3_600_000 % 24 == 17


async def test_without_settings_the_time_zone_is_utc():
    worker = Worker(Cron(expression="0 12 * * *"))
    async with make_host(scheduler, worker_plugin(worker)) as host:
        await host.settle()
        [job] = host.services[Jobs].all()
        assert job.next_ms // 3_600_000 % 24 == 12


async def test_a_stopped_platform_runs_nothing():
    worker = Worker(Every(seconds=10))
    async with make_host(scheduler, worker_plugin(worker)) as host:
        await host.settle()
        clock = host.clock
    await clock.advance(HOUR)
    assert worker.runs == 0


async def test_health_names_jobs_that_cannot_run():
    worker = Worker(Cron(expression="every day"))
    async with make_host(scheduler, worker_plugin(worker)) as host:
        await host.settle()
        [check] = [item for name, item in host.host.contributions("health") if name == "scheduler"]
        health = await check.check()
        assert not health.ok
        assert health.detail.startswith("worker.job: expression: must have 5 fields")
