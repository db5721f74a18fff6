"""What arrives at the server, byte for byte, and what each generation of models is sent."""

from __future__ import annotations

import attrs
import pytest

from neomind_llm_anthropic import claude
from neomind_llm_anthropic.backend import AnthropicType
from neomind_llm_anthropic.models import AnthropicConfig
from neomind_sdk import ADMIN_TARGET, ChatMessage, CompletionRequest, ImagePart, ToolCall, ToolSpec
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.sink import real_egress
from neomind_sdk.testing.streams import StreamSink

KEY = "sk-ant-api03-secret"
HELLO = CompletionRequest(messages=(ChatMessage(role="user", text="Grüß Gott"),))
TOOL = ToolSpec(
    name="read", description="Reads a metric", parameters={"type": "object", "properties": {"id": {"type": "string"}}}
)
WHOLE = {"type": "message", "content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn"}
CALLED = (
    ChatMessage(role="system", text="Be brief"),
    ChatMessage(role="user", text="What is this?", images=(ImagePart(data=b"\x89PNG", media_type="image/png"),)),
    ChatMessage(role="system", text="And kind"),
    ChatMessage(
        role="assistant",
        text="I look",
        tool_calls=(
            ToolCall(id="toolu_1", name="read", arguments={"id": "käse"}),
            ToolCall(id="call:2", name="now", arguments={}),
        ),
    ),
    ChatMessage(
        role="tool", text="21.5", tool_call_id="toolu_1", images=(ImagePart(data=b"\xff", media_type="image/jpeg"),)
    ),
    ChatMessage(role="user", text="Hurry"),
    ChatMessage(role="tool", text="", tool_call_id="call:2"),
    ChatMessage(role="assistant", text=" "),
    ChatMessage(role="assistant", text="21.5"),
)


async def sent(request, model="claude-3-5-sonnet-20241022", **config):
    egress = FakeEgress().answer(json=WHOLE)
    await AnthropicType().open(AnthropicConfig(model=model, **config), egress).complete(request)
    return egress.requests[0].json()


async def test_a_request_byte_for_byte():
    async with StreamSink() as sink, real_egress() as egress:
        sink.answer(json=WHOLE)
        config = AnthropicConfig(endpoint=f"{sink.url}/v1/", model="claude-3-5-haiku-20241022", api_key=f"{KEY}\n")
        request = attrs.evolve(HELLO, temperature=1.5, top_p=0.85, top_k=20, max_tokens=64, tools=(TOOL,))
        system = ChatMessage(role="system", text="Be brief")
        await AnthropicType().open(config, egress).complete(attrs.evolve(request, messages=(system, *HELLO.messages)))
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target) == ("POST", "/v1/messages")
    headers = arrived.headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    assert (
        arrived.body
        == (
            '{"model":"claude-3-5-haiku-20241022","max_tokens":64,"system":"Be brief",'
            '"messages":[{"role":"user","content":[{"type":"text","text":"Grüß Gott"}]}],'
            '"tools":[{"name":"read","description":"Reads a metric",'
            '"input_schema":{"type":"object","properties":{"id":{"type":"string"}}}}],'
            '"temperature":1.0,"top_p":0.85,"top_k":20}'
        ).encode()
    )


async def test_a_stream_byte_for_byte():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
        backend = AnthropicType().open(AnthropicConfig(endpoint=f"{sink.url}/messages"), egress)
        assert [chunk.finish async for chunk in backend.stream(HELLO)] == [None, "stop"]
        arrived = sink.requests[0]
    assert arrived.target == "/messages"
    assert "x-api-key" not in arrived.headers
    assert (
        arrived.body
        == (
            '{"model":"claude-3-5-sonnet-20241022","max_tokens":8192,'
            '"messages":[{"role":"user","content":[{"type":"text","text":"Grüß Gott"}]}],"stream":true}'
        ).encode()
    )


async def test_where_it_goes():
    egress = FakeEgress().answer(json=WHOLE)
    await AnthropicType().open(AnthropicConfig(), egress).complete(attrs.evolve(HELLO, total_s=77))
    request = egress.requests[0]
    assert (request.url, request.trust, request.timeout_s) == (
        "https://api.anthropic.com/v1/messages",
        ADMIN_TARGET,
        77,
    )


