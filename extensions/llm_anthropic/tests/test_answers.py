"""Answers of the Messages API, whole and event by event."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_llm_anthropic.backend import AnthropicType
from neomind_llm_anthropic.models import AnthropicConfig
from neomind_sdk import ChatMessage, Chunk, CompletionRequest, LLMError, Usage
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.sink import real_egress
from neomind_sdk.testing.streams import StreamSink

KEY = "sk-ant-api03-secret"
HELLO = CompletionRequest(messages=(ChatMessage(role="user", text="Hi"),))


def opened(egress, **config):
    return AnthropicType().open(AnthropicConfig(api_key=KEY, **config), egress)


async def completed(*content, stop="end_turn", **more):
    answer = {"type": "message", "role": "assistant", "content": list(content), "stop_reason": stop, "new": [], **more}
    return await opened(FakeEgress().answer(json=answer)).complete(HELLO)


def text(written):
    return {"type": "text", "text": written}


def used(name, given, identity="toolu_1"):
    return {"type": "tool_use", "id": identity, "name": name, "input": given}


def start(index, block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index, kind, written):
    field = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}.get(
        kind, "signature"
    )
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, field: written}}


def stop(reason, tokens=1):
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": tokens},
    }


END = {"type": "message_stop"}


def sse(*events):
    lines = (f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events)
    return "".join(lines).encode()


async def streamed(raw, *cuts):
    pieces = [raw[a:b] for a, b in pairwise([0, *sorted(cuts), len(raw)])]
    return [chunk async for chunk in opened(FakeEgress().answer(chunks=pieces)).stream(HELLO)]


def joined(chunks):
    calls = [(call.id, call.name, call.arguments) for call in chunks[-1].tool_calls]
    written, thinking = "".join(chunk.text for chunk in chunks), "".join(chunk.thinking for chunk in chunks)
    return written, thinking, calls, chunks[-1].finish, chunks[-1].usage


async def test_text_thinking_and_usage():
    usage = {"input_tokens": 5, "cache_read_input_tokens": 20, "cache_creation_input_tokens": None, "output_tokens": 7}
    thought = {"type": "thinking", "thinking": "Hm", "signature": "sig"}
    found = await completed(thought, {"type": "redacted_thinking", "data": "x"}, text("Hel"), text("lo"), usage=usage)
    assert (found.text, found.thinking, found.finish) == ("Hello", "Hm", "stop")
    assert found.usage == Usage(prompt_tokens=25, completion_tokens=7)


async def test_calls():
    found = await completed(text("I look"), used("read", {"id": 5}), used("now", {}, "toolu_2"), stop="tool_use")
    assert [(call.id, call.name, call.arguments) for call in found.tool_calls] == [
        ("toolu_1", "read", {"id": 5}),
        ("toolu_2", "now", {}),
    ]
    assert (found.text, found.finish) == ("I look", "tool_calls")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        (None, "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
    ],
)
async def test_reasons_to_stop(reason, finish):
    assert (await completed(text("Hi"), stop=reason)).finish == finish


async def test_a_refusal():
    with pytest.raises(LLMError) as caught:
        await completed(stop="refusal")
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    "answer", [{}, {"content": None}, {"content": ["x"]}, {"content": [used("", {})]}, {"content": [used("a", [])]}]
)
async def test_answers_that_make_no_sense(answer):
    with pytest.raises(LLMError) as caught:
        await opened(FakeEgress().answer(json=answer)).complete(HELLO)
    assert caught.value.kind == "malformed"


EVENTS = (
    {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 12, "output_tokens": 1}}},
    start(0, {"type": "thinking", "thinking": ""}),
    {"type": "ping"},
    delta(0, "thinking_delta", "Ich überlege 🤔"),
    delta(0, "signature_delta", "c2ln"),
    {"type": "content_block_stop", "index": 0},
    start(1, text("")),
    delta(1, "text_delta", "Grüße "),
    delta(1, "text_delta", "🌍"),
    {"type": "content_block_stop", "index": 1},
    start(2, used("read", {})),
    delta(2, "input_json_delta", ""),
    delta(2, "input_json_delta", '{"id": "kä'),
    delta(2, "input_json_delta", 'se"}'),
    start(3, used("now", {}, "toolu_2")),
    start(4, {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}}),
    delta(4, "input_json_delta", '{"query"'),
    {"type": "something_new", "x": 1},
    stop("tool_use", 34),
    END,
)
SAID = (
    "Grüße 🌍",
    "Ich überlege 🤔",
    [("toolu_1", "read", {"id": "käse"}), ("toolu_2", "now", {})],
    "tool_calls",
    Usage(prompt_tokens=12, completion_tokens=34),
)


async def test_a_stream():
    chunks = await streamed(sse(*EVENTS))
    assert joined(chunks) == SAID
    assert [chunk.text for chunk in chunks if chunk.text] == ["Grüße ", "🌍"]


@given(st.data())
def test_however_it_is_cut_it_says_the_same(data):
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    raw = (": comment\n" + sse(*EVENTS).decode()).replace("\n", end).encode()
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=30))
    assert joined(asyncio.run(streamed(raw, *cuts))) == SAID


async def test_byte_by_byte():
    raw = sse(*EVENTS)
    assert joined(await streamed(raw, *range(len(raw)))) == SAID


@pytest.mark.parametrize(
    "raw",
    [
        sse(*EVENTS[:-1]),
        sse(*EVENTS)[:-1],
        b"",
        b"event: message_stop\ndata: {\n\n",
        b"data: []\n\n",
        sse(start(0, used("a", {})), delta(0, "input_json_delta", '{"x": '), stop("tool_use"), END),
        sse(start(0, used("a", {})), delta(0, "input_json_delta", "[1]"), stop("tool_use"), END),
        sse(start(0, {"type": "tool_use"}), stop("tool_use"), END),
        b"data: " + b"x" * 1_100_000,
    ],
)
async def test_streams_that_make_no_sense(raw):
    with pytest.raises(LLMError) as caught:
        await streamed(raw)
    assert caught.value.kind == "malformed"


async def test_at_the_limit_the_text_is_kept_and_the_torn_call_is_not():
    raw = sse(
        start(0, text("I look")),
        start(1, used("a", {})),
        delta(1, "input_json_delta", '{"x": '),
        stop("max_tokens"),
        END,
    )
    assert joined(await streamed(raw))[:4] == ("I look", "", [], "length")


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("overloaded_error", "connect"),
        ("api_error", "connect"),
        ("rate_limit_error", "rate_limited"),
        ("authentication_error", "auth"),
        ("permission_error", "auth"),
        ("timeout_error", "timeout"),
        ("invalid_request_error", "refused"),
        (None, "refused"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_errors_inside_an_answer(kind, found, stream):
    error = {"type": "error", "error": {"type": kind, "message": f"not with {KEY}"}, "request_id": "req_1"}
    seen = []
    with pytest.raises(LLMError, match=r"^not with \*\*\*$") as caught:
        if stream:
            backend = opened(FakeEgress().answer(body=sse(start(0, text("Hi")), error)))
            seen += [chunk.text async for chunk in backend.stream(HELLO)]
        else:
            await opened(FakeEgress().answer(json=error)).complete(HELLO)
    assert caught.value.kind == found


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "refused"), (401, "auth"), (413, "refused"), (429, "rate_limited"), (500, "connect"), (529, "connect")],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_statuses(status, kind, stream):
    async with StreamSink() as sink, real_egress() as egress:
        error = {"type": "error", "error": {"type": "x_error", "message": "because"}}
        sink.answer(status, headers={"retry-after": "12"}, json=error)
        backend = opened(egress, endpoint=sink.url)
        with pytest.raises(LLMError, match=f"^HTTP {status}: because$") as caught:
            if stream:
                [chunk async for chunk in backend.stream(HELLO)]
            else:
                await backend.complete(HELLO)
    assert (caught.value.kind, caught.value.retry_after) == (kind, 12)


async def test_a_stream_that_stalls_and_one_that_is_cut_off():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(sse(start(0, text("Hi"))), ends=False)
        stream = opened(egress, endpoint=sink.url).stream(attrs.evolve(HELLO, chunk_s=0.1))
        assert await anext(stream) == Chunk()  # it has answered
        assert (await anext(stream)).text == "Hi"
        with pytest.raises(LLMError) as caught:
            await anext(stream)
        assert caught.value.kind == "timeout"
        stream = opened(egress, endpoint=sink.url).stream(HELLO)
        assert [(await anext(stream)).text for _ in range(2)] == ["", "Hi"]
        sink.drop()
        with pytest.raises(LLMError) as caught:
            await anext(stream)
    assert caught.value.kind == "connect"
