"""What there is for agents: devices, extensions, tools, models, times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import (
    ApiError,
    BadRequest,
    ChatMessage,
    CompletionRequest,
    Cron,
    DeviceDirectory,
    ExtensionCommands,
    Job,
    LanguageModels,
    LLMError,
    Platform,
    Scheduling,
    Status,
)

from .masking import text
from .schedules import NO_SCHEDULER, nothing
from .toolbox import Toolbox, view

PROBE = "Answer with the word OK."


@attrs.frozen(kw_only=True)
class Offerings:
    """Asks whoever is there; who is not offers nothing."""

    platform: Platform
    toolbox: Toolbox
    directory: Callable[[], DeviceDirectory | None]
    commands: Callable[[], ExtensionCommands | None]
    models: Callable[[], LanguageModels | None]
    scheduling: Callable[[], Scheduling | None]

    def tools(self) -> list[dict[str, Any]]:
        infos = {info.name: info for info in self.platform.plugins()}
        return [
            view(plugin, tool, infos[plugin].version, first_party=infos[plugin].first_party)
            for plugin, tool in self.toolbox.all()
            if plugin in infos
        ]

    def resources(self) -> dict[str, Any]:
        """What an agent may be bound to."""
        return {"devices": self._devices(), "extensions": self._extensions()}

    def check_cron(self, expression: str, timezone: str | None) -> dict[str, Any]:
        """Whether an expression can be scheduled."""
        scheduling = self.scheduling()
        if scheduling is None:
            return {"valid": False, "error": NO_SCHEDULER}
        try:
            trigger = Cron(expression=expression, timezone=timezone or None)
            scheduling.check(Job(name="agents.check", trigger=trigger, run=nothing))
        except ApiError as error:
            return {"valid": False, "error": error.message}
        return {"valid": True, "description": f"{expression} ({timezone or 'time zone of the platform'})"}

    async def check_model(self, backend_id: str | None) -> dict[str, Any]:
        """Ask the model something small; raises ``BadRequest`` when there is none."""
        models = self.models()
        info = None if models is None else models.find(backend_id or None)
        if models is None or info is None:
            raise BadRequest(f"There is no backend '{backend_id}'" if backend_id else "No language model is configured")
        request = CompletionRequest(messages=(ChatMessage(role="user", text=PROBE),), max_tokens=16, total_s=30.0)
        found = {"backend_name": info.name, "model": info.model}
        try:
            await models.complete(request, info.backend_id)
        except (LLMError, ApiError) as error:
            return {"valid": False, **found, "error": text(str(error))}
        return {"valid": True, **found}

    def _devices(self) -> list[dict[str, Any]]:
        directory = self.directory()
        if directory is None:
            return []
        return [
            {
                "id": device.device_id,
                "name": device.name,
                "type": device.device_type,
                "status": "connected" if directory.status(device.device_id) == "online" else "disconnected",
            }
            for device in directory.devices()
        ]

    def _extensions(self) -> list[dict[str, Any]]:
        commands = self.commands()
        found: dict[str, list[Any]] = {}
        for extension_id, command in commands.commands() if commands is not None else ():
            found.setdefault(extension_id, []).append(command)
        return [
            {
                "id": info.name,
                "name": info.name,
                "version": info.version,
                "description": info.summary,
                "metrics": [metric_view(output) for command in found[info.name] for output in command.outputs],
                "commands": [command.name for command in found[info.name]],
                "state": "Loaded",
            }
            for info in self.platform.plugins()
            if info.name in found and info.status is Status.ENABLED
        ]


def metric_view(output: Any) -> dict[str, Any]:
    return {
        "name": output.name,
        "display_name": output.display_name or output.name,
        "data_type": output.data_type,
        "unit": output.unit,
    }
