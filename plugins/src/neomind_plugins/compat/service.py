"""What compat works out itself: first steps, and whether a device type could be registered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from neomind_sdk import DeviceDirectory, LanguageModels

from .models import OnboardingAnswer, StepDone, SystemStatus, TypeCheck

TYPE_ID = re.compile(r"[A-Za-z0-9_-]+")


class Onboarding:
    """The first steps of a new installation. That the hints were dismissed is forgotten at a restart."""

    def __init__(self) -> None:
        self.dismissed = False

    def status(self, directory: DeviceDirectory | None, models: LanguageModels | None) -> OnboardingAnswer:
        """``None`` for what is not there, or is none of the caller's business."""
        devices = len(directory.devices()) if directory else 0
        has_llm = bool(models and models.models())
        return OnboardingAnswer(
            dismissed=self.dismissed,
            system_status=SystemStatus(has_llm_backend=has_llm, has_devices=devices > 0, device_count=devices),
            steps={"llm": StepDone(completed=has_llm), "device": StepDone(completed=devices > 0)},
        )


def check_type(body: Any) -> TypeCheck:
    """What speaks against registering a device type, as far as it can be seen without registering it."""
    errors = list(_type_problems(body)) if isinstance(body, Mapping) else ["the body must be a JSON object"]
    warnings = [] if errors or body.get("metrics") else ["it has no metrics; whatever arrives will be stored"]
    message = f"{len(errors)} problems" if errors else "The device type is valid"
    return TypeCheck(valid=not errors, errors=errors, warnings=warnings, message=message)


def _type_problems(body: Mapping[str, Any]) -> Iterator[str]:
    ident = body.get("device_type")
    if not isinstance(ident, str) or not TYPE_ID.fullmatch(ident):
        yield "device_type: letters, digits, _ and - are wanted"
    if not _is_name(body.get("name")):
        yield "name: must not be empty"
    for key in ("metrics", "commands"):
        yield from _list_problems(key, body.get(key) or [])


def _list_problems(key: str, rows: Any) -> Iterator[str]:
    if not isinstance(rows, list):
        yield f"{key}: a list is wanted"
        return
    names = [row.get("name") if isinstance(row, Mapping) else None for row in rows]
    yield from (f"{key}[{at}].name: must not be empty" for at, name in enumerate(names) if not _is_name(name))
    counts = Counter(name for name in names if isinstance(name, str))
    yield from (f"{key}: '{name}' is there {count} times" for name, count in counts.items() if count > 1)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
