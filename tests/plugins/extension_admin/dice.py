"""The extension ``dice``: commands that do as they should, and commands that do not."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

from neomind_sdk import ExtensionCommand, OutputMetric

from .conftest import command

SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 1},
        "deep": {"type": "object", "properties": {"list": {"type": "array", "items": {"type": "string"}}}},
    },
    "required": ["count"],
    "additionalProperties": False,
}
OUTPUTS = (OutputMetric(name="total", data_type="integer"), OutputMetric(name="absent"), OutputMetric(name="none"))
MALFORMED = {"type": "objekt"}
REMOTE = {"$ref": "http://127.0.0.1:9/schema.json"}
ENDLESS = {"$ref": "#"}
LOOPED: list[Any] = []
LOOPED.append(LOOPED)


class Seen:
    """What the commands of the fixture saw."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any]] = []
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()


class Store:
    """An ``Ingest`` that remembers what it got, or raises ``error``."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.error: Exception | None = None

    async def submit(self, uplinks: Any) -> Any:
        raise NotImplementedError

    async def write(self, points: Any, *, source: str, cause: str | None = None, hops: int = 0) -> None:
        if self.error:
            raise self.error
        self.written.append((points, source, cause, hops))


def commands(seen: Seen) -> list[ExtensionCommand]:
    async def roll(args: Any, call: Any) -> Any:
        seen.calls.append((dict(args), call))
        return {"eyes": [1, 2], "total": 3, "none": None}

    async def echo(args: Any, call: Any) -> Any:
        return dict(args)

    async def hang(args: Any, call: Any) -> Any:
        seen.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            seen.cancelled.set()

    async def leave(args: Any, call: Any) -> Any:
        raise SystemExit(3)

    async def fail(args: Any, call: Any) -> Any:
        raise ValueError("no dice in the cup")

    async def nested(args: Any, call: Any) -> Any:
        return {"data": {"total": 7}}

    def gives(value: Any) -> Any:
        async def give(args: Any, call: Any) -> Any:
            return value

        return give

    return [
        command("roll", roll, input_schema=SCHEMA, outputs=OUTPUTS),
        command("echo", echo),
        command("takes-args", echo, input_schema={"type": "object", "properties": {"args": {"type": "object"}}}),
        command("hang", hang, timeout_s=0.02),
        command("wait", hang),
        command("leave", leave),
        command("fail", fail),
        command("nested", nested, outputs=OUTPUTS),
        command("nan", gives(math.nan)),
        command("object", gives(object())),
        command("loop", gives(LOOPED)),
        command("deep", gives(json.loads("[" * 300 + "]" * 300))),
        command("surrogate", gives("\ud800")),
        command("bytes", gives(b"x")),
        command("huge", gives("x" * (17 * 1024 * 1024))),
        command("tuple", gives((1, "two", None))),
        command("nothing", gives(None)),
        command("malformed", echo, input_schema=MALFORMED),
        command("remote", echo, input_schema=REMOTE),
        command("endless", echo, input_schema=ENDLESS),
    ]
