"""One run of an agent: the model is asked, its calls are judged and run, until there is an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

from neomind_sdk import (
    ApiError,
    ChatMessage,
    Clock,
    Completion,
    CompletionRequest,
    LanguageModels,
    LLMError,
    ModelInfo,
    ToolCall,
    ToolSpec,
)

from .calling import (
    DONE,
    LIMIT,
    WAITING,
    Caller,
    Outcome,
    Wish,
    acts,
    weigh,
)
from .digests import canonical
from .kept import COMPLETED, CONFIRM, PARTIAL, Agent, Approval
from .masking import fitted, masked, reason, text
from .quoting import Quoter
from .recorder import Recorder
from .stuck import StuckDetector
from .toolbox import Offer

ANSWER_TOKENS = 4000
CALLS_PER_ROUND = 64
RETRIES_S = (1.0, 2.0)
TRANSIENT = ("connect", "timeout", "rate_limited")
RESULT_MAX = 128 * 1024
CONTEXT_CHARS = 400_000
CONCLUSION_MAX = 4000
SUM_UP = "Stop here. Sum up in a few sentences what you found and did; call no tools."


class RunFailed(Exception):
    """The run cannot go on; ``reason`` is the stop reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@attrs.frozen(kw_only=True)
class Bounds:
    """Of this run."""

    max_rounds: int
    max_tokens: int
    max_actuations: int
    tool_concurrency: int
    temperature: float
    top_p: float
    thinking: bool | None = None


@attrs.frozen(kw_only=True)
class Ending:
    """How a run ended by itself."""

    status: str
    stop_reason: str
    conclusion: str


@attrs.frozen(kw_only=True)
class RunParts:
    """What a run works with.

    ``agent`` gives the agent as it is now: grants that are taken away hold at once. ``ask_approval`` queues a call and
    returns ``None`` when too many wait.
    """

    models: LanguageModels
    model: ModelInfo
    offer: Offer
    caller: Caller
    recorder: Recorder
    quoter: Quoter
    clock: Clock
    bounds: Bounds
    agent: Callable[[], Agent]
    ask_approval: Callable[[Wish], Awaitable[Approval | None]]


