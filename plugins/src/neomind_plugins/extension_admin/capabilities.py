"""What extensions may do with the platform, and which of it is there: derived from what runs, never assumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import Database, DeviceDirectory, EventBus, Ingest, NotFound, Platform, Status, TelemetryStore

from .models import Capability

OWN = "extension_admin"


@attrs.frozen
class Contributed:
    """Somebody contributes this kind, and of it this name unless any will do: a rule action, a transport."""

    kind: str
    name: str | None = None


@attrs.frozen
class Runs:
    """A plugin of this name runs."""

    plugin: str


Need = type[Any] | Contributed | Runs


@attrs.frozen
class Known:
    """A capability and all that it needs."""

    name: str
    display_name: str
    description: str
    category: str
    needs: tuple[Need, ...]


CHAT = (
    ("chat_stream", "Chat stream", "Send a message and receive the answer piece by piece"),
    ("chat_stream_cancel", "Cancel chat stream", "Stop an answer that is being given"),
    ("chat_session_open", "Open chat session", "Begin a conversation"),
    ("chat_session_send", "Send in chat session", "Send a message into a conversation"),
    ("chat_session_close", "Close chat session", "End a conversation"),
    ("chat_stream_cancel_turn", "Cancel chat turn", "Stop one turn of a conversation"),
)
READS = (DeviceDirectory, TelemetryStore)
KNOWN = (
    Known("device_metrics_read", "Read device metrics", "Read the newest values of a device", "device", READS),
    Known("device_metrics_write", "Write device metrics", "Write values of virtual metrics", "device", (Ingest,)),
    Known(
        "device_control",
        "Control devices",
        "Send commands to devices",
        "device",
        (DeviceDirectory, Contributed("transports"), Contributed("rule_actions", "execute")),
    ),
    Known("device_template_register", "Register device types", "Add types of devices", "device", (DeviceDirectory,)),
    Known("device_register", "Register devices", "Add devices", "device", (DeviceDirectory,)),
    Known("device_unregister", "Unregister devices", "Remove devices", "device", (DeviceDirectory,)),
    Known("storage_query", "Query storage", "Read and write the extension's own tables", "storage", (Database,)),
    Known("event_publish", "Publish events", "Tell everybody that something happened", "event", (EventBus,)),
    Known("event_subscribe", "Subscribe to events", "Be told what happens", "event", (EventBus,)),
    Known("telemetry_history", "Telemetry history", "Read samples of a time range", "telemetry", (TelemetryStore,)),
    Known("metrics_aggregate", "Aggregate metrics", "Aggregate samples over time", "telemetry", (TelemetryStore,)),
    Known("extension_call", "Call extensions", "Run commands of other extensions", "extension", (Runs(OWN),)),
    Known("rule_trigger", "Trigger rules", "Run a rule", "rule", (Runs("rules"),)),
    Known("agent_trigger", "Trigger agents", "Run an agent", "agent", (Contributed("rule_actions", "trigger_agent"),)),
    *(Known(*words, "agent", (Runs("chat"),)) for words in CHAT),
)


class Capabilities:
    """``has(key)`` says whether the platform itself provides a service."""

    def __init__(self, platform: Platform, has: Callable[[type[Any]], bool]) -> None:
        self._platform = platform
        self._has = has

    def all(self) -> list[Capability]:
        return [self._judge(known) for known in KNOWN]

    def one(self, name: str) -> Capability:
        """Raises ``NotFound``."""
        found = next((known for known in KNOWN if known.name == name), None)
        if found is None:
            raise NotFound("CAPABILITY", name, by="name")
        return self._judge(found)

    def _judge(self, known: Known) -> Capability:
        lacking = [text for text in map(self._lacking, known.needs) if text]
        return Capability(
            name=known.name,
            display_name=known.display_name,
            description=known.description,
            category=known.category,
            available=not lacking,
            reason="; ".join(lacking) or None,
        )

    def _lacking(self, need: Need) -> str | None:
        """What is not there, in words; ``None`` when it is."""
        if isinstance(need, Runs):
            running = any(
                info.name == need.plugin for info in self._platform.plugins() if info.status is Status.ENABLED
            )
            return None if running else f"the plugin '{need.plugin}' is not running"
        if isinstance(need, Contributed):
            names = [getattr(item, "name", None) for _, item in self._platform.contributions(need.kind)]
            there = need.name in names if need.name else bool(names)
            return None if there else f"no running plugin contributes {self._wanted(need)}"
        offered = any(service.key is need for _, service in self._platform.contributions("services"))
        return None if offered or self._has(need) else f"no running plugin provides {need.__name__}"

    @staticmethod
    def _wanted(need: Contributed) -> str:
        words = need.kind.replace("_", " ")
        return f"'{need.name}' to the {words}" if need.name else words
