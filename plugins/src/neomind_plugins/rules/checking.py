"""What may be wrong with a rule: errors keep it from being saved, warnings come along with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from neomind_sdk import DeviceDirectory, DeviceType, Job, MetricDef, Scheduling, ValidationFailed, series

from . import conditions
from .actions import ActionTypes
from .conditions import Comparison, Condition, Leaf
from .kept import Issue
from .names import AGE, AGE_COOLDOWN_MS, spellings
from .operators import regex_problem
from .triggers import DATA_CHANGE, Trigger

NUMBERS = (">", "<", ">=", "<=", "==", "!=")


@attrs.frozen
class Checker:
    """Looks at the devices, types of actions and scheduler of the moment."""

    directory: DeviceDirectory
    actions: ActionTypes
    scheduling: Any

    def issues(
        self, trigger: Trigger, condition: Condition | None, actions: Sequence[Any], cooldown_ms: int | None
    ) -> list[Issue]:
        """Everything there is to say about these parts of a rule."""
        found = [*self.of_trigger(trigger), *self.of_condition(condition), *of_age(condition, cooldown_ms)]
        if trigger.kind == DATA_CHANGE and condition is None:
            message = "without a condition no change of data fires the rule"
            found.append(Issue(code="NO_CONDITION", message=message, field="condition"))
        for index, entry in enumerate(actions):
            found += self.actions.problems(entry, f"actions[{index}]")
        return found

    def of_trigger(self, trigger: Trigger) -> list[Issue]:
        timing = trigger.timing
        if timing is None:
            return []
        scheduling: Scheduling | None = self.scheduling()
        if scheduling is None:
            message = "the plugin scheduler does not run: the schedule begins when it does"
            return [Issue(code="NO_SCHEDULER", message=message, field="trigger")]
        try:
            scheduling.check(Job(name="rules.check", trigger=timing, run=_nothing))
        except ValidationFailed as error:
            path = "trigger.timezone" if error.details[0]["field"] == "timezone" else "trigger.cron"
            message = str(error.details[0]["message"])
            return [Issue(code="INVALID_SCHEDULE", message=message, field=path, severity="error")]
        return []

    def of_condition(self, condition: Condition | None) -> Iterator[Issue]:
        for path, branch in conditions.branches(condition):
            if branch.operator == "not" and len(branch.parts) > 1:
                yield Issue(code="not_multi_child", message="'not' with several parts: none of them holds", field=path)
        for path, leaf in conditions.leaves(condition):
            yield from self.of_leaf(leaf, path)

    def of_leaf(self, leaf: Leaf, path: str) -> Iterator[Issue]:
        if isinstance(leaf, Comparison):
            yield from of_operator(leaf, path)
        name = series.split(leaf.source)
        if name.source_type != series.DEVICE:
            return
        if self.directory.get(name.source_id) is None:
            message = f"the device '{name.source_id}' is not registered (yet)"
            yield Issue(code="DEVICE_NOT_FOUND", message=message, field=f"{path}.source")
        elif name.metric != AGE:
            yield from of_metric(self.directory.type_of(name.source_id), leaf, path)


async def _nothing() -> None:
    """Of a job that is only checked."""


def of_operator(leaf: Comparison, path: str) -> Iterator[Issue]:
    text = leaf.threshold_value
    if leaf.operator == "regex" and text is not None and (problem := regex_problem(text)) is not None:
        message = f"is no regular expression, so nothing matches: {problem}"
        yield Issue(code="INVALID_REGEX", message=message, field=f"{path}.threshold_value")


def of_age(condition: Condition | None, cooldown_ms: int | None) -> Iterator[Issue]:
    """What holds for the metric that tells how long a device has been silent."""
    mine = [(path, leaf) for path, leaf in conditions.leaves(condition) if series.split(leaf.source).metric == AGE]
    for path, leaf in mine:
        if isinstance(leaf, Comparison) and leaf.operator not in NUMBERS:
            message = f"{AGE} is a number, '{leaf.operator}' never holds"
            yield Issue(code="VIRTUAL_METRIC_BAD_OPERATOR", message=message, field=f"{path}.operator")
    if mine and cooldown_ms is not None and cooldown_ms < AGE_COOLDOWN_MS:
        message = f"must be at least {AGE_COOLDOWN_MS} with {AGE}, which changes once a minute"
        yield Issue(code="VIRTUAL_METRIC_COOLDOWN", message=message, field="cooldown", severity="error")


def of_metric(kind: DeviceType | None, leaf: Leaf, path: str) -> Iterator[Issue]:
    if kind is None or not kind.metrics:
        return
    metric, wanted = series.split(leaf.source).metric, set(spellings(leaf.source))
    known = next((each for each in kind.metrics if f"{leaf.source[: -len(metric)]}{each.name}" in wanted), None)
    if known is None:
        message = f"devices of type '{kind.device_type}' have no metric '{metric}'"
        yield Issue(code="METRIC_NOT_SUPPORTED", message=message, field=f"{path}.source")
    elif isinstance(leaf, Comparison) and leaf.number is not None and leaf.threshold_value is None:
        yield from of_threshold(known, leaf.number, path)


def of_threshold(metric: MetricDef, threshold: float, path: str) -> Iterator[Issue]:
    if metric.min is not None and threshold < metric.min:
        message = f"{threshold:g} is below the least value of '{metric.name}', {metric.min:g}"
        yield Issue(code="THRESHOLD_BELOW_MIN", message=message, field=f"{path}.threshold")
    if metric.max is not None and threshold > metric.max:
        message = f"{threshold:g} is above the greatest value of '{metric.name}', {metric.max:g}"
        yield Issue(code="THRESHOLD_ABOVE_MAX", message=message, field=f"{path}.threshold")
