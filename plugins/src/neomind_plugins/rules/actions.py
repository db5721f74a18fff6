"""The types of actions that plugins contribute, and the entries of rules that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neomind_sdk import ActionOutcome, Firing, Logger, Platform, RuleActionType, ValidationFailed, fields
from neomind_sdk.foreign import ForeignError, call
from neomind_sdk.schema import structure

from .kept import Issue, Outcome
from .models import ACTIONS_MAX
from .unfit import Unfit

KIND = "rule_actions"
UNKNOWN = "UNKNOWN_ACTION_TYPE"
TYPE_MAX = 100
SAID_MAX = 2000


class ActionTypes:
    """What can be done, as things are now: plugins come and go."""

    def __init__(self, platform: Platform, log: Logger) -> None:
        self._platform = platform
        self._log = log

    def all(self) -> Sequence[RuleActionType]:
        """By name."""
        return sorted((item for _, item in self._platform.contributions(KIND)), key=lambda item: str(item.name))

    def find(self, name: str) -> RuleActionType | None:
        return next((item for _, item in self._platform.contributions(KIND) if item.name == name), None)

    def check_shape(self, entries: Sequence[Any], path: str = "actions") -> None:
        """Raise ``Unfit`` for entries of which no type could make anything."""
        if len(entries) > ACTIONS_MAX:
            raise Unfit(path, f"must have at most {ACTIONS_MAX} entries")
        for index, entry in enumerate(entries):
            kind = entry.get("type") if isinstance(entry, Mapping) else None
            if not isinstance(kind, str) or not 0 < len(kind) <= TYPE_MAX or not fields.clean(kind):
                raise Unfit(f"{path}[{index}].type", "is required and must be text", "MISSING_PARAMETER")

    def problems(self, entry: Mapping[str, Any], path: str) -> list[Issue]:
        """Errors of what cannot be, warnings of what does not fit things as they are now."""
        kind = self.find(entry["type"])
        if kind is None:
            return [Issue(code=UNKNOWN, message=self.missing(entry["type"]), field=f"{path}.type", severity="error")]
        try:
            params = params_of(kind, entry)
        except ValidationFailed as error:
            return [
                Issue(
                    code="MISSING_PARAMETER", message=each["message"], field=f"{path}.{each['field']}", severity="error"
                )
                for each in error.details
            ]
        return [Issue(code="ACTION_TARGET", message=text, field=path) for text in self._checked(kind, params)]

    def missing(self, name: str) -> str:
        """Why there is no such type, in words."""
        known = ", ".join(str(item.name) for item in self.all()) or "none"
        return f"no plugin that runs provides the action '{name}'; there are: {known}"

    async def run(self, entry: Mapping[str, Any], firing: Firing, limit_s: float) -> Outcome:
        """Run one action once; whatever goes wrong is in the outcome."""
        name = str(entry["type"])
        kind = self.find(name)
        if kind is None:
            return failed(name, self.missing(name))
        try:
            params = params_of(kind, entry)
        except ValidationFailed as error:
            return failed(name, error.message)
        try:
            found: Any = await call(lambda: kind.run(params, firing), limit_s)
        except ForeignError as error:
            self._log.error("rule_action_failed", action=name, rule_id=firing.rule_id, error=str(error))
            return failed(name, str(error))
        if not isinstance(found, ActionOutcome):
            return failed(name, f"the action returned a {type(found).__name__} instead of an ActionOutcome")
        return outcome_of(name, found)

    def _checked(self, kind: RuleActionType, params: Any) -> list[str]:
        """What the type says; one that raises says that."""
        try:
            return [str(text) for text in kind.check(params)]
        except Exception as error:
            self._log.exception("rule_action_check_failed", action=kind.name)
            return [f"the check of '{kind.name}' failed: {error}"]


def params_of(kind: RuleActionType, entry: Mapping[str, Any]) -> Any:
    """The entry as the class of the type; raises ``ValidationFailed``."""
    return structure(kind.params, {name: value for name, value in entry.items() if name != "type"})


def outcome_of(name: str, found: ActionOutcome) -> Outcome:
    """What a plugin says of its action, as text that can be kept."""
    error = None if found.error is None else storable(found.error)
    return Outcome(type=name, ok=bool(found.ok), summary=storable(found.summary), error=error)


def failed(name: str, error: str) -> Outcome:
    return Outcome(type=name, ok=False, summary=f"{name.upper()}: not done", error=storable(error))


def storable(text: object) -> str:
    """Text without what no database takes, and not without end."""
    return str(text)[:SAID_MAX].replace("\x00", " ").encode("utf-8", "replace").decode()
