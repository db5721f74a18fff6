"""A host with models, and backend types that do as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from neomind_plugins.llm import plugin as llm
from neomind_sdk import (
    Capabilities,
    ChatMessage,
    Chunk,
    Completion,
    CompletionRequest,
    Egress,
    Label,
    LanguageModels,
    LLMError,
    Plugin,
    Usage,
    fields,
    hookimpl,
)
from neomind_sdk.testing import FakeEgress, make_host

KEY = "sk-nobody-may-see"
HEADER = "h3ader-nobody-may-see"
PATH = "/api/llm-backends"
HANGS = "hangs"
NEVER_S = 10.0
"""By the clock on the wall: what should be over and is not."""
HELLO = (Chunk(text="Hel"), Chunk(text="lo"), Chunk(finish="stop", usage=Usage(prompt_tokens=7, completion_tokens=2)))
SEES = Capabilities(multimodal=True, tools=True, max_context=4096, source="runtime_api")
BLIND = Capabilities(source="heuristic", max_context=2048)


@attrs.frozen(kw_only=True)
class BrainConfig:
    """Where the brain is."""

    endpoint: str = fields.text(min=1)
    model: str = fields.text(min=1)
    api_key: str = fields.secret(default="")
    headers: dict[str, str] = fields.field(factory=dict, secret=True)
    region: str = fields.text(max=10, default="eu")


@attrs.frozen(kw_only=True)
class BoxConfig:
    """A server in the house: no key, and any model that it happens to have."""

    endpoint: str
    model: str = ""


class Kind:
    """A backend type. What is scripted is an answer, an exception, or ``HANGS``; a stream is a sequence of these."""

    def __init__(self, name: str = "brain", config: type[Any] = BrainConfig, **more: Any) -> None:
        self.name = name
        self.label = Label(name=name.title(), description="Thinks", name_zh="大脑", icon="brain")
        self.config = config
        self.default_endpoint = f"https://{name}.example/v1"
        self.default_model = f"{name}-1" if config is BrainConfig else ""
        self.requires_api_key = config is BrainConfig
        self.answer: Any = Completion(text="Hello", usage=Usage(prompt_tokens=5, completion_tokens=1))
        self.chunks: tuple[Any, ...] = HELLO
        self.probed: Any = BLIND
        self.requests: list[CompletionRequest] = []
        self.opened: list[Any] = []
        self.probes = 0
        self.running = self.most = self.closed = self.cancelled = 0
        self.began = asyncio.Event()
        vars(self).update(more)

    def open(self, config: Any, egress: Egress) -> Mind:
        self.opened.append(config)
        return Mind(self)


class Mind:
    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    async def complete(self, request: CompletionRequest) -> Any:
        self._begin(request)
        try:
            return await said(self.kind.answer)
        except asyncio.CancelledError:
            self.kind.cancelled += 1
            raise
        finally:
            self.kind.running -= 1

    async def stream(self, request: CompletionRequest) -> AsyncIterator[Any]:
        self._begin(request)
        try:
            for item in self.kind.chunks:
                yield await said(item)
        finally:
            self.kind.running -= 1
            self.kind.closed += 1

    async def probe(self) -> Any:
        self.kind.probes += 1
        return await said(self.kind.probed)

    def _begin(self, request: CompletionRequest) -> None:
        self.kind.requests.append(request)
        self.kind.running += 1
        self.kind.most = max(self.kind.most, self.kind.running)
        self.kind.began.set()


async def said(item: Any) -> Any:
    if item is HANGS:
        await asyncio.Event().wait()
    if isinstance(item, BaseException):
        raise item
    if isinstance(item, Later):
        await item.released.wait()
        return item.value
    return item


@attrs.frozen
class Later:
    """A value that comes when the test releases it."""

    value: Any
    released: asyncio.Event = attrs.field(factory=asyncio.Event)


def kinds_plugin(*kinds: Any, name: str = "llm_brain") -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_llm_backends(self, ctx: Any) -> list[Any]:
            return list(kinds)

    return Plugin(name=name, summary="Backend types for tests.", hooks=Hooks())


class Lab:
    """The host, its types, an administrator at the API, and the service that agents ask."""

    def __init__(self, host: Any, kind: Kind, box: Kind, egress: FakeEgress) -> None:
        self.host = host
        self.clock = host.clock
        self.kind = kind
        self.box = box
        self.egress = egress
        self.api = host.client()
        self.models: LanguageModels = host.services[LanguageModels]

    async def create(self, name: str = "main", **more: Any) -> str:
        body = {"name": name, "backend_type": "brain", "model": "brain-2", "api_key": KEY, **more}
        return str(data(await self.api.post(PATH, json=body))["id"])

    async def active(self, **more: Any) -> str:
        ident = await self.create(**more)
        data(await self.api.post(f"{PATH}/{ident}/activate"))
        return ident

    async def show(self, ident: str) -> Any:
        return data(await self.api.get(f"{PATH}/{ident}"))["backend"]

    async def put(self, ident: str, **body: Any) -> Any:
        return data(await self.api.put(f"{PATH}/{ident}", json=body))

    async def pin(self, ident: str, value: bool | None) -> Any:
        return data(await self.api.patch(f"{PATH}/{ident}/capabilities", json={"multimodal": value}))

    async def probe_again(self) -> None:
        from neomind_plugins.llm import hooks

        [job] = hooks.neomind_jobs(self.host.context("llm"))
        await job.run()

    async def fails(self, call: Any, kind: str) -> str:
        """The text of the ``LLMError`` that a call raises."""
        with pytest.raises(LLMError) as caught:
            await asyncio.wait_for(call, NEVER_S)
        assert caught.value.kind == kind
        return str(caught.value)


def ask(text: str = "Say hello", **more: Any) -> CompletionRequest:
    return CompletionRequest(messages=(ChatMessage(role="user", text=text),), **more)


async def all_of(stream: AsyncIterator[Chunk]) -> str:
    return "".join([chunk.text async for chunk in stream])


def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def fault(answer: Any) -> list[str]:
    """The fields that a 422 names."""
    assert code(answer) == (422, "VALIDATION_ERROR"), answer.text
    return [row["field"] for row in answer.json()["error"]["details"]]


async def usage(lab: Lab, ident: str) -> dict[str, Any]:
    found: dict[str, Any] = (await lab.show(ident))["usage"]
    return found


def begun(call: Any) -> asyncio.Task[Any]:
    return asyncio.ensure_future(call)


@asynccontextmanager
async def lab_with(
    *more: Plugin, kind: Kind | None = None, box: Kind | None = None, **options: Any
) -> AsyncIterator[Lab]:
    """``kind`` and ``box`` are the types; with ``types=False`` they are not installed."""
    kind, box, egress = kind or Kind(), box or Kind("box", BoxConfig), options.pop("egress", None) or FakeEgress()
    types = [kinds_plugin(kind, box)] if options.pop("types", True) else []
    async with make_host(llm, *types, *more, egress=egress, **options) as host:
        yield Lab(host, kind, box, egress)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with lab_with() as lab:
        yield lab
