"""The contract of backends, kept by all eight types."""

from __future__ import annotations

import json

import pytest

from neomind_llm_openai import hooks
from neomind_sdk.testing.suites import LLMBackendContract

KEY = "sk-3nY7qPz0secret"


def sse(*events):
    return b"".join(
        b"data: " + (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n\n" for event in events
    )


def delta(**fields):
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


class TestEveryType(LLMBackendContract):
    config = {"endpoint": "https://models.example/v1", "model": "m-1", "api_key": KEY}

    @pytest.fixture(params=hooks.neomind_llm_backends(None), ids=lambda one: one.name)
    def subject(self, request):
        return request.param

    def answers_hello(self, egress):
        message = {"role": "assistant", "content": "Hello", "refusal": None}
        egress.answer(json={"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    def streams_hello(self, egress):
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        usage = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}
        raw = sse(delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo"), end, usage, b"[DONE]")
        egress.answer(chunks=[raw[at : at + 7] for at in range(0, len(raw), 7)])


def test_the_types():
    types = {one.name: one for one in hooks.neomind_llm_backends(None)}
    assert {name: (one.default_endpoint, one.default_model, one.requires_api_key) for name, one in types.items()} == {
        "openai": ("https://api.openai.com/v1", "gpt-4o-mini", True),
        "llamacpp": ("http://127.0.0.1:8080", "", False),
        "google": ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-1.5-flash", True),
        "xai": ("https://api.x.ai/v1", "grok-beta", True),
        "qwen": ("https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen-plus", True),
        "deepseek": ("https://api.deepseek.com/v1", "deepseek-chat", True),
        "glm": ("https://open.bigmodel.cn/api/paas/v4", "glm-4-flash", True),
        "minimax": ("https://api.minimax.chat/v1", "abab6.5s-chat", True),
    }
    assert [name for name, one in types.items() if one.supports_thinking] == ["llamacpp", "deepseek"]
    assert [name for name, one in types.items() if not one.supports_multimodal] == ["xai", "deepseek", "minimax"]
    assert all(one.description and one.supports_streaming for one in types.values())


@pytest.mark.parametrize(
    "values",
    [{"endpoint": "models.example"}, {"endpoint": "https://x/?a=1"}, {"model": "x" * 300}, {"api_key": "\0"}],
)
def test_config_is_checked(values):
    from neomind_llm_openai.models import OpenAIConfig

    with pytest.raises(ValueError):
        OpenAIConfig(**values)
