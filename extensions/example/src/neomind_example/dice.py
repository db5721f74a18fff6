"""A command of the extension: ``POST /api/extensions/example/commands/roll`` with ``{"count": 2, "sides": 6}``."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from neomind_sdk import CommandCall, ExtensionCommand, OutputMetric


async def roll(args: Mapping[str, Any], call: CommandCall) -> dict[str, Any]:
    """The arguments fit the schema below: the platform has checked them."""
    eyes = [random.randint(1, args.get("sides", 6)) for _ in range(args.get("count", 1))]
    return {"eyes": eyes, "total": sum(eyes)}


ROLL = ExtensionCommand(
    name="roll",
    run=roll,
    display_name="Roll dice",
    description="Rolls dice and adds up their eyes",
    input_schema={
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1, "maximum": 100, "description": "How many dice"},
            "sides": {"type": "integer", "minimum": 2, "maximum": 1000, "description": "How many sides each has"},
        },
        "additionalProperties": False,
    },
    timeout_s=5.0,
    outputs=(OutputMetric(name="total", data_type="integer", required=True),),
)
