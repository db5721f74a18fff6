"""Starting and stopping."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs


@attrs.frozen(kw_only=True)
class Step:
    """A named piece of work at start or stop: ``run`` is an async function without arguments.

    Starting warns after 10 s and is given up after 60 s (``failed_at_run``, and what was started is stopped again);
    stopping shares the 10 s that the whole platform has.
    """

    name: str
    run: Callable[[], Awaitable[None]]
