"""The suite for LLM backends: a good one passes, each broken one is found out."""

from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from neomind_core.contracts import Capabilities, Chunk, Completion, EgressFailed, Label, LLMError, fields
from neomind_sdk.testing.egress import FakeEgress
from neomind_sdk.testing.suites import LLMBackendContract


@attrs.frozen
class ParrotConfig:
    endpoint: str = fields.text(default="http://127.0.0.1:11434")
    model: str = fields.text(default="parrot")
    api_key: str = fields.secret(default="")


class Parrot:
    """Speaks ``{"text": …}``, streamed as one JSON object per line."""

    def __init__(self, config, egress):
        self.config = config
        self.egress = egress

    async def complete(self, request):
        try:
            answer = await self.egress.request("POST", self.config.endpoint, json=self.body(request))
        except EgressFailed as error:
            raise LLMError("timeout", str(error)) from error
        self.refuse(answer)
        return Completion(text=self.text(answer.body))

    async def stream(self, request):
        try:
            async with self.egress.stream("POST", self.config.endpoint, json=self.body(request)) as answer:
                self.refuse(answer)
                body = b"".join([piece async for piece in answer.chunks()])
        except EgressFailed as error:
            raise LLMError("timeout", str(error)) from error
        for line in body.splitlines() or [b""]:
            yield Chunk(text=self.text(line))
        yield Chunk(finish="stop")

    async def probe(self):
        return Capabilities()

    def body(self, request):
        return {"prompt": request.messages[-1].text}

    def refuse(self, answer):
        if answer.status == 429:
            after = answer.headers.get("retry-after")
            raise LLMError("rate_limited", "too many requests", retry_after=float(after))
        if answer.status in (401, 403):
            raise LLMError("auth", f"the server answered {answer.status}")
        if answer.status >= 400:
            raise LLMError("refused", f"the server answered {answer.status}")

    def text(self, body):
        try:
            return json.loads(body)["text"]
        except (ValueError, TypeError, KeyError) as error:
            raise LLMError("malformed", "the answer makes no sense") from error


class ParrotType:
    name = "parrot"
    label = Label(name="Parrot")
    config = ParrotConfig
    default_endpoint = "http://127.0.0.1:11434"
    default_model = "parrot"
    requires_api_key = False
    backend = Parrot

    def open(self, config, egress):
        return self.backend(config, egress)


class ForParrot(LLMBackendContract):
    config = {"endpoint": "http://127.0.0.1:11434", "model": "parrot", "api_key": "sk-s3cret"}

    def make(self):
        return ParrotType()

    def answers_hello(self, egress):
        egress.answer(json={"text": "Hello"})

    def streams_hello(self, egress):
        egress.answer(chunks=[b'{"text": "He"}\n{"te', b'xt": "llo"}\n'])


class TestParrot(ForParrot):
    pass


def of(**methods):
    """A parrot of which some methods are others."""
    kind = ParrotType()
    kind.backend = type("Broken", (Parrot,), methods)
    return kind


SUITE = ForParrot()


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("name", "My LLM", "is named 'My LLM'"),
        ("label", "x", "must be a Label"),
        ("config", dict, "must be an attrs class"),
        ("default_endpoint", "localhost", "must be a URL"),
        ("requires_api_key", "no", "True or False"),
    ],
)
async def test_shapes(breach, attribute, value, expected):
    broken = ParrotType()
    setattr(broken, attribute, value)
    await breach(SUITE.test_it_satisfies_the_protocol, expected, broken)


async def test_a_config_without_a_model(breach):
    @attrs.frozen
    class NoModel:
        endpoint: str = ""

    broken = ParrotType()
    broken.config = NoModel
    await breach(SUITE.test_it_satisfies_the_protocol, "must have endpoint and model", broken)


