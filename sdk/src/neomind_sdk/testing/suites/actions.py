"""Suites for what can be done: rule actions, agent tools, commands of extensions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import given

from neomind_core.contracts import (
    ACTUATE,
    DATA_TYPES,
    READ,
    ActionOutcome,
    AgentTool,
    CommandCall,
    ExtensionCommand,
    Firing,
    Principal,
    RuleActionType,
    ToolContext,
)
from neomind_sdk.testing import strategies

from . import base

TARGET = re.compile(r"[a-z_]+:.+")
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what models accept
SOMEBODY = Principal(kind="user", id="u-1", name="somebody", role="admin", scopes=frozenset({"*"}))


class RuleActionContract(base.Contract):
    """For objects that ``neomind_rule_actions`` returns. Override ``make`` and ``params``.

    ``params``  a valid entry of a rule's ``actions``, without ``type``
    ``bad``     entries of which ``check`` must say what is wrong
    """

    params: ClassVar[Mapping[str, Any]] = {}
    bad: ClassVar[tuple[Mapping[str, Any], ...]] = ()

    def firing(self, **changes: Any) -> Firing:
        """Why the action runs."""
        values = {"boiler:temperature": 81.5}
        firing = Firing(rule_id="r-1", rule_name="Too hot", fired_ms=1_700_000_000_000, values=values)
        return attrs.evolve(firing, **changes)

    async def fire(self, subject: Any, firing: Firing) -> ActionOutcome:
        """One run; raising is a breach: what can be said goes into the outcome."""
        try:
            outcome = await subject.run(base.structured(subject.params, self.params), firing)
        except Exception as error:
            text = f"run() raised {type(error).__name__}: {error}"
            raise AssertionError(f"{text}; return ActionOutcome(ok=False, summary=…, error=…)") from error
        assert isinstance(outcome, ActionOutcome), f"run() must return an ActionOutcome, it returned {outcome!r}"
        assert outcome.summary, "ActionOutcome.summary goes into the history: say what was done, e.g. 'NOTIFY: Too hot'"
        assert outcome.ok or outcome.error, "an outcome that is not ok must say why in `error`"
        return outcome

    def test_it_satisfies_the_protocol(self, subject: Any) -> None:
        base.check_name(subject.name, "a rule action")
        assert isinstance(subject, RuleActionType), "a rule action has name, summary, params, check and run"
        assert subject.summary.strip(), f"the rule action '{subject.name}' has no summary for people to read"
        base.check_config_class(subject.params, f"{subject.name}.params")
        base.check_async(subject.run, f"{subject.name}.run")

    def test_good_params_pass_the_check(self, subject: Any) -> None:
        problems = subject.check(base.structured(subject.params, self.params))
        assert isinstance(problems, list), f"check() must return a list of texts, it returned {problems!r}"
        assert problems == [], f"check() finds fault with the example `params`: {problems}"

    def test_bad_params_are_named(self, subject: Any) -> None:
        for params in self.bad:
            problems = subject.check(base.structured(subject.params, params))
            assert problems, f"check() must say what is wrong with {params}"
            assert all(isinstance(text, str) and text for text in problems), f"problems are texts, not {problems!r}"

    async def test_it_runs(self, subject: Any) -> None:
        outcome = await self.fire(subject, self.firing())
        assert outcome.ok, f"the action failed with the example `params`: {outcome.error}"

    @pytest.mark.parametrize(
        "changes",
        [
            {"values": {}},
            {"test": True},
            {"hops": 8},
            {"rule_name": "é🔥" * 1000},
            {"values": {"a": None, "b": {"c": [1]}}},
        ],
        ids=["no-values", "test", "hops", "long-name", "odd-values"],
    )
    async def test_it_never_raises(self, subject: Any, changes: Mapping[str, Any]) -> None:
        await self.fire(subject, self.firing(**changes))

    @base.fuzzed
    @given(values=strategies.json_objects(8))
    async def test_any_values_may_have_fired_it(self, subject: Any, values: Mapping[str, Any]) -> None:
        await self.fire(subject, self.firing(values=values, variables=values))


class AgentToolContract(base.Contract):
    """For objects that ``neomind_agent_tools`` returns; ``make`` may return one or a list.

    ``arguments``  valid arguments by name of tool; tools without an entry are called with none
    """

    arguments: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def context(self) -> ToolContext:
        agent = Principal(kind="agent", id="a-1", name="agent", scopes=frozenset({"read", "write"}))
        return ToolContext(principal=agent, agent_id="a-1", execution_id="x-1")

    def test_tools_are_well_formed(self, subject: Any) -> None:
        for tool in base.listed(subject):
            assert isinstance(tool, AgentTool), f"an agent tool is an AgentTool(…), not a {type(tool).__name__}"
            named = TOOL_NAME.fullmatch(tool.name)
            assert named, f"the agent tool '{tool.name}': models accept letters, digits, '_' and '-', up to 64 of them"
            assert tool.description.strip(), f"the agent tool '{tool.name}' has no description, models choose by it"
            kinds = f"effect is '{READ}', or '{ACTUATE}' for what changes the world; '{tool.name}' says '{tool.effect}'"
            assert tool.effect in (READ, ACTUATE), kinds
            base.check_async(tool.run, f"run of the agent tool '{tool.name}'")

    def test_parameters_are_json_schemas(self, subject: Any) -> None:
        for tool in base.listed(subject):
            base.check_schema(tool.parameters, f"`parameters` of the agent tool '{tool.name}'")
            base.check_json(tool.parameters, f"`parameters` of the agent tool '{tool.name}'")
            base.check_fits(dict(self.arguments.get(tool.name, {})), tool.parameters, f"the example for '{tool.name}'")

    def test_targets_are_resources(self, subject: Any) -> None:
        for tool in base.listed(subject):
            targets = tool.targets(self.arguments.get(tool.name, {})) if tool.targets else ()
            assert isinstance(targets, tuple), f"targets of '{tool.name}' must return a tuple, it returned {targets!r}"
            wrong = [target for target in targets if not TARGET.fullmatch(str(target))]
            assert not wrong, f"targets of '{tool.name}' are written '<kind>:<id>', e.g. 'device:boiler', not {wrong}"

    async def test_results_are_json(self, subject: Any) -> None:
        for tool in base.listed(subject):
            result = await tool.run(self.arguments.get(tool.name, {}), self.context())
            base.check_json(result, f"what the agent tool '{tool.name}' returned")


class CommandContract(base.Contract):
    """For objects that ``neomind_commands`` returns; ``make`` may return one or a list.

    ``arguments``  valid arguments by name of command; commands without an entry are called with none
    ``refused``    arguments by name of command that its schema must refuse
    """

    arguments: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    refused: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def test_commands_are_well_formed(self, subject: Any) -> None:
        for command in base.listed(subject):
            kind = type(command).__name__
            assert isinstance(command, ExtensionCommand), f"a command is an ExtensionCommand(…), not a {kind}"
            base.check_name(command.name, "a command")
            base.check_async(command.run, f"run of the command '{command.name}'")
            assert command.timeout_s > 0, f"timeout_s of the command '{command.name}' must be more than 0 seconds"

    def test_input_schemas_are_json_schemas(self, subject: Any) -> None:
        for command in base.listed(subject):
            what = f"`input_schema` of the command '{command.name}'"
            base.check_schema(command.input_schema, what)
            base.check_json(command.input_schema, what)
            base.check_fits(
                dict(self.arguments.get(command.name, {})), command.input_schema, f"the example for '{command.name}'"
            )

    def test_wrong_arguments_are_refused_by_the_schema(self, subject: Any) -> None:
        from jsonschema import Draft202012Validator

        for command in base.listed(subject):
            if command.name in self.refused:
                refused = not Draft202012Validator(dict(command.input_schema)).is_valid(self.refused[command.name])
                assert refused, f"the schema of '{command.name}' lets {self.refused[command.name]} pass"

    def test_outputs_are_metrics(self, subject: Any) -> None:
        for command in base.listed(subject):
            names = [output.name for output in command.outputs]
            assert len(set(names)) == len(names), f"the command '{command.name}' has two outputs of one name: {names}"
            odd = [output.name for output in command.outputs if output.data_type not in DATA_TYPES]
            assert not odd, (
                f"outputs {odd} of '{command.name}' have an unknown data_type; known are {', '.join(DATA_TYPES)}"
            )

    async def test_results_are_json(self, subject: Any) -> None:
        for command in base.listed(subject):
            call = CommandCall(principal=SOMEBODY, execution_id="x-1")
            result = await command.run(self.arguments.get(command.name, {}), call)
            base.check_json(result, f"what the command '{command.name}' returned")
            lacking = [
                metric.name for metric in command.outputs if metric.required and metric.name not in (result or {})
            ]
            assert not lacking, f"the result of '{command.name}' lacks its required outputs {lacking}"
