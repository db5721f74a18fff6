"""A stranger's plugin, for the negative control only: it has readings acknowledged before they are committed."""

import threading

from neomind_plugins.storage_sqlite.writer import Writer
from neomind_sdk import Plugin, Step, hookimpl

plugin = Plugin(name="early_ack", summary="Breaks the promise that an acknowledgement means stored.", version="1.0")
WAIT_S = 0.02


@hookimpl
def neomind_start(ctx):
    async def break_the_promise():
        commit = Writer._commit

        def acknowledge_first(self, group):
            readings = [entry for entry in group if entry.work is None]
            if readings:
                self.intake.settle(readings)
                threading.Event().wait(WAIT_S)
            return commit(self, group)

        Writer._commit = acknowledge_first

    return [Step(name="break", run=break_the_promise)]
