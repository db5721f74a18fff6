"""``/api/chat``: what arrives at the server byte for byte, and what its answers become."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_llm_ollama.backend import OllamaType
from neomind_llm_ollama.models import OllamaConfig
from neomind_sdk import (
    ADMIN_TARGET,
    ChatMessage,
    Chunk,
    CompletionRequest,
    ImagePart,
    LLMError,
    ToolCall,
    ToolSpec,
    Usage,
)
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.sink import real_egress
from neomind_sdk.testing.streams import StreamSink

KEY = "0llama-proxy-key"
HELLO = CompletionRequest(messages=(ChatMessage(role="user", text="Grüß Gott"),))
TOOL = ToolSpec(
    name="read", description="Reads a metric", parameters={"type": "object", "properties": {"id": {"type": "string"}}}
)
WHOLE = {"message": {"role": "assistant", "content": "ok"}, "done": True}
CALLED = (
    ChatMessage(role="system", text="Be brief"),
    ChatMessage(role="user", text="What is this?", images=(ImagePart(data=b"\x89PNG", media_type="image/png"),)),
    ChatMessage(role="assistant", tool_calls=(ToolCall(id="a", name="read", arguments={"id": "käse"}),)),
    ChatMessage(role="tool", text="21.5", tool_call_id="a"),
    ChatMessage(role="tool", text="lost", tool_call_id="z"),
)


def opened(egress, **config):
    return OllamaType().open(OllamaConfig(**{"model": "m", **config}), egress)


async def sent(request, **config):
    egress = FakeEgress().answer(json=WHOLE)
    await opened(egress, **config).complete(request)
    return egress.requests[0].json()


async def completed(message, **more):
    return await opened(FakeEgress().answer(json={"message": message, "done": True, **more})).complete(HELLO)


def line(done=False, **message):
    return {
        "model": "m",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", **message},
        "done": done,
    }


def ndjson(*lines):
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in lines)


async def streamed(raw, *cuts):
    at = [0, *sorted(cuts), len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(at)]
    return [chunk async for chunk in opened(FakeEgress().answer(chunks=pieces)).stream(HELLO)]


def joined(chunks):
    calls = [(call.name, call.arguments) for call in chunks[-1].tool_calls]
    text, thinking = "".join(chunk.text for chunk in chunks), "".join(chunk.thinking for chunk in chunks)
    return text, thinking, calls, chunks[-1].finish, chunks[-1].usage


async def test_a_request_byte_for_byte():
    async with StreamSink() as sink, real_egress() as egress:
        sink.answer(json=WHOLE)
        request = attrs.evolve(
            HELLO, temperature=0.6, top_p=0.85, top_k=20, max_tokens=64, tools=(TOOL,), thinking=True
        )
        await opened(egress, endpoint=f"{sink.url}/", model="qwen3:8b", api_key=KEY).complete(request)
        arrived = sink.requests[0]
    assert (arrived.method, arrived.target) == ("POST", "/api/chat")
    assert (arrived.headers["authorization"], arrived.headers["content-type"]) == (f"Bearer {KEY}", "application/json")
    assert (
        arrived.body
        == (
            '{"model":"qwen3:8b","messages":[{"role":"user","content":"Grüß Gott"}],'
            '"tools":[{"type":"function","function":{"name":"read","description":"Reads a metric",'
            '"parameters":{"type":"object","properties":{"id":{"type":"string"}}}}}],"think":true,'
            '"options":{"temperature":0.6,"top_p":0.85,"top_k":20,"num_predict":64},"stream":false}'
        ).encode()
    )


async def test_a_stream_byte_for_byte():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(ndjson(line(content="o")), ndjson(line(True, content="k")), media_type="application/x-ndjson")
        chunks = [chunk async for chunk in opened(egress, endpoint=sink.url).stream(HELLO)]
        arrived = sink.requests[0]
    assert joined(chunks)[0] == "ok"
    assert "authorization" not in arrived.headers
    assert arrived.body == '{"model":"m","messages":[{"role":"user","content":"Grüß Gott"}],"stream":true}'.encode()


async def test_images_calls_and_results():
    assert (await sent(CompletionRequest(messages=CALLED)))["messages"] == [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "What is this?", "images": ["iVBORw=="]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "a", "function": {"name": "read", "arguments": {"id": "käse"}}}],
        },
        {"role": "tool", "content": "21.5", "tool_name": "read", "tool_call_id": "a"},
        {"role": "tool", "content": "lost", "tool_call_id": "z"},
    ]


@pytest.mark.parametrize(
    "endpoint", [None, "http://localhost:11434/", "http://localhost:11434/v1", "http://localhost:11434/api"]
)
async def test_where_it_goes(endpoint):
    egress = FakeEgress().answer(json=WHOLE)
    await opened(egress, endpoint=endpoint, model="").complete(attrs.evolve(HELLO, total_s=77))
    request = egress.requests[0]
    assert (request.url, request.trust, request.timeout_s) == ("http://localhost:11434/api/chat", ADMIN_TARGET, 77)
    assert request.json()["model"] == "qwen3.5:4b"


@pytest.mark.parametrize(
    ("model", "thinking", "effort", "think"),
    [
        ("qwen3:8b", True, None, True),
        ("qwen3:8b", True, "high", True),
        ("qwen3:8b", False, "high", False),
        ("qwen3:8b", None, None, None),
        ("llama3.2", None, "high", None),
        ("llama3.2", False, None, False),
        ("gpt-oss:20b", True, None, None),
        ("gpt-oss:20b", True, "max", "high"),
        ("gpt-oss:20b", False, "max", "low"),
    ],
)
async def test_thinking(model, thinking, effort, think):
    assert (await sent(attrs.evolve(HELLO, thinking=thinking, effort=effort), model=model)).get("think") == think


async def test_text_thinking_and_usage():
    found = await completed(
        {"content": "Hi", "thinking": "Hm", "images": None}, prompt_eval_count=26, eval_count=3, x=1
    )
    assert (found.text, found.thinking, found.finish) == ("Hi", "Hm", "stop")
    assert found.usage == Usage(prompt_tokens=26, completion_tokens=3)
    assert (await completed({"content": "Hi"}, done_reason="length")).finish == "length"


async def test_calls():
    calls = [{"function": {"name": "read", "arguments": {"id": 5}}}, {"id": "c2", "function": {"name": "now"}}]
    found = await completed({"content": "", "tool_calls": calls}, done_reason="stop")
    assert [(call.name, call.arguments) for call in found.tool_calls] == [("read", {"id": 5}), ("now", {})]
    assert (found.finish, found.tool_calls[1].id, bool(found.tool_calls[0].id)) == ("tool_calls", "c2", True)


LINES = (
    line(content="", thinking="Ich überlege 🤔"),
    line(content="Grüße "),
    line(content="🌍", tool_calls=[{"function": {"name": "read", "arguments": {"id": "käse"}}}]),
    line(content="", tool_calls=[{"function": {"name": "now", "arguments": {}}}]),
    {"model": "m", "done": True, "done_reason": "stop", "prompt_eval_count": 12, "eval_count": 34},
)
SAID = (
    "Grüße 🌍",
    "Ich überlege 🤔",
    [("read", {"id": "käse"}), ("now", {})],
    "tool_calls",
    Usage(prompt_tokens=12, completion_tokens=34),
)


@given(st.data())
def test_however_it_is_cut_it_says_the_same(data):
    end = data.draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
    raw = ndjson(*LINES).replace(b"\n", end).removesuffix(data.draw(st.sampled_from([b"", end])))
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=30))
    assert joined(asyncio.run(streamed(raw, *cuts))) == SAID


async def test_byte_by_byte():
    raw = ndjson(*LINES)
    assert joined(await streamed(raw, *range(len(raw)))) == SAID


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        ndjson(line(content="Hi")),
        ndjson(line(content="Hi")) + b'{"done": tr',
        ndjson({"done": False}),
        ndjson({"message": "x"}),
        ndjson(line(True, tool_calls=[{"function": {}}])),
        ndjson(line(True, tool_calls=[{"function": {"name": "a", "arguments": []}}])),
        ndjson(line(True, tool_calls="x")),
        b"x" * 1_100_000,
        b"[]\n",
    ],
)
async def test_streams_that_make_no_sense(raw):
    with pytest.raises(LLMError) as caught:
        await streamed(raw)
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize(
    "answer", [{}, {"done": True}, {"message": {"content": "Hi"}, "done": False}, {"message": 5, "done": True}]
)
async def test_answers_that_make_no_sense(answer):
    with pytest.raises(LLMError) as caught:
        await opened(FakeEgress().answer(json=answer)).complete(HELLO)
    assert caught.value.kind == "malformed"


async def test_an_error_inside_a_stream():
    seen = []
    raw = ndjson(line(content="Hi"), {"error": f"runner crashed {KEY}"})
    with pytest.raises(LLMError, match=r"runner crashed \*\*\*") as caught:
        async for chunk in opened(FakeEgress().answer(body=raw), api_key=KEY).stream(HELLO):
            seen += [chunk.text] if chunk.text else []
    assert (seen, caught.value.kind) == (["Hi"], "connect")


async def test_a_model_that_is_not_there():
    async with StreamSink() as sink, real_egress() as egress:
        sink.answer(404, json={"error": "model 'm' not found"})
        with pytest.raises(LLMError, match="HTTP 404: model 'm' not found") as caught:
            await opened(egress, endpoint=sink.url).complete(HELLO)
    assert caught.value.kind == "refused"


async def test_a_stream_that_stalls():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(ndjson(line(content="Hi")), ends=False)
        stream = opened(egress, endpoint=sink.url).stream(attrs.evolve(HELLO, chunk_s=0.1))
        assert await anext(stream) == Chunk()  # it has answered
        assert (await anext(stream)).text == "Hi"
        with pytest.raises(LLMError) as caught:
            await anext(stream)
    assert caught.value.kind == "timeout"


async def test_nobody_listens():
    async with StreamSink() as sink:
        url = sink.url
    async with real_egress() as egress:
        with pytest.raises(LLMError) as caught:
            await opened(egress, endpoint=url).complete(HELLO)
    assert caught.value.kind == "connect"