async def test_images_calls_and_results_by_turns():
    body = await sent(CompletionRequest(messages=CALLED))
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}}
    shown = {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/w=="}}
    assert body["system"] == "Be brief\n\nAnd kind"
    assert body["messages"] == [
        {"role": "user", "content": [picture, {"type": "text", "text": "What is this?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look"},
                {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"id": "käse"}},
                {"type": "tool_use", "id": "call_2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "21.5"}, shown]},
                {"type": "tool_result", "tool_use_id": "call_2", "content": ""},
                {"type": "text", "text": "Hurry"},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "21.5"}]},
    ]


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("claude-3-opus-20240229", (3, 0)),
        ("claude-3-5-sonnet-20241022", (3, 5)),
        ("claude-3.7-sonnet", (3, 7)),
        ("claude-sonnet-4-20250514", (4, 0)),
        ("claude-opus-4-1-20250805", (4, 1)),
        ("claude-haiku-4-5", (4, 5)),
        ("anthropic.claude-opus-4-7", (4, 7)),
        ("claude-sonnet-5", (5, 0)),
        ("claude-opus-4.10", (4, 10)),
        ("claude-mythos-preview", (99, 0)),
        ("my-own", (99, 0)),
    ],
)
def test_versions(model, version):
    assert claude.version(model) == version


WARM = attrs.evolve(HELLO, temperature=0.6, top_p=0.85, top_k=20)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("claude-3-haiku-20240307", {"max_tokens": 4096, "temperature": 0.6, "top_p": 0.85, "top_k": 20}),
        ("claude-sonnet-4-20250514", {"max_tokens": 16384, "temperature": 0.6, "top_p": 0.85, "top_k": 20}),
        ("claude-sonnet-4-5", {"max_tokens": 16384, "temperature": 0.6, "top_k": 20}),
        ("claude-opus-4-7", {"max_tokens": 16384}),
        ("claude-mythos-preview", {"max_tokens": 16384}),
    ],
)
async def test_limits_and_sampling(model, fields):
    body = await sent(WARM, model)
    assert {key: value for key, value in body.items() if key not in ("model", "messages")} == fields


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("model", "effort", "limit", "fields"),
    [
        ("claude-3-5-sonnet-20241022", "high", None, {}),
        ("claude-3-7-sonnet-20250219", None, None, {"thinking": {"type": "enabled", "budget_tokens": 4096}}),
        ("claude-sonnet-4-5", "high", 4000, {"thinking": {"type": "enabled", "budget_tokens": 2976}}),
        ("claude-sonnet-4-5", "high", 2047, {}),
        ("claude-opus-4-6", "xhigh", None, {"thinking": ADAPTIVE, "output_config": {"effort": "high"}}),
        ("claude-opus-4-7", "xhigh", None, {"thinking": ADAPTIVE, "output_config": {"effort": "xhigh"}}),
        ("claude-opus-4-7", None, None, {"thinking": ADAPTIVE}),
        ("my-own", "high", None, {}),
    ],
)
async def test_thinking(model, effort, limit, fields):
    body = await sent(attrs.evolve(WARM, thinking=True, effort=effort, max_tokens=limit), model)
    assert {key: body[key] for key in ("thinking", "output_config") if key in body} == fields
    assert "thinking" not in body or "temperature" not in body
    assert body["max_tokens"] == limit or limit is None


@pytest.mark.parametrize("wanted", [None, False])
async def test_without_the_wish_there_is_no_thinking(wanted):
    sent_fields = await sent(attrs.evolve(HELLO, thinking=wanted, effort="high"), "claude-opus-4-7")
    assert not {"thinking", "output_config"} & sent_fields.keys()


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("claude-3-5-sonnet-20241022", ()),
        ("claude-sonnet-4-5", ("low", "medium", "high", "max")),
        ("claude-opus-4-7", ("low", "medium", "high", "xhigh", "max")),
        ("my-own", ()),
    ],
)
async def test_efforts(model, efforts):
    found = AnthropicType().guess(model)
    assert found.efforts == efforts
    assert await AnthropicType().open(AnthropicConfig(model=model), FakeEgress()).probe() == found


async def test_results_of_tools_go_without_thoughts_that_nobody_kept():
    request = CompletionRequest(messages=CALLED[:5], thinking=True)
    assert "thinking" not in await sent(request, "claude-sonnet-4-5")
    assert (await sent(request, "claude-opus-4-6"))["thinking"] == ADAPTIVE
