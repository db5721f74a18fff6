"""What a rule would do: evaluated leaf by leaf, on given values, on the last stored ones, or on those of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import BadRequest, Sample, TelemetryStore, ValidationFailed, units

from .compiling import LeafResult, ValueOf
from .conditions import Comparison, Range
from .live import Live
from .names import aged_device, spellings
from .operators import plain
from .service import Fired, Rules
from .times import iso
from .values import over
from .views import result_view

INPUT, CURRENT, HISTORICAL = "input", "current", "historical"
SAMPLES_MAX = 1000
FIRINGS_MAX = 100


@attrs.frozen(kw_only=True)
class Question:
    """``value`` stands for every source, ``values`` for those named; ``at_ms``: as it was then; else as it is."""

    value: Any = None
    values: Mapping[str, Any] = attrs.field(factory=dict)
    at_ms: int | None = None
    span: tuple[int, int] | None = None


@attrs.frozen(kw_only=True)
class Replay:
    """What the stored values of a time would have made of the rule."""

    start_ms: int
    end_ms: int
    evaluations: int
    met: int
    firings: Sequence[int]


@attrs.frozen(kw_only=True)
class Answer:
    live: Live
    met: bool
    results: Sequence[LeafResult]
    source: str
    replay: Replay | None = None
    fired: Fired | None = None


@attrs.define
class Player:
    """When a rule would have fired, by its duration and cooldown."""

    duration_ms: int
    cooldown_ms: int
    firings: list[int] = attrs.field(factory=list)
    _since_ms: int | None = None
    _free_ms: int | None = None

    def until(self, ts_ms: int) -> None:
        """Nothing was stored up to this time."""
        if self._since_ms is not None and self._since_ms + self.duration_ms <= ts_ms:
            self._fire(self._since_ms + self.duration_ms)

    def see(self, ts_ms: int, holds: bool) -> None:
        """A value was stored, and the condition holds from then on or not."""
        if not holds:
            self._since_ms = None
        elif self._free_ms is not None and ts_ms < self._free_ms:
            return
        elif not self.duration_ms:
            self._fire(ts_ms)
        elif self._since_ms is None:
            self._since_ms = ts_ms

    def _fire(self, ts_ms: int) -> None:
        self.firings.append(ts_ms)
        self._since_ms, self._free_ms = None, ts_ms + self.cooldown_ms


@attrs.frozen
class DryRun:
    """Tries rules; nothing happens but on explicit request."""

    rules: Rules
    store: TelemetryStore

    async def run(self, rule_id: str, question: Question, *, execute: bool = False) -> Answer:
        """Raises ``NotFound``, and ``BadRequest`` for a rule without condition."""
        live = self.rules.get(rule_id)
        if live.compiled is None:
            raise BadRequest("The rule has no condition that could be tested")
        await self.rules.parts.engine.know(live)
        value_of, source = await self._values(live, question)
        answer = Answer(live=live, met=live.compiled.check(value_of), results=live.explain(value_of), source=source)
        if question.span is not None:
            answer = attrs.evolve(answer, replay=await self._replay(live, *question.span))
        return attrs.evolve(answer, fired=await self._execute(live, value_of)) if execute and answer.met else answer

    async def _values(self, live: Live, question: Question) -> tuple[ValueOf, str]:
        values = self.rules.parts.values
        if question.value is not None:
            return (lambda source: question.value), INPUT
        if question.values:
            return over(values, question.values), INPUT
        if question.at_ms is not None:
            found = {source: await self._at(source, question.at_ms) for source in live.sources}
            return found.get, HISTORICAL
        return values.of, CURRENT

    async def _at(self, source: str, at_ms: int) -> Any:
        """The newest value that was stored for a time up to then."""
        newest: Sample | None = None
        for name in spellings(source):
            found = await self.store.range(name, -units.MAX_MS, at_ms, limit=1)
            if found and (newest is None or found[0].ts_ms > newest.ts_ms):
                newest = found[0]
        return None if newest is None else plain(newest.value)

    async def _replay(self, live: Live, start_ms: int, end_ms: int) -> Replay:
        """Go through the stored values in the order of their times, with the rule's duration and cooldown."""
        state = {source: await self._at(source, start_ms - 1) for source in live.sources}
        samples = await self._samples(live.sources, start_ms, end_ms)
        met, player = 0, Player(live.rule.for_duration_ms or 0, live.rule.cooldown_ms)
        for ts_ms, source, value in samples:
            player.until(ts_ms)
            state[source] = value
            holds = live.compiled is not None and live.compiled.check(state.get)
            met += holds
            player.see(ts_ms, holds)
        player.until(end_ms)
        return Replay(start_ms=start_ms, end_ms=end_ms, evaluations=len(samples), met=met, firings=player.firings)

    async def _samples(self, sources: Sequence[str], start_ms: int, end_ms: int) -> list[tuple[int, str, Any]]:
        found: list[tuple[int, str, Any]] = []
        for source in (each for each in sources if aged_device(each) is None):
            for name in spellings(source):
                part = await self.store.range(name, start_ms, end_ms, limit=SAMPLES_MAX, newest_first=False)
                found += [(sample.ts_ms, source, plain(sample.value)) for sample in part]
        return sorted(found, key=lambda each: each[0])

    async def _execute(self, live: Live, value_of: ValueOf) -> Fired:
        raised = self.rules.parts.decider.test(live, value_of)
        return await self.rules.result(raised)


