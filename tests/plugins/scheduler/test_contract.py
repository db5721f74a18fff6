"""Scheduler as the contracts of its extension points want it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from neomind_plugins.scheduler import hooks
from neomind_plugins.scheduler.migrations import STEPS, migrate
from neomind_plugins.scheduler.tables import MODELS
from neomind_sdk import Tables
from neomind_sdk.testing.memory import open_memory
from neomind_sdk.testing.suites import TablesContract


class TestTables(TablesContract):
    """They are not contributed, because the scheduler does without a storage, but are as if they were."""

    def make(self) -> Any:
        return Tables(name="scheduler", models=MODELS, steps=STEPS)


async def test_steps_that_are_done_do_nothing(tmp_path: Any) -> None:
    storage = await open_memory(tmp_path, None)
    await storage.migrate(migrate)
    await storage.database.write(lambda: MODELS[1].insert(name="jobs", owner="a:b", beat=1, renewed_ms=0).execute())
    await storage.migrate(migrate)
    assert await storage.database.read(lambda: MODELS[1].select().count()) == 1
    await storage.close()


def test_listeners_are_named_after_the_plugin() -> None:
    context: Any = SimpleNamespace(services={})
    assert {listener.name for listener in hooks.neomind_listeners(context)} == {
        "scheduler.plugins",
        "scheduler.stopping",
    }
