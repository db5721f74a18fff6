"""What servers say about themselves."""

from __future__ import annotations

import pytest

from neomind_llm_openai.models import OpenAIConfig
from neomind_llm_openai.presets import PRESETS
from neomind_sdk import Capabilities, LLMError
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.sink import Sink, real_egress

TYPES = {one.name: one for one in PRESETS}
PROPS = {
    "default_generation_settings": {"n_ctx": 4096, "params": {"seed": 4294967295}},
    "total_slots": 4,
    "model_alias": "/models/Qwen2.5-VL-7B-Q4_K_M.gguf",
    "model_path": "/models/Qwen2.5-VL-7B-Q4_K_M.gguf",
    "modalities": {"vision": True, "audio": False},
    "chat_template": "{% if enable_thinking %}<think>{% endif %}",
    "chat_template_caps": {"supports_tools": True},
    "build_info": "b8681-1a2b3c4",
}
MODELS = {"data": [{"id": "/models/Qwen2.5-VL-7B-Q4_K_M.gguf", "meta": {"n_ctx_train": 32768}}]}


async def probed(name, *answers, **config):
    egress = FakeEgress()
    for answer in answers:
        egress.answer(answer) if isinstance(answer, int) else egress.answer(json=answer)
    return await TYPES[name].open(OpenAIConfig(**config), egress).probe(), egress.requests


async def test_llamacpp():
    found, sent = await probed("llamacpp", PROPS, MODELS, endpoint="http://10.0.0.5:8080/v1", api_key="k")
    assert found == Capabilities(multimodal=True, thinking=True, tools=True, max_context=4096, source="runtime_api")
    assert [request.url for request in sent] == ["http://10.0.0.5:8080/props", "http://10.0.0.5:8080/v1/models"]
    assert all(request.headers["authorization"] == "Bearer k" for request in sent)


async def test_llamacpp_without_props():
    found, _ = await probed("llamacpp", 404, MODELS)
    assert found == Capabilities(multimodal=True, tools=True, max_context=32768, source="runtime_api")


async def test_llamacpp_that_says_nothing_goes_by_its_name():
    found, _ = await probed("llamacpp", 501, 404, model="gpt-oss-20b")
    assert (found.thinking, found.source) == (True, "heuristic")


@pytest.mark.parametrize("junk", [{"modalities": 5, "default_generation_settings": [], "n_ctx": True}, {"x": {}}])
async def test_llamacpp_with_facts_of_other_shapes(junk):
    found, _ = await probed("llamacpp", junk, {"data": [5]}, model="m")
    assert found.max_context == 128_000


@pytest.mark.parametrize("status", [401, 503])
async def test_llamacpp_that_cannot_be_asked(status):
    with pytest.raises(LLMError):
        await probed("llamacpp", status)


async def test_server_info():
    async with Sink() as sink, real_egress() as egress:
        sink.answer(json={"status": "ok"}).answer(json=PROPS).answer(json=MODELS)
        found = await TYPES["llamacpp"].server_info(f"{sink.url}/", "k", egress)
        assert [request.target for request in sink.requests] == ["/health", "/props", "/v1/models"]
        assert sink.requests[0].headers["authorization"] == "Bearer k"
    assert 0 <= found["health"].pop("latency_ms") < 60_000
    assert found == {
        "status": "ok",
        "health": {"status": "ok"},
        "server": {
            "model_name": "Qwen2.5-VL-7B-Q4_K_M.gguf",
            "n_ctx": 4096,
            "total_slots": 4,
            "version": "b8681-1a2b3c4",
        },
        "capabilities": {
            "supports_streaming": True,
            "supports_multimodal": True,
            "multimodal_source": "runtime_api",
            "supports_thinking": True,
            "supports_tools": True,
            "max_context": 4096,
        },
    }


async def test_server_info_of_a_server_that_fails():
    egress = FakeEgress().answer(503, json={"error": {"code": 503, "message": "Loading model"}})
    found = await TYPES["llamacpp"].server_info(None, None, egress)
    assert egress.requests[0].url == "http://127.0.0.1:8080/health"
    assert (found["status"], found["error"], found["capabilities"]) == ("error", "HTTP 503: Loading model", None)
    assert set(found["server"].values()) == {None}


async def test_the_service_itself_is_not_asked():
    found, sent = await probed("openai", 500, model="gpt-4o")
    assert sent == []
    assert (found.max_context, found.multimodal, found.source) == (128_000, True, "registry")


async def test_vllm_says_how_large_its_context_is():
    listed = {"data": [5, {"id": "other"}, {"id": "Qwen/Qwen3-8B", "max_model_len": 40960}]}
    found, sent = await probed("openai", listed, model="Qwen/Qwen3-8B", endpoint="http://10.0.0.5:8000/v1")
    assert sent[0].url == "http://10.0.0.5:8000/v1/models"
    assert (found.max_context, found.thinking, found.source) == (40960, True, "runtime_api")


@pytest.mark.parametrize("answer", [404, {"data": 5}, {"data": [{"id": "m", "max_model_len": "many"}]}])
async def test_a_server_that_does_not_say_so(answer):
    found, _ = await probed("openai", answer, model="m", endpoint="http://10.0.0.5:8000/v1")
    assert (found.max_context, found.source) == (128_000, "default")


@pytest.mark.parametrize(
    ("name", "model", "thinking", "efforts"),
    [
        ("openai", "gpt-4o", False, ()),
        ("openai", "gpt-5-mini", True, ("low", "medium", "high")),
        ("llamacpp", "qwen3-8b", True, ()),
        ("google", "gemini-2.5-pro", True, ("low", "medium", "high")),
        ("xai", "grok-4.3", True, ("low", "high")),
        ("qwen", "qwen-plus", True, ()),
        ("deepseek", "deepseek-chat", True, ("low", "high", "max")),
        ("glm", "glm-4.6", True, ()),
        ("glm", "glm-4-flash", False, ()),
        ("minimax", "abab6.5s-chat", False, ()),
    ],
)
async def test_guessing(name, model, thinking, efforts):
    found = TYPES[name].guess(model)
    assert (found.thinking, found.efforts) == (thinking, efforts)
    if name != "llamacpp":
        assert (await probed(name, model=model))[0] == found
