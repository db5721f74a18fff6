"""Asking a server of models; the extensions' own tests ask it over real HTTP."""

import attrs
import pytest

from neomind_sdk import ChatMessage, CompletionRequest, HttpAnswer, LLMError
from neomind_sdk.llm_wire import ModelServer, arguments, count, json_object, kind_of, new_call_id, words
from neomind_sdk.testing import FakeEgress
from neomind_sdk.testing.sink import real_egress
from neomind_sdk.testing.streams import StreamSink

REQUEST = CompletionRequest(messages=(ChatMessage(role="user", text="Hi"),))
SERVER = ModelServer(egress=FakeEgress(), base="http://m", headers={"x-key": "s3cr3t"}, secrets=("s3cr3t", ""))


def raised(work, *args):
    with pytest.raises(LLMError) as caught:
        work(*args)
    return caught.value.kind


def test_a_server_does_not_show_its_secrets():
    assert "s3cr3t" not in repr(SERVER)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "refused"),
        (401, "auth"),
        (403, "auth"),
        (404, "refused"),
        (408, "timeout"),
        (422, "refused"),
        (429, "rate_limited"),
        (500, "connect"),
        (501, "refused"),
        (502, "connect"),
        (503, "connect"),
        (504, "timeout"),
        (529, "connect"),
        (302, "refused"),
        ("500", "refused"),
        (None, "refused"),
    ],
)
def test_kinds(status, kind):
    assert kind_of(status) == kind


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "a"}}', "a"),
        (b'{"error": "a", "message": "b"}', "a"),
        (b'{"error": {}, "message": "b"}', "b"),
        (b'[{"error": {"code": 400, "message": "a"}}]', "a"),
        (b'{"detail": [{"msg": "field required"}]}', "field required"),
        (b'{"base_resp": 1}', ""),
        (b"<html>", ""),
        (b"", ""),
        (b"null", ""),
        (b"[" * 900 + b"]" * 900, ""),
        (b'{"error": {"message": 5}}', ""),
    ],
)
def test_words(body, said):
    assert words(body) == said


def test_a_failure_is_one_clean_sentence():
    body = b'{"error": "a\\n\\u0000b  s3cr3t\\u001b[31m"}'
    error = SERVER.failure(HttpAnswer(status=400, headers={}, body=body))
    assert str(error) == "HTTP 400: a b *** [31m"
    assert error.retry_after is None


def test_an_error_without_words():
    assert str(SERVER.said({}, "refused")) == "the server reported an error without saying which"


@pytest.mark.parametrize(
    ("raw", "found"),
    [(None, {}), ("", {}), (" \n", {}), ("{}", {}), ('{"a": {"b": [1]}}', {"a": {"b": [1]}}), ({"a": 1}, {"a": 1})],
)
def test_arguments(raw, found):
    assert arguments("t", raw) == found


@pytest.mark.parametrize(
    "raw",
    ["{", "[]", "1", "nul", '{"a":1,"a":2}', [], 5, True, {"a": object()}, {"a": {1}}, "\ud800"],
)
def test_arguments_that_are_none(raw):
    assert raised(arguments, "t", raw) == "malformed"


def test_arguments_nested_too_deeply():
    deep = {}
    for _ in range(40):
        deep = {"a": deep}
    assert raised(arguments, "t", deep) == "malformed"


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b"null", b"{", b"[" * 100_000])
def test_objects_that_are_none(raw):
    assert raised(json_object, raw) == "malformed"


@pytest.mark.parametrize(("value", "number"), [(5, 5), (0, 0), (-1, 0), (True, 0), ("5", 0), (None, 0), (1.5, 0)])
def test_counts(value, number):
    assert count(value) == number


def test_ids_differ():
    assert len({new_call_id() for _ in range(100)}) == 100


async def test_asking():
    async with StreamSink() as sink, real_egress() as egress:
        sink.answer(json={"a": 1})
        server = attrs.evolve(SERVER, egress=egress, base=sink.url)
        assert await server.ask("GET", "/x") == {"a": 1}
        assert sink.requests[0].headers["x-key"] == "s3cr3t"


async def test_events_and_lines():
    async with StreamSink() as sink, real_egress() as egress:
        server = attrs.evolve(SERVER, egress=egress, base=sink.url)
        sink.stream(b"event: e\nda", b"ta: 1\n\n", b"data: 2")
        assert [(event.name, event.data) async for event in server.events("/x", {}, REQUEST) if event] == [("e", "1")]
        sink.stream(b'{"a"', b': 1}\n\n{"b": 2}\r\n{', b"}")
        assert [line async for line in server.lines("/x", {}, REQUEST)] == [None, b'{"a": 1}', b'{"b": 2}\r', b"{}"]


async def test_a_stream_that_is_not_read_is_over_when_it_is_closed():
    async with StreamSink() as sink, real_egress() as egress:
        sink.stream(b"1\n", ends=False)
        lines = attrs.evolve(SERVER, egress=egress, base=sink.url).lines("/x", {}, REQUEST)
        assert await anext(lines) is None  # it has answered
        assert await anext(lines) == b"1"
        await lines.aclose()
        await egress.close()  # would wait for, or complain about, a connection that is still read


async def test_the_body_of_an_error_is_read_up_to_a_limit():
    egress = FakeEgress().answer(500, chunks=[b"x" * 50_000] * 5)
    with pytest.raises(LLMError, match=r"^HTTP 500$"):
        [line async for line in attrs.evolve(SERVER, egress=egress).lines("/x", {}, REQUEST)]
