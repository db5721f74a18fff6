"""Commands of ``neomind``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import attrs

T = TypeVar("T")


class CliTools(Protocol):
    """What a command works with."""

    def run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Start the storage and this plugin with what it requires, without HTTP; ``await work(ctx)``; stop again.

        Raises ``click.ClickException`` with one sentence when the data directory is in use or the plugin cannot start.
        """
        ...


@attrs.frozen(kw_only=True)
class CliCommand:
    """A command or group: ``build(tools)`` returns a ``click.Command``; import click inside it."""

    name: str
    summary: str
    build: Callable[[CliTools], Any]
