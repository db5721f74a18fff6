"""What arrives at the server, byte for byte, over the platform's own HTTP."""

from __future__ import annotations

import json

import attrs
import pytest

from neomind_llm_openai.models import OpenAIConfig
from neomind_llm_openai.presets import PRESETS
from neomind_sdk import ADMIN_TARGET, ChatMessage, CompletionRequest, ImagePart, ToolCall, ToolSpec
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.sink import real_egress
from neomind_sdk.testing.streams import StreamSink

KEY = "sk-3nY7qPz0secret"
TYPES = {one.name: one for one in PRESETS}
WHOLE = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
STREAM = b'data: {"choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
HELLO = CompletionRequest(messages=(ChatMessage(role="user", text="Grüß Gott"),))
TOOL = ToolSpec(
    name="read", description="Reads a metric", parameters={"type": "object", "properties": {"id": {"type": "string"}}}
)
CALLED = (
    ChatMessage(role="system", text="Be brief"),
    ChatMessage(role="user", text="What is this?", images=(ImagePart(data=b"\x89PNG", media_type="image/png"),)),
    ChatMessage(
        role="assistant",
        tool_calls=(
            ToolCall(id="a", name="read", arguments={"id": "käse"}),
            ToolCall(id="b", name="now", arguments={}),
        ),
    ),
    ChatMessage(role="tool", text="21.5", tool_call_id="a", images=(ImagePart(data=b"\xff", media_type="image/jpeg"),)),
    ChatMessage(role="tool", text="noon", tool_call_id="b"),
    ChatMessage(role="assistant", text="21.5 at noon"),
    ChatMessage(role="user", text="Thanks"),
)


async def body_of(name, request, *, stream=False, **config):
    """The body that a type sends to its own service."""
    egress = FakeEgress().answer(json=WHOLE) if not stream else FakeEgress().answer(body=STREAM)
    backend = TYPES[name].open(OpenAIConfig(**{"model": "m", **config}), egress)
    if stream:
        async for _ in backend.stream(request):
            pass
    else:
        await backend.complete(request)
    return egress.requests[0].json()


async def test_a_request_byte_for_byte():
    async with StreamSink() as sink, real_egress() as egress:
        sink.answer(json=WHOLE)
        config = OpenAIConfig(endpoint=f"{sink.url}/v1/", model="qwen2.5:7b", api_key=f" {KEY}\n")
        await TYPES["openai"].open(config, egress).complete(attrs.evolve(HELLO, temperature=0.2))
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target) == ("POST", "/v1/chat/completions")
    wanted = {"model": "qwen2.5:7b", "messages": [{"role": "user", "content": "Grüß Gott"}], "temperature": 0.2}
    assert arrived.body == json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()
    sent = arrived.headers
    assert (sent["authorization"], sent["content-type"]) == (f"Bearer {KEY}", "application/json")


async def test_a_stream_byte_for_byte():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(STREAM[:30], STREAM[30:])
        config = OpenAIConfig(endpoint=sink.url)
        request = attrs.evolve(
            HELLO, max_tokens=64, thinking=False, temperature=0.6, top_p=0.5, top_k=20, tools=(TOOL,)
        )
        chunks = [chunk async for chunk in TYPES["llamacpp"].open(config, egress).stream(request)]
        arrived = sink.requests[0]
    assert "".join(chunk.text for chunk in chunks) == "ok"
    assert arrived.target == "/v1/chat/completions"
    assert "authorization" not in arrived.headers
    assert (
        arrived.body
        == (
            '{"messages":[{"role":"user","content":"Grüß Gott"}],'
            '"tools":[{"type":"function","function":{"name":"read","description":"Reads a metric",'
            '"parameters":{"type":"object","properties":{"id":{"type":"string"}}}}}],'
            '"temperature":0.6,"top_p":0.5,"top_k":20,"max_tokens":64,"chat_template_kwargs":{"enable_thinking":false},'
            '"stream":true,"stream_options":{"include_usage":true}}'
        ).encode()
    )


