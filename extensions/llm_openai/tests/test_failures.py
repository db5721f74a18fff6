"""What goes wrong below and beside the protocol, over the platform's own HTTP where that plays a part."""

from __future__ import annotations

import asyncio
import time

import attrs
import pytest

from neomind_llm_openai.models import OpenAIConfig
from neomind_llm_openai.presets import PRESETS
from neomind_sdk import ChatMessage, Chunk, CompletionRequest, LLMError
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.sink import real_egress
from neomind_sdk.testing.streams import StreamSink

KEY = "sk-3nY7qPz0secret"
HELLO = CompletionRequest(messages=(ChatMessage(role="user", text="Hi"),))
FIRST = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'


def opened(egress, url="http://127.0.0.1:9"):
    return PRESETS[0].open(OpenAIConfig(model="m", endpoint=url, api_key=KEY), egress)


async def failed(work):
    with pytest.raises(LLMError) as caught:
        await work
    assert KEY not in str(caught.value)
    return caught.value


async def drained(stream):
    return [chunk async for chunk in stream]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (401, {"error": {"message": f"Incorrect API key: {KEY}\n"}}, "auth", "HTTP 401: Incorrect API key: ***"),
        (403, {"detail": "no"}, "auth", "HTTP 403: no"),
        (402, {"error": {"message": "Insufficient Balance"}}, "refused", "HTTP 402: Insufficient Balance"),
        (404, {"error": "model not found"}, "refused", "HTTP 404: model not found"),
        (
            400,
            [{"error": {"code": 400, "message": "API key not valid. Pass one."}}],
            "auth",
            "HTTP 400: API key not valid. Pass one.",
        ),
        (400, {"object": "error", "message": "too long"}, "refused", "HTTP 400: too long"),
        (408, {}, "timeout", "HTTP 408"),
        (429, {"error": {"message": "x" * 999}}, "rate_limited", "HTTP 429: " + "x" * 300),
        (500, {"error": None}, "connect", "HTTP 500"),
        (503, {"error": {"code": 503, "message": "Loading model"}}, "connect", "HTTP 503: Loading model"),
        (501, {}, "refused", "HTTP 501"),
        (504, [], "timeout", "HTTP 504"),
        (302, {}, "refused", "HTTP 302"),
    ],
)
async def test_statuses(status, body, kind, text, stream):
    async with StreamSink() as sink, real_egress() as egress:
        sink.answer(status, headers={"Retry-After": "1.5"}, json=body)
        backend = opened(egress, sink.url)
        error = await failed(drained(backend.stream(HELLO)) if stream else backend.complete(HELLO))
    assert (error.kind, str(error), error.retry_after) == (kind, text, 1.5)


@pytest.mark.parametrize("stream", [False, True])
async def test_nobody_listens(stream):
    async with StreamSink() as sink:
        url = sink.url
    async with real_egress() as egress:
        backend = opened(egress, url)
        error = await failed(drained(backend.stream(HELLO)) if stream else backend.complete(HELLO))
    assert error.kind == "connect"


async def test_a_blocked_target_is_refused():
    error = await failed(opened(FakeEgress().block("http://127.0.0.1:9")).complete(HELLO))
    assert error.kind == "refused"


@pytest.mark.parametrize("limits", [{"connect_s": 0.05, "first_token_s": 0.05}, {"total_s": 0.1}])
async def test_a_stream_whose_first_piece_stays_away(limits):
    async with StreamSink() as sink, real_egress() as egress:
        sink.hang()
        began = time.monotonic()
        error = await failed(drained(opened(egress, sink.url).stream(attrs.evolve(HELLO, **limits))))
    assert (error.kind, time.monotonic() - began < 5) == ("timeout", True)


async def test_a_completion_that_stays_away():
    async with StreamSink() as sink, real_egress() as egress:
        sink.hang()
        error = await failed(opened(egress, sink.url).complete(attrs.evolve(HELLO, total_s=0.1)))
    assert error.kind == "timeout"


@pytest.mark.parametrize("limits", [{"chunk_s": 0.1}, {"total_s": 0.5}])
async def test_a_stream_that_stalls(limits):
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(FIRST, ends=False)
        seen = []
        with pytest.raises(LLMError) as caught:
            async for chunk in opened(egress, sink.url).stream(attrs.evolve(HELLO, **limits)):
                seen += [chunk.text] if chunk.text else []
    assert (seen, caught.value.kind) == (["Hi"], "timeout")


async def test_a_stream_that_is_cut_off():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(FIRST, ends=False)
        stream = opened(egress, sink.url).stream(HELLO)
        assert await anext(stream) == Chunk()  # it has answered
        assert (await anext(stream)).text == "Hi"
        sink.drop()
        assert (await failed(anext(stream))).kind == "connect"


async def test_a_stream_that_ends_too_early():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(FIRST)
        assert (await failed(drained(opened(egress, sink.url).stream(HELLO)))).kind == "malformed"


async def test_a_cancelled_stream_lets_go():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(FIRST, ends=False)
        stream = opened(egress, sink.url).stream(HELLO)
        assert [(await anext(stream)).text for _ in range(2)] == ["", "Hi"]
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_without_an_end_is_not_read_forever(monkeypatch, stream):
    from neomind_sdk import llm_wire

    monkeypatch.setattr(llm_wire, "MAX_ANSWER", 1000)
    egress = FakeEgress().answer(chunks=[b": ping\n\n" * 100] * 3)
    backend = opened(egress)
    assert (await failed(drained(backend.stream(HELLO)) if stream else backend.complete(HELLO))).kind == "malformed"