def read(body: Any) -> Question:
    """The question of a body: nothing, a number or text, or an object with ``value``, ``input``, ``values``, ``at`` or
    ``history``. Raises ``BadRequest`` and ``ValidationFailed``."""
    if body is None or body == {}:
        return Question()
    if isinstance(body, bool | int | float | str):
        return Question(value=plain(body))
    if not isinstance(body, Mapping):
        raise BadRequest("The body must be a number, text, or an object with value, values, at or history")
    given = body.get("value", body.get("input"))
    values = body.get("values") or {}
    if not isinstance(values, Mapping):
        raise ValidationFailed(("values", "must be an object of values by data source"))
    return Question(
        value=None if given is None else plain(given),
        values={source: None if value is None else plain(value) for source, value in values.items()},
        at_ms=None if body.get("at") is None else time_of(body["at"], "at"),
        span=None if body.get("history") is None else span_of(body["history"]),
    )


def span_of(value: Any) -> tuple[int, int]:
    if not isinstance(value, Mapping):
        raise ValidationFailed(("history", "must be an object with start and end"))
    start_ms = time_of(value.get("start"), "history.start")
    end_ms = time_of(value.get("end"), "history.end")
    if start_ms > end_ms:
        raise ValidationFailed(("history.start", "must not be after history.end"))
    return start_ms, end_ms


def time_of(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValidationFailed((path, "must be a number of seconds since 1970"))
    try:
        return units.milliseconds(value)
    except ValueError as error:
        raise ValidationFailed((path, str(error))) from None


def row(result: LeafResult) -> dict[str, Any]:
    """A leaf as it is answered."""
    return {
        "path": result.path,
        "source": result.leaf.source,
        "operator": result.leaf.operator,
        "threshold": result.leaf.shown,
        "value": result.value,
        "met": result.met,
    }


def view(answer: Answer, *, execute: bool) -> dict[str, Any]:
    """``data`` of the answer. What is asked about the whole rule is that of its first leaf."""
    first = answer.results[0]
    leaf = first.leaf
    found: dict[str, Any] = {
        "rule_id": answer.live.id,
        "rule_name": answer.live.rule.name,
        "condition_met": answer.met,
        "value_used": first.value,
        "value_source": answer.source,
        "threshold": leaf.shown if isinstance(leaf, Comparison) else None,
        "operator": leaf.operator,
        "conditions": [row(result) for result in answer.results],
    }
    if isinstance(leaf, Range):
        found |= {"range_min": leaf.low, "range_max": leaf.high}
    if answer.replay is not None:
        found["history"] = replayed(answer.replay)
    return {**found, **executed(answer)} if execute else found


def replayed(replay: Replay) -> dict[str, Any]:
    return {
        "start": units.seconds(replay.start_ms),
        "end": units.seconds(replay.end_ms),
        "evaluations": replay.evaluations,
        "met": replay.met,
        "would_fire": len(replay.firings),
        "firings": [iso(ms) for ms in replay.firings[:FIRINGS_MAX]],
    }


def executed(answer: Answer) -> dict[str, Any]:
    if answer.fired is None:
        return {"executed": False, "execution_result": result_view(Fired(error="Condition not met"))}
    return {"executed": True, "execution_result": result_view(answer.fired)}
