"""The suites for rule actions, agent tools and commands: good ones pass, each broken one is found out."""

from __future__ import annotations

import attrs
import pytest

from neomind_core.contracts import ActionOutcome, AgentTool, ExtensionCommand, OutputMetric, fields
from neomind_sdk.testing.suites import AgentToolContract, CommandContract, RuleActionContract


@attrs.frozen
class BlinkParams:
    times: int = fields.number(ge=1, le=10)
    lamp: str = fields.text(min=1)


class Blink:
    name = "blink"
    summary = "Blink a lamp"
    params = BlinkParams

    def check(self, params):
        return [] if params.lamp == "red" else [f"there is no lamp '{params.lamp}'"]

    async def run(self, params, firing):
        return ActionOutcome(ok=True, summary=f"BLINK: {params.times}")


class ForBlink(RuleActionContract):
    params = {"times": 2, "lamp": "red"}
    bad = ({"times": 2, "lamp": "blue"},)

    def make(self):
        return Blink()


class TestBlink(ForBlink):
    pass


def blink(**methods):
    return type("Broken", (Blink,), methods)()


def returning(value):
    async def run(_self, _params, _firing):
        return value

    return blink(run=run)


async def _explode(_self, _params, firing):
    return firing.values["boiler:temperature"].hex()


ACTION = ForBlink()


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (None, "must return an ActionOutcome"),
        (ActionOutcome(ok=True, summary=""), "goes into the history"),
        (ActionOutcome(ok=False, summary="x"), "must say why in `error`"),
        (ActionOutcome(ok=False, summary="x", error="no lamp"), "failed with the example `params`: no lamp"),
    ],
)
async def test_outcomes(breach, outcome, expected):
    await breach(ACTION.test_it_runs, expected, returning(outcome))


async def test_raising(breach):
    await breach(ACTION.test_it_never_raises, r"run\(\) raised KeyError", blink(run=_explode), {"values": {}})
    await breach(ACTION.test_any_values_may_have_fired_it, "raised KeyError", blink(run=_explode), values={})


async def test_checks(breach):
    await breach(ACTION.test_good_params_pass_the_check, "must return a list", blink(check=lambda *_: None))
    await breach(ACTION.test_good_params_pass_the_check, "finds fault", blink(check=lambda *_: ["no"]))
    await breach(ACTION.test_bad_params_are_named, "must say what is wrong with", blink(check=lambda *_: []))
    await breach(ACTION.test_bad_params_are_named, "problems are texts", blink(check=lambda *_: [1]))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"name": "Blink!"}, "is named 'Blink!'"),
        ({"summary": ""}, "has no summary"),
        ({"params": dict}, "must be an attrs class"),
        ({"run": print}, "must be an async function"),
        ({"check": None}, "has name, summary, params, check and run"),
    ],
)
async def test_shapes_of_actions(breach, attributes, expected):
    await breach(ACTION.test_it_satisfies_the_protocol, expected, blink(**attributes))


SCHEMA = {"type": "object", "properties": {"lamp": {"type": "string"}}, "required": ["lamp"]}


async def look(args, context):
    return {"lamp": args["lamp"], "on": True}


LOOK = AgentTool(
    name="look",
    description="Looks at a lamp",
    parameters=SCHEMA,
    run=look,
    effect="actuate",
    targets=lambda args: (f"device:{args['lamp']}",),
)


class ForLook(AgentToolContract):
    arguments = {"look": {"lamp": "red"}}

    def make(self):
        return [LOOK]


class TestLook(ForLook):
    pass


async def nothing_of_json(args, call):
    return {"when": object()}


async def infinite(args, call):
    return float("inf")


TOOL = ForLook()


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (TOOL.test_tools_are_well_formed, {"name": "look at"}, "models accept letters"),
        (TOOL.test_tools_are_well_formed, {"name": "x" * 65}, "up to 64"),
        (TOOL.test_tools_are_well_formed, {"description": " "}, "has no description"),
        (TOOL.test_tools_are_well_formed, {"effect": "write"}, "'look' says 'write'"),
        (TOOL.test_tools_are_well_formed, {"run": len}, "must be an async function"),
        (TOOL.test_parameters_are_json_schemas, {"parameters": {"type": "thing"}}, "no JSON Schema of draft 2020-12"),
        (TOOL.test_parameters_are_json_schemas, {"parameters": {"type": "string"}}, '"type": "object"'),
        (TOOL.test_parameters_are_json_schemas, {"parameters": SCHEMA | {"required": ["x"]}}, "does not describe"),
        (TOOL.test_parameters_are_json_schemas, {"name": "other"}, "the example for 'other' does not fit"),
        (TOOL.test_targets_are_resources, {"targets": lambda args: ["device:a"]}, "must return a tuple"),
        (TOOL.test_targets_are_resources, {"targets": lambda args: ("a",)}, "'<kind>:<id>'"),
        (TOOL.test_results_are_json, {"run": nothing_of_json}, "is not JSON"),
        (TOOL.test_results_are_json, {"run": infinite}, "is not JSON"),
    ],
)
async def test_broken_tools(breach, test, changes, expected):
    await breach(test, expected, attrs.evolve(LOOK, **changes))


async def test_what_is_no_tool_and_nothing_at_all(breach):
    await breach(TOOL.test_tools_are_well_formed, "not a dict", {"name": "x"})
    await breach(TOOL.test_tools_are_well_formed, "returned nothing to test", [])


async def measure(args, call):
    return {"lux": 3.5}


MEASURE = ExtensionCommand(
    name="measure", run=measure, input_schema=SCHEMA, outputs=(OutputMetric(name="lux", required=True),)
)


class ForMeasure(CommandContract):
    arguments = {"measure": {"lamp": "red"}}
    refused = {"measure": {}}

    def make(self):
        return MEASURE


class TestMeasure(ForMeasure):
    pass


COMMAND = ForMeasure()


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (COMMAND.test_commands_are_well_formed, {"name": "Measure"}, "is named 'Measure'"),
        (COMMAND.test_commands_are_well_formed, {"timeout_s": 0}, "more than 0 seconds"),
        (COMMAND.test_commands_are_well_formed, {"run": print}, "must be an async function"),
        (COMMAND.test_input_schemas_are_json_schemas, {"input_schema": {"type": 1}}, "no JSON Schema"),
        (COMMAND.test_input_schemas_are_json_schemas, {"input_schema": {"type": "array"}}, '"type": "object"'),
        (COMMAND.test_wrong_arguments_are_refused_by_the_schema, {"input_schema": {"type": "object"}}, "lets {} pass"),
        (COMMAND.test_outputs_are_metrics, {"outputs": (OutputMetric(name="a"),) * 2}, "two outputs of one name"),
        (
            COMMAND.test_outputs_are_metrics,
            {"outputs": (OutputMetric(name="a", data_type="Float"),)},
            "unknown data_type",
        ),
        (COMMAND.test_results_are_json, {"run": nothing_of_json}, "is not JSON"),
        (COMMAND.test_results_are_json, {"run": look}, "lacks its required outputs .'lux'"),
    ],
)
async def test_broken_commands(breach, test, changes, expected):
    await breach(test, expected, attrs.evolve(MEASURE, **changes))