class AgentRun:
    """``go`` runs to an end, or raises ``RunFailed``. What was used is known at any time."""

    def __init__(self, parts: RunParts, messages: Sequence[ChatMessage]) -> None:
        self.parts = parts
        self.messages = list(messages)
        self.rounds = self.prompt_tokens = self.completion_tokens = self.actuations = 0
        self.calls = self.good_calls = 0
        self._stuck = StuckDetector()
        self._stop: str | None = None

    @property
    def confidence(self) -> float:
        """The share of calls that went well, but not below a half."""
        return max(0.5, self.good_calls / self.calls) if self.calls else 0.5

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    async def go(self) -> Ending:
        parts = self.parts
        parts.recorder.stage("analyzing")
        if not parts.model.capabilities.tools or not parts.offer.specs:
            return await self._plain()
        while self.rounds < parts.bounds.max_rounds:
            answer = await self._ask(parts.offer.specs)
            if not answer.tool_calls:
                await self._thought(answer, "llm_analysis")
                return Ending(status=COMPLETED, stop_reason="natural-completion", conclusion=said(answer))
            if self.tokens >= parts.bounds.max_tokens:
                return self._cut("max-tokens", answer)
            stop = await self._round(answer)
            if stop is not None:
                return await self._stopped(stop)
        return await self._stopped("max-rounds")

    # ---- endings ----

    async def _plain(self) -> Ending:
        """A model that calls no functions answers once, in words."""
        answer = await self._ask(())
        await self._thought(answer, "llm_analysis")
        return Ending(status=COMPLETED, stop_reason="natural-completion", conclusion=said(answer))

    async def _stopped(self, reason: str) -> Ending:
        """The run was stopped before the model was done; it may say in words what it has found."""
        if reason == "waiting-approval":
            names = ", ".join(self._waiting)
            return Ending(status=PARTIAL, stop_reason=reason, conclusion=f"Waiting for approval of: {names}")
        if self.tokens >= self.parts.bounds.max_tokens:
            return self._cut("max-tokens", None)
        self.messages.append(ChatMessage(role="user", text=SUM_UP))
        try:
            answer: Completion | None = await self._ask(())
        except RunFailed:
            answer = None
        return self._cut(reason, answer)

    def _cut(self, reason: str, answer: Completion | None) -> Ending:
        words = said(answer) if answer is not None else ""
        return Ending(status=PARTIAL, stop_reason=reason, conclusion=words or f"Stopped: {reason}")

    # ---- asking ----

    async def _ask(self, tools: Sequence[ToolSpec]) -> Completion:
        """The model's answer; what may pass is tried again. Raises ``RunFailed``."""
        self.rounds += 1
        self._compact()
        bounds = self.parts.bounds
        left = max(1, bounds.max_tokens - self.tokens)
        request = CompletionRequest(
            messages=tuple(self.messages),
            tools=tuple(tools),
            temperature=bounds.temperature,
            top_p=bounds.top_p,
            max_tokens=min(ANSWER_TOKENS, left),
            thinking=bounds.thinking,
        )
        answer = await self._completed(request)
        self._count(answer)
        await self.parts.recorder.note(
            rounds=self.rounds, prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens
        )
        return answer

    async def _completed(self, request: CompletionRequest) -> Completion:
        for pause in (*RETRIES_S, None):
            try:
                return await self.parts.models.complete(request, self.parts.model.backend_id)
            except LLMError as error:
                if pause is None or error.kind not in TRANSIENT:
                    raise RunFailed(
                        "llm-error", f"the language model failed ({error.kind}): {reason(error)}"
                    ) from error
            except ApiError as error:
                raise RunFailed("llm-error", f"the language model cannot be asked: {reason(error.message)}") from error
            await self.parts.clock.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _count(self, answer: Completion) -> None:
        """Servers that do not count are estimated: four characters are a token."""
        usage = answer.usage
        asked = sum(len(message.text) for message in self.messages) // 4
        self.prompt_tokens += usage.prompt_tokens or asked
        self.completion_tokens += usage.completion_tokens or len(answer.text + answer.thinking) // 4

    def _compact(self) -> None:
        """Old results of tools are left out when there is no room for them."""
        context = self.parts.model.capabilities.max_context
        room = CONTEXT_CHARS if context is None else max(8000, context * 3)
        for index, message in enumerate(self.messages[:-8]):
            if sum(len(each.text) for each in self.messages) <= room:
                return
            if message.role == "tool":
                self.messages[index] = attrs.evolve(message, text="(an old result, left out)")

    # ---- one round ----

    async def _round(self, answer: Completion) -> str | None:
        """Run the calls of one answer; why the run must stop, if so."""
        calls = list(answer.tool_calls)[:CALLS_PER_ROUND]
        self.messages.append(ChatMessage(role="assistant", text=answer.text, tool_calls=tuple(calls)))
        await self._thought(answer, "thought")
        self.parts.recorder.stage("executing")
        self._waiting: list[str] = []
        outcomes = await self._run_all(calls, answer.text)
        for call, outcome in zip(calls, outcomes, strict=True):
            self.messages.append(ChatMessage(role="tool", text=self._told(call, outcome), tool_call_id=call.id))
        seen = [
            (signature(call), result_text(outcome), outcome.ok) for call, outcome in zip(calls, outcomes, strict=True)
        ]
        if self._waiting:
            return "waiting-approval"
        return self._stop or ("stuck" if self._stuck.round(seen) else None)

    async def _run_all(self, calls: Sequence[ToolCall], rationale: str) -> list[Outcome]:
        """In order; calls that only read and stand side by side run at once. What is there twice runs once."""
        found: dict[str, Outcome] = {}
        group: list[tuple[ToolCall, Wish | Outcome]] = []
        unique: dict[str, ToolCall] = {}
        for call in calls:
            unique.setdefault(signature(call), call)
        for call in unique.values():
            weighed = await self._weigh(call)
            if isinstance(weighed, Wish) and acts(weighed):
                await self._run_group(group, rationale, found)
                group = []
                found[signature(call)] = await self._one(call, weighed, rationale)
            else:
                group.append((call, weighed))
        await self._run_group(group, rationale, found)
        return [found[signature(call)] for call in calls]

    async def _run_group(
        self, group: Sequence[tuple[ToolCall, Wish | Outcome]], rationale: str, found: dict[str, Outcome]
    ) -> None:
        places = asyncio.Semaphore(self.parts.bounds.tool_concurrency)

        async def one(call: ToolCall, weighed: Wish | Outcome) -> None:
            async with places:
                found[signature(call)] = await self._one(call, weighed, rationale)

        async with asyncio.TaskGroup() as tasks:
            for call, weighed in group:
                tasks.create_task(one(call, weighed))

    async def _weigh(self, call: ToolCall) -> Wish | Outcome:
        offer = self.parts.offer
        known = ", ".join(spec.name for spec in offer.specs)
        return await weigh(self.parts.agent(), offer.tools.get(call.name), call.name, call.arguments, known)

    async def _one(self, call: ToolCall, weighed: Wish | Outcome, rationale: str) -> Outcome:
        """One call, recorded before it runs and after."""
        recorder = self.parts.recorder
        step = await recorder.step("tool_call", described(call, weighed, rationale), state="started")
        extra: dict[str, Any] = {}
        if isinstance(weighed, Outcome):
            outcome = weighed
        else:
            outcome, extra = await self._allowed(weighed)
        await recorder.amend(step, {**outcome_view(outcome), **extra})
        self._tell(step.number, call, weighed, outcome, rationale)
        self.calls += 1
        self.good_calls += outcome.ok
        if isinstance(weighed, Wish) and acts(weighed):
            recorder.actions.append(f"{weighed.tool.name} ({outcome.verdict})")
        return outcome

    async def _allowed(self, wish: Wish) -> tuple[Outcome, dict[str, Any]]:
        """Run a wish, or queue it; tools that act are counted."""
        if acts(wish):
            if self.actuations >= self.parts.bounds.max_actuations:
                self._stop = "max-actuations"
                return Outcome(verdict=LIMIT, error="this run may act no more"), {}
            self.actuations += 1
        if wish.tier == CONFIRM:
            return await self._queued(wish)
        execution = self.parts.recorder.execution
        return await self.parts.caller.run(wish, self.parts.agent(), execution.id, execution.hops), {}

    async def _queued(self, wish: Wish) -> tuple[Outcome, dict[str, Any]]:
        approval = await self.parts.ask_approval(wish)
        if approval is None:
            return Outcome(verdict=LIMIT, error="too many calls wait for approval already"), {}
        self._waiting.append(wish.tool.name)
        result = {"status": "waiting for approval", "approval_id": approval.id}
        return Outcome(verdict=WAITING, result=result), {"approval_id": approval.id}

    # ---- telling ----

    async def _thought(self, answer: Completion, kind: str) -> None:
        words = text(answer.text or answer.thinking)
        step = await self.parts.recorder.step(kind, {"output": words, "thinking": text(answer.thinking)})
        self.parts.recorder.say(
            "thinking", step_number=step.number, step_type=kind, description=words[:500], details=None
        )

    def _tell(self, number: int, call: ToolCall, weighed: Wish | Outcome, outcome: Outcome, rationale: str) -> None:
        name = text(call.name)[:100]
        words = f"{name}: {outcome.verdict}"
        self.parts.recorder.say(
            "thinking", step_number=number, step_type="tool_call", description=words, details=outcome.error
        )
        if isinstance(weighed, Wish) and acts(weighed):
            self.parts.recorder.say(
                "decision",
                description=words,
                rationale=text(rationale)[:500],
                action=name,
                confidence=self.confidence,
            )

    def _told(self, call: ToolCall, outcome: Outcome) -> str:
        """The outcome as the model gets it: data, with its origin."""
        context = self.parts.model.capabilities.max_context
        most = RESULT_MAX if context is None else min(RESULT_MAX, max(2000, context))
        found: Any = {"result": outcome.result} if outcome.ok else {"error": outcome.error}
        return self.parts.quoter.block((f"tool:{text(call.name)[:100]}", fitted(found, most)))


