"""One call of a tool, from the model's wish to what came of it. Nothing else runs tools."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import attrs

from neomind_sdk import READ, AgentTool, Clock, Principal, TelemetryStore, ToolContext
from neomind_sdk.foreign import ForeignError, call

from .grants import judge
from .kept import AUTO, CONFIRM, NEVER, Agent
from .masking import fitted, masked, reason, text
from .schemas import plain, problems

DENIED, INVALID, UNKNOWN, WAITING, DONE, FAILED_CALL, LIMIT = (
    "denied",
    "invalid",
    "unknown_tool",
    "waiting_approval",
    "executed",
    "failed",
    "limit",
)
RESULT_MAX = 128 * 1024
SCOPES = frozenset({"read", "write"})


@attrs.frozen(kw_only=True)
class Wish:
    """What a model wants done, once it was found to be sound: known, well-formed, and judged."""

    tool: AgentTool
    arguments: Mapping[str, Any]
    tier: str
    reason: str
    targets: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a call; ``result`` is JSON, ``error`` says why there is none.

    ``old_values`` and ``new_values`` are the newest values of the devices it touched, before and after.
    """

    verdict: str
    result: Any = None
    error: str | None = None
    old_values: Mapping[str, Any] | None = None
    new_values: Mapping[str, Any] | None = None
    duration_ms: float = 0.0

    @property
    def ok(self) -> bool:
        return self.error is None


async def weigh(agent: Agent, tool: AgentTool | None, name: str, arguments: Any, known: str) -> Wish | Outcome:
    """The wish, or why it is none. Arguments are copied: what was judged is what runs."""
    if tool is None:
        return Outcome(verdict=UNKNOWN, error=f"there is no tool '{text(name)[:100]}'; there are: {known}")
    try:
        sound = plain(arguments)
    except (TypeError, ValueError, RecursionError):
        return Outcome(verdict=INVALID, error="the arguments are not JSON")
    if not isinstance(sound, dict):
        return Outcome(verdict=INVALID, error="the arguments must be an object")
    found = await problems(tool.parameters, sound)
    if found:
        return Outcome(verdict=INVALID, error=text("; ".join(found)))
    verdict = judge(agent, tool, copy.deepcopy(sound))
    if verdict.tier == NEVER:
        return Outcome(verdict=DENIED, error=f"refused: {verdict.reason}")
    return Wish(tool=tool, arguments=sound, tier=verdict.tier, reason=verdict.reason, targets=verdict.targets)


def acts(wish: Wish) -> bool:
    return wish.tool.effect != READ


@attrs.frozen(kw_only=True)
class Caller:
    """Runs what may run. ``timeout_s`` is how long one call may take."""

    clock: Clock
    telemetry: TelemetryStore
    timeout_s: Callable[[], float]

    async def run(self, wish: Wish, agent: Agent, execution_id: str, hops: int, *, approved: bool = False) -> Outcome:
        """Run a wish whose tier is ``auto``, or that somebody approved; whatever goes wrong is in the outcome."""
        if wish.tier != AUTO and not (approved and wish.tier == CONFIRM):
            return Outcome(verdict=DENIED, error=f"refused: {wish.reason}")
        context = ToolContext(
            principal=Principal(kind="agent", id=agent.id, name=agent.name, scopes=SCOPES),
            agent_id=agent.id,
            execution_id=execution_id,
            hops=hops,
        )
        old = await self._values(wish)
        begin = self.clock.monotonic()
        outcome = await self._called(wish, context)
        taken = round((self.clock.monotonic() - begin) * 1000, 3)
        return attrs.evolve(outcome, old_values=old, new_values=await self._values(wish), duration_ms=taken)

    async def _called(self, wish: Wish, context: ToolContext) -> Outcome:
        work: Callable[[], Awaitable[Any]] = lambda: wish.tool.run(copy.deepcopy(dict(wish.arguments)), context)  # noqa: E731
        try:
            result = fitted(masked(plain(await call(work, self.timeout_s()))), RESULT_MAX)
        except ForeignError as error:
            return Outcome(verdict=FAILED_CALL, error=reason(error))
        except (TypeError, ValueError, RecursionError):
            return Outcome(verdict=FAILED_CALL, error="the tool's answer is not JSON")
        return Outcome(verdict=DONE, result=result)

    async def _values(self, wish: Wish) -> Mapping[str, Any] | None:
        """The newest values of the devices that a call which acts touches; ``None`` where there is no device."""
        devices = [each for each in wish.targets if each.startswith("device:")] if acts(wish) else []
        found = {}
        for device in devices[:10]:
            with suppress(Exception):  # a record without values is better than a call that is not made
                samples = await self.telemetry.latest_of(device)
                found[device] = {name: masked(sample.value) for name, sample in samples.items() if name != "_raw"}
        return found or None
