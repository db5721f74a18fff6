"""A host with agents, devices, a language model that does as the test says, and tools that count their calls."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from neomind_plugins.agents import plugin as agents
from neomind_plugins.agents.service import Agents
from neomind_plugins.devices import plugin as devices
from neomind_plugins.scheduler import plugin as scheduler
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import (
    ACTUATE,
    READ,
    AgentTool,
    Capabilities,
    Completion,
    CompletionRequest,
    Device,
    DeviceDirectory,
    DeviceType,
    Ingest,
    LanguageModels,
    MetricDef,
    ModelInfo,
    Plugin,
    Point,
    Service,
    ToolCall,
    ToolContext,
    Usage,
    hookimpl,
)
from neomind_sdk.testing import make_host

FREE = {"user_prompt": "Look after the house", "schedule": {"schedule_type": "manual"}, "execution_mode": "free"}


# ---- the model ----


def call(name: str, ident: str = "", **arguments: Any) -> ToolCall:
    return ToolCall(id=ident or f"c-{name}", name=name, arguments=arguments)


def calls(*wanted: ToolCall, text: str = "") -> Completion:
    numbered = tuple(attrs.evolve(each, id=f"c{number}") for number, each in enumerate(wanted))
    return Completion(
        text=text, tool_calls=numbered, finish="tool_calls", usage=Usage(prompt_tokens=100, completion_tokens=10)
    )


def words(text: str = "All is well.") -> Completion:
    return Completion(text=text, usage=Usage(prompt_tokens=100, completion_tokens=5))


class ScriptedModels:
    """Answers by its script, the last entry again and again; entries may be exceptions, or functions of the request."""

    def __init__(self, *script: Any, tools: bool = True, max_context: int | None = None) -> None:
        self.script = list(script) or [words()]
        self.requests: list[CompletionRequest] = []
        self.gate: asyncio.Event | None = None
        self.infos = [info("b-1", tools=tools, max_context=max_context)]
        self.now: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.order: list[str] = []

    def says(self, *script: Any) -> None:
        self.script = list(script)

    def find(self, backend_id: str | None = None) -> ModelInfo | None:
        wanted = (each for each in self.infos if (each.active if backend_id is None else each.backend_id == backend_id))
        return next(wanted, None)

    def models(self) -> Sequence[ModelInfo]:
        return self.infos

    async def complete(self, request: CompletionRequest, backend_id: str | None = None) -> Completion:
        self.requests.append(request)
        key = str(backend_id)
        self.now[key] = self.now.get(key, 0) + 1
        self.most[key] = max(self.most.get(key, 0), self.now[key])
        try:
            if self.gate is not None:
                await self.gate.wait()
            entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            entry = entry(request) if callable(entry) else entry
            entry = await entry if inspect.isawaitable(entry) else entry
        finally:
            self.now[key] -= 1
        if isinstance(entry, BaseException):
            raise entry
        return entry

    def stream(self, request: CompletionRequest, backend_id: str | None = None) -> Any:
        raise NotImplementedError

    @property
    def prompts(self) -> str:
        """Everything that the model was ever told."""
        return "\n".join(message.text for request in self.requests for message in request.messages)

    @property
    def told(self) -> list[str]:
        """The texts that the model was last told as results of tools."""
        return [message.text for message in self.requests[-1].messages if message.role == "tool"]


def info(
    ident: str, *, active: bool = True, tools: bool = True, max_context: int | None = None, **more: Any
) -> ModelInfo:
    capabilities = Capabilities(tools=tools, max_context=max_context, **more)
    return ModelInfo(
        backend_id=ident, name=ident, backend_type="scripted", model="m", capabilities=capabilities, active=active
    )


def llm_plugin(models: ScriptedModels) -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_services(self, ctx: Any) -> list[Service]:
            return [Service(key=LanguageModels, build=lambda ctx: models)]

    return Plugin(name="llm", summary="Models for tests.", hooks=Hooks())


# ---- the tools ----

DEVICE_SCHEMA = {
    "type": "object",
    "properties": {
        "device_id": {"type": "string"},
        "command": {"type": "string"},
        "params": {"type": "object"},
    },
    "required": ["device_id"],
    "additionalProperties": False,
}
ANY_SCHEMA = {"type": "object"}


class Gadgets:
    """Tools: ``look`` reads, ``press`` acts on a device, ``wipe`` acts and names no targets."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Mapping[str, Any]]] = []
        self.contexts: list[ToolContext] = []
        self.results: dict[str, Any] = {}
        self.errors: dict[str, BaseException] = {}
        self.inside = 0
        self.gate: asyncio.Event | None = None
        self.then: Callable[[str, Mapping[str, Any]], Any] | None = None

    def tool(self, name: str, *, acts: bool = True, targets: Any = None, schema: Any = DEVICE_SCHEMA) -> AgentTool:
        async def run(arguments: Mapping[str, Any], context: ToolContext) -> Any:
            self.done.append((name, arguments))
            self.contexts.append(context)
            self.inside += 1
            try:
                if self.gate is not None:
                    await self.gate.wait()
            finally:
                self.inside -= 1
            if self.then is not None:
                await self.then(name, arguments)
            if name in self.errors:
                raise self.errors[name]
            return self.results.get(name, {"ok": True})

        return AgentTool(
            name=name,
            description=f"Does {name}.",
            parameters=schema,
            run=run,
            effect=ACTUATE if acts else READ,
            category="devices",
            targets=targets,
        )

    def tools(self) -> list[AgentTool]:
        def device(arguments: Mapping[str, Any]) -> tuple[str, ...]:
            return (f"device:{arguments.get('device_id')}",)

        def broken(arguments: Mapping[str, Any]) -> tuple[str, ...]:
            raise RuntimeError("no idea")

        return [
            self.tool("look", acts=False, schema=ANY_SCHEMA),
            self.tool("press", targets=device),
            self.tool("wipe", schema=ANY_SCHEMA),
            self.tool("broken", targets=broken, schema=ANY_SCHEMA),
            self.tool("ext:dotted.name", acts=False, schema=ANY_SCHEMA),
        ]

    def names(self, *wanted: str) -> list[str]:
        return [name for name, _ in self.done if name in wanted or not wanted]

    def plugin(self) -> Plugin:
        gadgets = self

        class Hooks:
            @hookimpl
            def neomind_agent_tools(self, ctx: Any) -> list[AgentTool]:
                return gadgets.tools()

        return Plugin(name="gadgets", summary="Tools for tests.", hooks=Hooks())