async def test_wrong_completions(breach):
    async def shouts(_self, _request):
        return Completion(text="HELLO")

    async def bare(_self, _request):
        return "Hello"

    await breach(
        SUITE.test_a_completion, "the model said 'Hello', the backend says 'HELLO'", of(complete=shouts), FakeEgress()
    )
    await breach(SUITE.test_a_completion, "must return a Completion", of(complete=bare), FakeEgress())


async def test_messages_that_do_not_arrive(breach):
    egress = FakeEgress().answer(json={"text": "Hello"})
    await breach(SUITE.test_a_completion, "nowhere in what was sent", of(body=lambda *_: {}), egress)


async def test_wrong_streams(breach):
    async def endless(_self, _request):
        yield Chunk(text="Hello")

    async def twice(_self, _request):
        yield Chunk(text="Hello", finish="stop")
        yield Chunk(finish="stop")

    await breach(SUITE.test_a_stream, "must have finish='stop'", of(stream=endless), FakeEgress())
    await breach(SUITE.test_a_stream, "only the last chunk", of(stream=twice), FakeEgress())


async def test_wrong_kinds(breach):
    def refuse(_self, answer):
        if answer.status >= 400:
            raise LLMError("refused", "no")

    test = SUITE.test_refusals_have_their_kind
    await breach(test, "a 401 is of kind auth", of(refuse=refuse), FakeEgress(), 401, {"auth"}, False)

    def unknown(_self, answer):
        raise LLMError("oops", "no")

    await breach(test, "kind is 'oops'", of(refuse=unknown), FakeEgress(), 401, {"auth"}, True)

    def impatient(_self, answer):
        raise LLMError("rate_limited", "no")

    await breach(test, "retry_after=7.0", of(refuse=impatient), FakeEgress(), 429, {"rate_limited"}, False)


async def test_errors_with_secrets(breach):
    def echo(_self, answer):
        raise LLMError("auth", answer.body.decode())

    test = SUITE.test_refusals_have_their_kind
    await breach(test, "LLMError shows a secret", of(refuse=echo), FakeEgress(), 401, {"auth"}, False)


async def test_failures_that_pass(breach):
    test = SUITE.test_other_statuses_are_errors
    broken = of(refuse=lambda *_: None, text=lambda *_: "")
    await breach(test, "every failure is an LLMError", broken, FakeEgress(), 500, False)
    broken = of(text=lambda _self, body: json.loads(body)["text"])
    malformed = SUITE.test_senseless_answers_are_malformed
    await breach(malformed, "JSONDecodeError.*every failure is an LLMError", broken, FakeEgress(), b"{not", False)


async def test_trying_again(breach):
    async def stubborn(self, request):
        try:
            return await Parrot.complete(self, request)
        except LLMError:
            return await Parrot.complete(self, request)

    test = SUITE.test_no_answer_is_connect_or_timeout
    await breach(test, "this one made 2", of(complete=stubborn), FakeEgress(), False)


async def test_swallowing_cancellation(breach):
    async def deaf(self, request):
        try:
            return await Parrot.complete(self, request)
        except asyncio.CancelledError:
            return Completion(text="")

    test = SUITE.test_cancelling_the_caller_cancels_the_request
    await breach(test, "swallowed the cancellation", of(complete=deaf), FakeEgress())


async def test_running_on(breach):
    running = []

    async def detached(self, request):
        running.append(asyncio.ensure_future(Parrot.complete(self, request)))
        return await asyncio.shield(running[0])

    test = SUITE.test_cancelling_the_caller_cancels_the_request
    await breach(test, "runs on", of(complete=detached), FakeEgress())
    running[0].cancel()


async def test_opening_and_probing(breach):
    class Eager(Parrot):
        def __init__(self, config, egress):
            super().__init__(config, egress)
            egress.requests.append("x")

    eager = ParrotType()
    eager.backend = Eager
    await breach(SUITE.test_opening_sends_nothing, "must not send anything", eager, FakeEgress())

    async def guess(_self):
        return {"vision": True}

    await breach(SUITE.test_probing_says_what_the_model_can, "must return Capabilities", of(probe=guess), FakeEgress())
