"""How each operation of the page succeeds: things to act upon, made over the API itself, and bodies."""

from __future__ import annotations

import itertools

from .conftest import ADMIN, data
from .operations import WILDCARDS

NUMBERS = itertools.count(1)
TYPE = {
    "device_type": "contract_sensor",
    "name": "Sensor",
    "metrics": [{"name": "temperature", "data_type": "float", "unit": "°C"}],
    "commands": [{"name": "beep", "parameters": [{"name": "seconds", "data_type": "integer", "min": 1, "max": 9}]}],
}
RULE = {
    "name": "High Temp Alert",
    "trigger": {"trigger_type": "data_change"},
    "condition": {
        "condition_type": "comparison",
        "source": "device:sensor-01:temperature",
        "operator": "greater_than",
        "threshold": 30,
    },
    "actions": [{"type": "notify", "message": "Too hot"}],
}
DASHBOARD = {
    "name": "Office",
    "components": [
        {
            "id": "c1",
            "type": "value-card",
            "title": "Office",
            "position": {"x": 0, "y": 0, "w": 2, "h": 1},
            "data_source": {"type": "device", "sourceId": "sensor-01", "property": "temperature"},
        }
    ],
}
AGENT = {"user_prompt": "Watch the office", "schedule": {"schedule_type": "event"}, "execution_mode": "free"}
UNREACHABLE = "http://127.0.0.1:9/v1"
BACKEND = {"name": "Local", "backend_type": "openai", "model": "small", "endpoint": UNREACHABLE, "api_key": "sk-1"}
MESSAGE = {"category": "alert", "severity": "info", "title": "Hello", "message": "World"}


class World:
    """Makes what an operation acts upon, a fresh one each time, and performs the operation."""

    def __init__(self, platform):
        self.platform = platform
        self.say = platform.say

    async def perform(self, operation):
        """The answer of the operation when all is well."""
        path = operation.path
        for pattern, instance in WILDCARDS.items():
            path = path.replace(pattern, instance)
        make = next((make for prefix, make in self.makers().items() if path.startswith(prefix)), None)
        if "/:" in path and make:
            path = await make(path)
        body = self.bodies().get(operation.name)
        body = await body() if callable(body) else body
        return await self.platform.api.request(operation.method, path, json=body)

    # ---- what there is to act upon -------------------------------------------------------------------------------

    def makers(self):
        """By the beginning of a path; the longer ones first. Each gives the path with its parameters filled in."""
        return {
            "/devices/drafts/": self.of_draft,
            "/devices/": self.of_device,
            "/dashboards/shared/": self.of_share,
            "/dashboards/": lambda path: self.of_made(path, "/dashboards", DASHBOARD),
            "/rules/": lambda path: self.of_made(path, "/rules", RULE),
            "/agents/": lambda path: self.of_made(path, "/agents", AGENT),
            "/llm-backends/": lambda path: self.of_made(path, "/llm-backends", BACKEND),
            "/messages/channels/": self.of_channel,
            "/extensions/": self.of_extension,
            "/data-push/": lambda path: self.of_made(path, "/data-push", self.push()),
            "/capabilities/": self.of_capability,
        }

    async def of_made(self, path, collection, body):
        made = await self.say("POST", collection, {**body, "name": f"{body.get('name', 'Agent')} {next(NUMBERS)}"})
        return path.replace(":id", made.get("id") or made["rule"]["id"])

    async def of_device(self, path):
        await self.say("POST", "/devices/types", TYPE)
        body = {"name": "sensor", "device_type": TYPE["device_type"], "connection_config": {}}
        return path.replace(":id", (await self.say("POST", "/devices", body))["device_id"])

    async def of_draft(self, path):
        ident = f"unknown-{next(NUMBERS)}"
        await self.say("POST", f"/devices/{ident}/webhook", {"moisture": 41.5})
        return path.replace(":id", ident)

    async def of_share(self, path):
        made = await self.of_made("/dashboards/:id/share", "/dashboards", DASHBOARD)
        link = await self.say("POST", made, {"expires_in_hours": 1})
        return path.replace(":token", link["token"])

    async def of_channel(self, path):
        channel = self.channel()
        await self.say("POST", "/messages/channels", channel)
        return path.replace(":id", channel["name"])

    async def of_extension(self, path):
        ident = "example" if ":cmd" in path else "extension_admin"
        return path.replace(":id", ident).replace(":cmd", "roll")

    async def of_capability(self, path):
        found = await self.say("GET", "/capabilities")
        return path.replace(":name", found["capabilities"][0]["name"])

    # ---- bodies --------------------------------------------------------------------------------------------------

    def channel(self):
        return {"name": f"ops{next(NUMBERS)}", "channel_type": "webhook", "url": f"{self.platform.sink.url}/channel"}

    def push(self):
        return {
            "name": f"push {next(NUMBERS)}",
            "target_type": "webhook",
            "config": {"url": f"{self.platform.sink.url}/push"},
            "schedule": {"type": "event_driven", "event_types": []},
            "data_filter": {"source_patterns": ["device:sensor-01:"]},
            "enabled": False,
        }

    async def registered(self):
        """The first user, whether or not it was there."""
        answer = await self.platform.stranger.post("/auth/register", json=ADMIN)
        assert answer.status_code in (201, 409), answer.text
        return ADMIN

    async def typed(self):
        await self.say("POST", "/devices/types", TYPE)
        return {"name": "sensor", "device_type": TYPE["device_type"], "connection_config": {}}

    def bodies(self):
        return {
            "POST /auth/login": self.registered,
            "POST /auth/register": {"username": f"somebody{next(NUMBERS)}", "password": "kitchen-1"},
            "POST /devices": self.typed,
            "PUT /devices/:id": {"name": "renamed"},
            "POST /devices/:id/control": {"command": "beep", "params": {"seconds": 2}},
            "POST /devices/:id/webhook": {"temperature": 21.5},
            "POST /devices/types": TYPE,
            "POST /devices/drafts/:id/approve": {"new_type": {"device_type": "planter", "name": "Planter"}},
            "POST /dashboards": DASHBOARD,
            "PUT /dashboards/:id": {"name": "renamed"},
            "POST /dashboards/:id/share": {"expires_in_hours": 1},
            "POST /rules": RULE,
            "PUT /rules/:id": {"name": "renamed"},
            "POST /agents": AGENT,
            "PUT /agents/:id": {"name": "renamed"},
            "POST /agents/:id/status": {"status": "paused"},
            "POST /llm-backends": BACKEND,
            "PUT /llm-backends/:id": {"name": "renamed"},
            "PATCH /llm-backends/:id/capabilities": {"multimodal": True},
            "POST /messages/send": MESSAGE,
            "POST /messages/channels": self.channel(),
            "PUT /messages/channels/:id": {"config": {"url": f"{self.platform.sink.url}/other"}},
            "POST /extensions/:id/commands/:cmd": {},
            "POST /data-push": self.push(),
            "PUT /data-push/:id": {"name": "renamed"},
        }


async def key_with(platform, *permissions):
    """An API key that may do just this."""
    body = {"name": f"key {next(NUMBERS)}", "permissions": list(permissions)}
    return data(await platform.api.post("/auth/keys", json=body))["api_key"]