# ---- the house ----


class House:
    """The host, its model and tools, and an administrator at the API."""

    def __init__(self, host: Any, models: ScriptedModels, gadgets: Gadgets) -> None:
        self.host = host
        self.models = models
        self.gadgets = gadgets
        self.clock = host.clock
        self.api = host.client()
        self.agents: Agents = host.services[Agents]

    async def furnish(self, *ids: str) -> None:
        directory = self.host.services[DeviceDirectory]
        metrics = (MetricDef(name="t", data_type="float"), MetricDef(name="note", data_type="string"))
        await directory.register_type(DeviceType(device_type="kettle", name="Kettle", metrics=metrics))
        for ident in ids or ("boiler", "pump"):
            await directory.register(Device(device_id=ident, name=ident, device_type="kettle"))

    async def add(self, **members: Any) -> str:
        """A free agent unless members say otherwise; returns its id."""
        return str((await self.post("/agents", {**FREE, **members}))["id"])

    async def bound(self, *ids: str, **members: Any) -> str:
        """A free agent that is bound to devices."""
        resources = [{"resource_id": ident, "resource_type": "device"} for ident in ids]
        return await self.add(resources=resources, **members)

    async def get(self, path: str, **query: Any) -> Any:
        return data(await self.api.get(f"/api{path}", params=query))

    async def post(self, path: str, body: Any = None) -> Any:
        return data(await self.api.post(f"/api{path}", json={} if body is None else body))

    async def run(self, agent_id: str, **body: Any) -> Any:
        """Run, wait, and give the whole record."""
        ident = (await self.post(f"/agents/{agent_id}/execute", body))["execution_id"]
        await self.settle()
        return await self.record(agent_id, ident)

    async def record(self, agent_id: str, execution_id: str) -> Any:
        return await self.get(f"/agents/{agent_id}/executions/{execution_id}")

    async def records(self, agent_id: str) -> list[Any]:
        """The records of all runs, the newest first."""
        found = (await self.get(f"/agents/{agent_id}/executions"))["executions"]
        return [await self.record(agent_id, each["id"]) for each in found]

    async def show(self, agent_id: str) -> Any:
        return await self.get(f"/agents/{agent_id}")

    async def approvals(self, **query: Any) -> list[Any]:
        return list((await self.get("/agents/approvals", **query))["approvals"])

    async def store(self, source: str, value: Any, **more: Any) -> None:
        await self.host.services[Ingest].write([Point(source, self.clock.now_ms(), value)], source="api", **more)
        await self.settle()

    async def settle(self) -> None:
        """Until no run goes on, or what goes on waits for the test or the clock."""
        quiet = 0
        for _ in range(400):
            await self.host.settle()
            # Arguments are checked in a thread, which takes turns of its own.
            await asyncio.sleep(0.002)
            quiet = quiet + 1 if not self.agents.runs.running or self._held() else 0
            if quiet > 2:
                return

    def _held(self) -> bool:
        gates = ((self.models.gate, sum(self.models.now.values())), (self.gadgets.gate, self.gadgets.inside))
        return any(gate is not None and not gate.is_set() and inside for gate, inside in gates)

    async def pass_s(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.settle()


def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@asynccontextmanager
async def house_with(
    models: ScriptedModels | None = None, *more: Plugin, gadgets: Gadgets | None = None, **options: Any
) -> AsyncIterator[House]:
    models, gadgets = models or ScriptedModels(), gadgets or Gadgets()
    plugins = (devices, telemetry, scheduler, llm_plugin(models), agents, gadgets.plugin(), *more)
    async with make_host(*plugins, **options) as host:
        yield House(host, models, gadgets)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """With the devices ``boiler`` and ``pump``."""
    async with house_with() as house:
        await house.furnish()
        yield house