async def test_images_calls_and_results():
    sent = await body_of("openai", CompletionRequest(messages=CALLED))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    calls = [
        {"id": "a", "type": "function", "function": {"name": "read", "arguments": '{"id":"käse"}'}},
        {"id": "b", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": "21.5"},
        {"role": "tool", "tool_call_id": "b", "content": "noon"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/w=="}}]},
        {"role": "assistant", "content": "21.5 at noon"},
        {"role": "user", "content": "Thanks"},
    ]


async def test_images_of_the_last_result_follow_too():
    sent = await body_of("openai", CompletionRequest(messages=CALLED[:4]))
    assert sent["messages"][-1]["content"][0]["type"] == "image_url"


@pytest.mark.parametrize(
    ("name", "config", "url"),
    [
        ("openai", {}, "https://api.openai.com/v1/chat/completions"),
        (
            "openai",
            {"endpoint": "http://10.0.0.5:8000/v1/chat/completions"},
            "http://10.0.0.5:8000/v1/chat/completions",
        ),
        ("llamacpp", {}, "http://127.0.0.1:8080/v1/chat/completions"),
        ("llamacpp", {"endpoint": "http://10.0.0.5:8080/v1/"}, "http://10.0.0.5:8080/v1/chat/completions"),
        ("google", {}, "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"),
        (
            "google",
            {"endpoint": "https://generativelanguage.googleapis.com/v1beta"},
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        ),
        ("glm", {}, "https://open.bigmodel.cn/api/paas/v4/chat/completions"),
    ],
)
async def test_where_it_goes(name, config, url):
    egress = FakeEgress().answer(json=WHOLE)
    await TYPES[name].open(OpenAIConfig(**config), egress).complete(attrs.evolve(HELLO, total_s=77))
    sent = egress.requests[0]
    assert (sent.url, sent.trust, sent.timeout_s) == (url, ADMIN_TARGET, 77)
    assert sent.json().get("model", "") == TYPES[name].default_model


LIMITED = attrs.evolve(HELLO, temperature=0.6, top_p=0.85, top_k=20, max_tokens=100)
SAMPLED = {"temperature": 0.6, "top_p": 0.85}


@pytest.mark.parametrize(
    ("name", "config", "fields"),
    [
        ("openai", {"model": "gpt-4o"}, SAMPLED | {"max_completion_tokens": 100}),
        ("openai", {"model": "o3-mini"}, {"max_completion_tokens": 100}),
        ("openai", {"model": "gpt-5-mini"}, {"max_completion_tokens": 100}),
        ("openai", {"model": "gpt-5-chat-latest"}, SAMPLED | {"max_completion_tokens": 100}),
        ("openai", {"model": "o3-mini", "endpoint": "http://localhost:8000/v1"}, SAMPLED | {"max_tokens": 100}),
        ("llamacpp", {}, SAMPLED | {"top_k": 20, "max_tokens": 100}),
        ("google", {}, SAMPLED | {"max_tokens": 100}),
        ("xai", {}, SAMPLED | {"max_completion_tokens": 100}),
        ("qwen", {}, SAMPLED | {"top_k": 20, "max_tokens": 100}),
        ("deepseek", {}, SAMPLED | {"max_tokens": 100}),
        ("glm", {}, SAMPLED | {"max_tokens": 100}),
        ("minimax", {}, SAMPLED | {"max_completion_tokens": 100}),
    ],
)
async def test_limits_and_sampling(name, config, fields):
    sent = await body_of(name, LIMITED, **config)
    assert {key: value for key, value in sent.items() if key not in ("model", "messages")} == fields


@pytest.mark.parametrize(
    ("name", "model", "thinking", "effort", "fields"),
    [
        ("openai", "gpt-4o", True, "high", {}),
        ("openai", "gpt-5", True, "high", {"reasoning_effort": "high"}),
        ("openai", "gpt-5", False, "high", {}),
        ("xai", "grok-4.3", True, "max", {"reasoning_effort": "high"}),
        ("xai", "grok-beta", True, "max", {}),
        ("google", "gemini-2.5-flash", True, "low", {"reasoning_effort": "low"}),
        ("google", "gemini-2.5-flash", False, None, {"reasoning_effort": "none"}),
        ("google", "gemini-2.5-pro", False, None, {}),
        ("google", "gemini-1.5-flash", True, "low", {}),
        ("qwen", "qwen-plus", True, None, {"enable_thinking": True}),
        ("qwen", "qwen3-32b", False, "high", {"enable_thinking": False}),
        ("qwen", "qwen-max", True, None, {}),
        ("deepseek", "deepseek-chat", True, "max", {"thinking": {"type": "enabled"}, "reasoning_effort": "max"}),
        ("deepseek", "deepseek-chat", False, "max", {"thinking": {"type": "disabled"}}),
        ("deepseek", "deepseek-chat", None, None, {}),
        ("glm", "glm-4.6", True, None, {"thinking": {"type": "enabled"}}),
        ("glm", "glm-4-flash", True, None, {}),
        ("minimax", "MiniMax-M2", True, "high", {}),
        ("llamacpp", "", True, None, {"chat_template_kwargs": {"enable_thinking": True}}),
        ("llamacpp", "", None, None, {}),
    ],
)
async def test_thinking(name, model, thinking, effort, fields):
    request = attrs.evolve(HELLO, thinking=thinking, effort=effort)
    sent = await body_of(name, request, stream=True, model=model)
    assert {key: sent[key] for key in sent if key not in ("model", "messages", "stream", "stream_options")} == fields


async def test_deepseek_does_not_think_after_a_call_for_its_thoughts_were_not_kept():
    sent = await body_of("deepseek", CompletionRequest(messages=CALLED, thinking=True))
    assert sent["thinking"] == {"type": "disabled"}


async def test_glm_has_no_stream_options_and_the_others_have():
    assert "stream_options" not in await body_of("glm", HELLO, stream=True)
    assert (await body_of("xai", HELLO, stream=True))["stream_options"] == {"include_usage": True}


async def test_qwen_thinks_in_streams_only():
    egress = FakeEgress().answer(body=STREAM)
    backend = TYPES["qwen"].open(OpenAIConfig(model="qwen3-8b"), egress)
    assert (await backend.complete(attrs.evolve(HELLO, thinking=True))).text == "ok"
    assert egress.requests[0].json()["stream"] is True
