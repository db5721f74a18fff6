"""The contract of backends, and what is offered."""

from __future__ import annotations

import json

import pytest

from neomind_llm_anthropic import hooks
from neomind_llm_anthropic.backend import AnthropicType
from neomind_llm_anthropic.models import AnthropicConfig
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.suites import LLMBackendContract


def sse(*events):
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


class TestAnthropic(LLMBackendContract):
    config = {"model": "claude-3-5-sonnet-20241022", "api_key": "sk-ant-api03-secret"}

    def make(self):
        return AnthropicType()

    def answers_hello(self, egress):
        egress.answer(
            json={"type": "message", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
        )

    def streams_hello(self, egress):
        raw = sse(
            {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "ping"},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        )
        egress.answer(chunks=[raw[at : at + 7] for at in range(0, len(raw), 7)])


def test_the_type():
    (one,) = hooks.neomind_llm_backends(None)
    assert (one.name, one.default_endpoint) == ("anthropic", "https://api.anthropic.com/v1")
    assert (one.default_model, one.requires_api_key) == ("claude-3-5-sonnet-20241022", True)
    assert (one.supports_streaming, one.supports_thinking, one.supports_multimodal) == (True, False, True)
    assert one.description


async def test_probing_goes_by_the_name():
    egress = FakeEgress()
    found = await AnthropicType().open(AnthropicConfig(), egress).probe()
    assert (found.multimodal, found.thinking, found.tools, found.max_context) == (True, False, True, 200_000)
    assert (found.source, egress.requests) == ("registry", [])


@pytest.mark.parametrize("values", [{"endpoint": "x"}, {"endpoint": "https://x/?a"}, {"model": "x" * 300}])
def test_config_is_checked(values):
    with pytest.raises(ValueError):
        AnthropicConfig(**values)
