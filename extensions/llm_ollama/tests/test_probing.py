"""What the server says about its models."""

from __future__ import annotations

import json

import pytest

from neomind_llm_ollama.backend import OllamaType
from neomind_llm_ollama.models import OllamaConfig
from neomind_sdk import Capabilities, LLMError
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.sink import Sink, real_egress

SHOWN = {
    "capabilities": ["completion", "vision", "tools"],
    "model_info": {"general.architecture": "gemma3", "gemma3.context_length": 131072, "gemma3.block_count": 34},
}


async def probed(model, answer, status=200):
    return await OllamaType().open(OllamaConfig(model=model), FakeEgress().answer(status, json=answer)).probe()


async def test_probing_byte_for_byte():
    async with Sink() as sink, real_egress() as egress:
        sink.answer(json=SHOWN)
        found = await OllamaType().open(OllamaConfig(model="gemma3:4b", endpoint=sink.url), egress).probe()
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target, arrived.body) == ("POST", "/api/show", b'{"model":"gemma3:4b"}')
    assert found == Capabilities(multimodal=True, tools=True, max_context=131072, source="runtime_api")


async def test_an_old_server_leaves_it_to_the_name():
    found = await probed("llava:7b", {"model_info": {"llama.context_length": 4096}})
    assert found == Capabilities(multimodal=True, tools=False, max_context=4096, source="heuristic")


async def test_a_model_that_is_not_there_goes_by_its_name():
    found = await probed("qwen3:8b", {"error": "model not found"}, 404)
    assert (found.thinking, found.max_context, found.source) == (True, 32_000, "heuristic")


@pytest.mark.parametrize("status", [401, 500])
async def test_a_server_that_cannot_be_asked(status):
    with pytest.raises(LLMError):
        await probed("m", {}, status)


@pytest.mark.parametrize("info", [None, [], {"a.context_length": "many", "b.context_length": True}])
async def test_facts_of_other_shapes(info):
    assert (await probed("m", {"model_info": info, "capabilities": 5})).max_context == 128_000


async def test_the_models():
    details = {"family": "llama", "families": ["llama", "clip"], "parameter_size": "7B"}
    listed = [
        {"name": "qwen3:8b", "model": "qwen3:8b", "size": 5, "digest": "sha", "modified_at": "2026-01-01T00:00:00Z"},
        {"name": "mystery:7b", "details": details},
        {"name": "new:1b", "capabilities": ["vision", "thinking"]},
        {"name": 5},
        "junk",
    ]
    async with Sink() as sink, real_egress() as egress:
        sink.answer(json={"models": listed})
        found = await OllamaType().models(sink.url, "key", egress)
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target, arrived.body) == ("GET", "/api/tags", b"")
    assert arrived.headers["authorization"] == "Bearer key"
    assert found == [
        {"name": "mystery:7b", "details": details, **able(multimodal=True, context=128_000)},
        {"name": "new:1b", **able(multimodal=True, thinking=True, tools=False, context=128_000)},
        {
            "name": "qwen3:8b",
            "size": 5,
            "modified_at": "2026-01-01T00:00:00Z",
            "digest": "sha",
            **able(thinking=True, context=32_000),
        },
    ]


def able(*, multimodal=False, thinking=False, tools=True, context):
    return {
        "supports_multimodal": multimodal,
        "supports_thinking": thinking,
        "supports_tools": tools,
        "max_context": context,
    }


async def test_a_list_that_is_none():
    with pytest.raises(LLMError):
        await OllamaType().models(None, None, FakeEgress().answer(body=json.dumps({"models": {}})))


@pytest.mark.parametrize(("model", "efforts"), [("gpt-oss:20b", ("low", "medium", "high")), ("qwen3:8b", ())])
async def test_efforts(model, efforts):
    assert OllamaType().guess(model).efforts == efforts
    assert (await probed(model, {"capabilities": ["thinking"]})).efforts == efforts
