"""Answers as servers of many makes give them, whole and in pieces."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_llm_openai.models import OpenAIConfig
from neomind_llm_openai.presets import PRESETS
from neomind_llm_openai.thoughts import ThoughtSplitter
from neomind_sdk import ChatMessage, Chunk, CompletionRequest, LLMError, Usage
from neomind_sdk.testing import FakeEgress

HELLO = CompletionRequest(messages=(ChatMessage(role="user", text="Hi"),))


def opened(egress):
    return PRESETS[0].open(OpenAIConfig(model="m", endpoint="http://127.0.0.1:9/v1"), egress)


async def completed(**message):
    finish = message.pop("finish", "stop")
    answer = {"choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}]}
    answer |= {"usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, "unknown": [{}]}
    return await opened(FakeEgress().answer(json=answer)).complete(HELLO)


def delta(finish=None, **fields):
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def sse(*events, end="data: [DONE]\n\n"):
    return "".join(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events).encode() + end.encode()


async def streamed(raw, *cuts):
    at = [0, *sorted(cuts), len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(at)]
    return [chunk async for chunk in opened(FakeEgress().answer(chunks=pieces)).stream(HELLO)]


def joined(chunks):
    """What a stream says in all, without the ids that were made up."""
    calls = [(call.name, call.arguments) for call in chunks[-1].tool_calls]
    text, thinking = "".join(chunk.text for chunk in chunks), "".join(chunk.thinking for chunk in chunks)
    return text, thinking, calls, chunks[-1].finish, chunks[-1].usage


def function(name=None, arguments=None, **more):
    return {
        **more,
        "function": {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None},
    }


async def test_text_thinking_and_usage():
    found = await completed(content="Hello", reasoning_content="They greet me.")
    assert (found.text, found.thinking, found.finish) == ("Hello", "They greet me.", "stop")
    assert found.usage == Usage(prompt_tokens=7, completion_tokens=3)
    assert (await completed(content="x", reasoning="y")).thinking == "y"
    assert (await completed(content=None, refusal="I will not")).text == "I will not"
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert (await completed(content=parts)).text == "ab"


async def test_calls():
    calls = [function("read", '{"id": 5}', id="c1", type="function"), function("now", "", id="c2")]
    found = await completed(content=None, tool_calls=calls, finish="tool_calls")
    assert [(call.id, call.name, call.arguments) for call in found.tool_calls] == [
        ("c1", "read", {"id": 5}),
        ("c2", "now", {}),
    ]
    assert (found.text, found.finish) == ("", "tool_calls")


async def test_a_server_that_says_stop_after_calls_gives_no_ids_and_parsed_arguments():
    found = await completed(content="", tool_calls=[function("a", {"x": 1}), function("a", "{}")])
    assert found.finish == "tool_calls"
    ids = [call.id for call in found.tool_calls]
    assert all(ids)
    assert len(set(ids)) == 2
    assert found.tool_calls[0].arguments == {"x": 1}


@pytest.mark.parametrize(
    "written", ["{", "[1]", "null", '"x"', "{'a': 1}", '{"a": NaN}', '{"a":1,"a":2}', "[" * 99 + "]" * 99]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_arguments_that_are_no_object(written, stream):
    calls = [function("read", written, index=0, id="c")]
    with pytest.raises(LLMError, match="'read'") as caught:
        if stream:
            await streamed(sse(delta("tool_calls", tool_calls=calls)))
        else:
            await completed(content="I shall look", tool_calls=calls)
    assert caught.value.kind == "malformed"


async def test_at_the_limit_the_text_is_kept_and_the_torn_call_is_not():
    calls = [function("a", "{}", index=0, id="c"), function("b", '{"x": "to', index=1, id="d")]
    found = await completed(content="I shall", tool_calls=calls, finish="length")
    assert (found.text, found.finish, [call.name for call in found.tool_calls]) == ("I shall", "length", ["a"])


@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        ("content_filter", "refused"),
        ("sensitive", "refused"),
        ("network_error", "connect"),
        ("insufficient_system_resource", "connect"),
    ],
)
async def test_reasons_that_are_failures(finish, kind):
    with pytest.raises(LLMError, match=finish) as caught:
        await completed(content="Part", finish=finish)
    assert caught.value.kind == kind


CALLS = (
    delta(role="assistant", content=None),
    delta(reasoning_content="Ich überlege 🤔"),
    delta(content="Grüße "),
    delta(content="🌍", tool_calls=[function("read", "", index=0, id="c1", type="function")]),
    delta(tool_calls=[function(None, '{"id', index=0)]),
    delta(tool_calls=[function("now", "{}", index=1, id="c2")]),
    delta(tool_calls=[function(None, '":"käse"}', index=0)]),
    delta("tool_calls"),
    {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 34}},
)
SAID = (
    "Grüße 🌍",
    "Ich überlege 🤔",
    [("read", {"id": "käse"}), ("now", {})],
    "tool_calls",
    Usage(prompt_tokens=12, completion_tokens=34),
)


async def test_a_stream_with_calls():
    chunks = await streamed(sse(*CALLS))
    assert joined(chunks) == SAID
    assert [call.id for call in chunks[-1].tool_calls] == ["c1", "c2"]
    assert [chunk.text for chunk in chunks if chunk.text] == ["Grüße ", "🌍"]


@given(st.data())
def test_however_it_is_cut_it_says_the_same(data):
    text = sse(*CALLS).decode()
    raw = (
        (": ping\n\nevent: x\nid: 1\n" + text).replace("\n", data.draw(st.sampled_from(["\n", "\r\n", "\r"]))).encode()
    )
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=30))
    assert joined(asyncio.run(streamed(raw, *cuts))) == SAID


async def test_byte_by_byte():
    raw = sse(*CALLS)
    assert joined(await streamed(raw, *range(len(raw)))) == SAID


async def test_parallel_calls_with_one_index_and_with_none():
    same = [function("a", "{}", index=0, id="1"), function("b", '{"x":1}', index=0, id="2")]
    assert joined(await streamed(sse(delta("stop", tool_calls=same))))[2] == [("a", {}), ("b", {"x": 1})]
    none = [function("a", "{}"), function("b", '{"x"'), function(None, ":1}")]
    assert joined(await streamed(sse(delta("stop", tool_calls=none))))[2] == [("a", {}), ("b", {"x": 1})]


async def test_a_name_that_is_repeated_is_one_call():
    parts = [function("a", '{"x"', index=0, id="1"), function("a", ":1}", index=0, id="1")]
    assert joined(await streamed(sse(*(delta(tool_calls=[part]) for part in parts), delta("stop"))))[2] == [
        ("a", {"x": 1})
    ]


@pytest.mark.parametrize("end", ["", "data: [DONE]\n\n", "data: [DONE]"])
async def test_a_reason_to_finish_is_an_end_marker_too(end):
    assert joined(await streamed(sse(delta(content="Hi"), delta("stop"), end=end)))[0] == "Hi"


async def test_what_stands_behind_the_end_marker_is_not_read():
    raw = sse(delta("stop", content="Hi")) + b"data: nonsense\n\n"
    assert joined(await streamed(raw))[0] == "Hi"


@pytest.mark.parametrize(
    "raw",
    [
        sse(delta(content="Hi"), end=""),
        sse(end=""),
        sse(),
        sse(delta(content="Hi"), delta("stop"), end="data: {")[:-45],
        b'data: {"choices":[{"delta":{"content":"\xff',
        sse({"choices": {}}),
        sse({"choices": ["x"]}),
        sse({"choices": [{"delta": "x"}]}),
        sse(delta(tool_calls="x")),
        sse(delta("stop", tool_calls=[{"index": 0}])),
        b"data: 1\n\n",
        b"data: " + b"x" * 1_100_000,
        b"data: x\n" * 200_000,
    ],
)
async def test_streams_that_make_no_sense(raw):
    with pytest.raises(LLMError) as caught:
        await streamed(raw)
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "slow down"}, "rate_limited"),
        ({"code": "rate_limit_exceeded", "message": "slow down"}, "rate_limited"),
        ({"type": "insufficient_quota", "message": "slow down"}, "rate_limited"),
        ({"code": 401, "message": "slow down"}, "auth"),
        ({"type": "authentication_error", "message": "slow down"}, "auth"),
        ({"type": "server_error", "message": "slow down"}, "connect"),
        ({"code": 503, "status": "UNAVAILABLE", "message": "slow down"}, "connect"),
        ({"type": "invalid_request_error", "message": "slow down"}, "refused"),
        ("slow down", "refused"),
    ],
)
async def test_an_error_inside_a_stream(error, kind):
    seen = []
    with pytest.raises(LLMError, match="slow down") as caught:
        async for chunk in opened(FakeEgress().answer(body=sse(delta(content="Hi"), {"error": error}))).stream(HELLO):
            seen += [chunk.text] if chunk.text else []
    assert (seen, caught.value.kind) == (["Hi"], kind)


@pytest.mark.parametrize(
    ("code", "kind"), [(1002, "rate_limited"), (1004, "auth"), (2013, "refused"), ("x", "refused")]
)
async def test_minimax_says_errors_with_status_200(code, kind):
    answer = {"choices": None, "base_resp": {"status_code": code, "status_msg": "no such luck"}}
    with pytest.raises(LLMError, match="no such luck") as caught:
        await opened(FakeEgress().answer(json=answer)).complete(HELLO)
    assert caught.value.kind == kind


async def test_minimax_success():
    answer = {"choices": [{"message": {"content": "ok"}}], "base_resp": {"status_code": 0}}
    assert (await opened(FakeEgress().answer(json=answer)).complete(HELLO)).text == "ok"


class TestThoughtsInsideTheText:
    @pytest.mark.parametrize(
        ("written", "text", "thinking"),
        [
            ("<think>\nHm </th a\n</think>\n\nHello", "Hello", "\nHm </th a\n"),
            ("\n<think></think>Hello <think>x</think>", "Hello <think>x</think>", ""),
            ("Hello <think>x</think>", "Hello <think>x</think>", ""),
            ("<thin", "<thin", ""),
            ("<thing> is", "<thing> is", ""),
            ("  a", "  a", ""),
            ("  ", "  ", ""),
            ("<think>never ends </thin", "", "never ends </thin"),
            ("<think>x</think>  ", "", "x"),
            ("", "", ""),
        ],
    )
    @given(data=st.data())
    def test_they_are_taken_out(self, written, text, thinking, data):
        cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=12))), len(written)]
        splitter = ThoughtSplitter()
        parts = [splitter.feed(written[a:b]) for a, b in pairwise(cuts)]
        parts.append(splitter.end())
        assert ("".join(part[0] for part in parts), "".join(part[1] for part in parts)) == (text, thinking)

    async def test_in_a_completion_and_in_a_stream(self):
        found = await completed(content="<think>Hm</think>\nHello")
        assert (found.text, found.thinking) == ("Hello", "Hm")
        raw = sse(*(delta(content=piece) for piece in ("<th", "ink>H", "m</think", ">\n", "Hello")), delta("stop"))
        assert joined(await streamed(raw))[:2] == ("Hello", "Hm")


async def test_closing_the_stream_ends_the_request():
    closed = []

    class Watched(FakeEgress):
        def stream(self, *args, **more):
            inner = super().stream(*args, **more)

            class Manager:
                async def __aenter__(self):
                    return await inner.__aenter__()

                async def __aexit__(self, *error):
                    closed.append(True)
                    return await inner.__aexit__(*error)

            return Manager()

    egress = Watched().answer(chunks=[sse(delta(content="Hi"), end=""), sse(delta("stop"))])
    stream = opened(egress).stream(attrs.evolve(HELLO))
    assert await anext(stream) == Chunk()  # it has answered
    assert (await anext(stream)).text == "Hi"
    assert closed == []
    await stream.aclose()
    assert closed == [True]
