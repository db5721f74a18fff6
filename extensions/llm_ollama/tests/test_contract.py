"""The contract of backends, and what is offered."""

from __future__ import annotations

import json

import pytest

from neomind_llm_ollama import hooks
from neomind_llm_ollama.backend import OllamaType
from neomind_llm_ollama.models import OllamaConfig
from neomind_sdk.testing.suites import LLMBackendContract


def ndjson(*lines):
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


class TestOllama(LLMBackendContract):
    config = {"endpoint": "http://10.0.0.5:11434", "model": "llama3.2:3b", "api_key": "0llama-proxy-key"}

    def make(self):
        return OllamaType()

    def answers_hello(self, egress):
        egress.answer(json={"message": {"role": "assistant", "content": "Hello"}, "done": True, "done_reason": "stop"})

    def streams_hello(self, egress):
        parts = [{"message": {"role": "assistant", "content": piece}, "done": False} for piece in ("Hel", "lo")]
        raw = ndjson(*parts, {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"})
        egress.answer(chunks=[raw[at : at + 7] for at in range(0, len(raw), 7)])


def test_the_type():
    (one,) = hooks.neomind_llm_backends(None)
    assert (one.name, one.default_endpoint, one.default_model) == ("ollama", "http://localhost:11434", "qwen3.5:4b")
    assert (one.requires_api_key, one.supports_streaming, one.supports_thinking, one.supports_multimodal) == (
        False,
        True,
        True,
        True,
    )
    assert one.description


@pytest.mark.parametrize("values", [{"endpoint": "localhost"}, {"endpoint": "http://x/#y"}, {"model": "x" * 300}])
def test_config_is_checked(values):
    with pytest.raises(ValueError):
        OllamaConfig(**values)