def said(answer: Completion) -> str:
    """The end of what a model said: its conclusion."""
    return text((answer.text or answer.thinking).strip()[-CONCLUSION_MAX:])


def signature(call: ToolCall) -> str:
    try:
        return canonical([call.name, call.arguments])
    except (TypeError, ValueError, RecursionError):
        return repr((call.name, str(call.arguments)[:1000]))


def result_text(outcome: Outcome) -> str:
    return outcome.error or canonical(outcome.result)


def described(call: ToolCall, weighed: Wish | Outcome, rationale: str) -> dict[str, Any]:
    """A call as it is recorded before it runs."""
    found = {"tool": text(call.name)[:100], "arguments": recorded(call.arguments), "rationale": text(rationale)[:500]}
    if isinstance(weighed, Wish):
        found |= {"effect": weighed.tool.effect, "targets": list(weighed.targets), "grant": weighed.reason}
    return found


def recorded(arguments: Any) -> Any:
    """Arguments for the record: without secrets, whatever the model sent."""
    try:
        canonical(arguments)
    except (TypeError, ValueError, RecursionError):
        return text(str(arguments)[:1000])
    return masked(arguments)


def outcome_view(outcome: Outcome) -> dict[str, Any]:
    """What came of a call, for the record."""
    return {
        "verdict": outcome.verdict,
        "result": masked(outcome.result),
        "error": outcome.error,
        "old_values": outcome.old_values,
        "new_values": outcome.new_values,
        "duration_ms": outcome.duration_ms,
        "success": outcome.verdict == DONE,
    }
