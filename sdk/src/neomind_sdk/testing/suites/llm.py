"""The suite for LLM backends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest

from neomind_core.contracts import (
    Capabilities,
    ChatMessage,
    Chunk,
    Completion,
    CompletionRequest,
    LLMBackendType,
    LLMError,
)
from neomind_sdk.testing.egress import FakeEgress

from . import base

KINDS = ("connect", "timeout", "auth", "rate_limited", "refused", "malformed")
REQUEST = CompletionRequest(messages=(ChatMessage(role="user", text="Say hello"),))


class LLMBackendContract(base.Contract):
    """For objects that ``neomind_llm_backends`` returns. Override ``make``, ``config`` and the two scripts.

    ``config``         a valid example with a value for every secret
    ``answers_hello``  script the egress so that the model answers ``Hello`` at once
    ``streams_hello``  script the egress so that ``Hello`` arrives in pieces
    """

    config: ClassVar[Mapping[str, Any]] = {}

    def answers_hello(self, egress: FakeEgress) -> None:
        raise NotImplementedError("script the server's whole answer 'Hello' with egress.answer(json=…)")

    def streams_hello(self, egress: FakeEgress) -> None:
        raise NotImplementedError("script the server's streamed answer 'Hello' with egress.answer(chunks=[…])")

    @pytest.fixture
    def egress(self) -> FakeEgress:
        return FakeEgress()

    def open(self, subject: Any, egress: FakeEgress) -> Any:
        return subject.open(base.structured(subject.config, self.config), egress)

    async def failure(self, subject: Any, egress: FakeEgress, *, stream: bool) -> LLMError:
        """The ``LLMError`` of one call; anything else is a breach."""
        error = await self.outcome(self.open(subject, egress), stream=stream)
        if not isinstance(error, LLMError):
            text = f"the server failed, and the outcome is {error!r}"
            raise AssertionError(f"{text}; every failure is an LLMError with its kind")
        assert error.kind in KINDS, f"LLMError.kind is '{error.kind}'; known are {', '.join(KINDS)}"
        base.check_no_secret(str(error), base.secrets_of(subject.config, self.config), "LLMError")
        made = len(egress.requests)
        assert made == 1, f"a backend makes one request per call, this one made {made}: the caller tries again"
        return error

    async def outcome(self, backend: Any, *, stream: bool) -> Any:
        """What a call returned or raised."""
        try:
            if stream:
                return [chunk async for chunk in backend.stream(REQUEST)]
            return await backend.complete(REQUEST)
        except Exception as error:
            return error

    def test_it_satisfies_the_protocol(self, subject: Any) -> None:
        base.check_name(subject.name, "an LLM backend")
        assert isinstance(subject, LLMBackendType), "see LLMBackendType for what a backend type has"
        base.check_label(subject.label, f"the LLM backend '{subject.name}'")
        base.check_config_class(subject.config, f"{subject.name}.config")
        fields = {field.name for field in attrs.fields(subject.config)}
        assert {"endpoint", "model"} <= fields, (
            f"the config class must have endpoint and model, it has {sorted(fields)}"
        )
        web = subject.default_endpoint.startswith(("http://", "https://"))
        assert web, f"default_endpoint must be a URL, it is '{subject.default_endpoint}'"
        assert isinstance(subject.requires_api_key, bool), "requires_api_key must be True or False"

    def test_config_does_not_show_its_secrets(self, subject: Any) -> None:
        shown = repr(base.structured(subject.config, self.config))
        base.check_no_secret(shown, base.secrets_of(subject.config, self.config), "repr() of the configuration")

    def test_opening_sends_nothing(self, subject: Any, egress: FakeEgress) -> None:
        self.open(subject, egress)
        assert not egress.requests, "open() must not send anything: a backend is opened when it is configured"

    async def test_a_completion(self, subject: Any, egress: FakeEgress) -> None:
        self.answers_hello(egress)
        completion = await self.open(subject, egress).complete(REQUEST)
        assert isinstance(completion, Completion), f"complete() must return a Completion, it returned {completion!r}"
        assert completion.text.strip() == "Hello", f"the model said 'Hello', the backend says {completion.text!r}"
        sent = egress.requests[0].body.decode()
        assert "Say hello" in sent, "the message of the user is nowhere in what was sent"

    async def test_a_stream(self, subject: Any, egress: FakeEgress) -> None:
        self.streams_hello(egress)
        chunks = [chunk async for chunk in self.open(subject, egress).stream(REQUEST)]
        assert all(isinstance(chunk, Chunk) for chunk in chunks), "stream() must yield Chunk objects"
        text = "".join(chunk.text for chunk in chunks)
        assert text.strip() == "Hello", f"the model said 'Hello', the chunks say {text!r}"
        ends = [chunk.finish for chunk in chunks]
        assert ends[-1:] == ["stop"], f"the last chunk must have finish='stop', the finishes are {ends}"
        assert not any(ends[:-1]), f"only the last chunk has a finish, the finishes are {ends}"

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        ("status", "kinds"), [(401, {"auth"}), (403, {"auth", "refused"}), (429, {"rate_limited"})]
    )
    async def test_refusals_have_their_kind(
        self, subject: Any, egress: FakeEgress, status: int, kinds: set[str], stream: bool
    ) -> None:
        key = " ".join(base.secrets_of(subject.config, self.config))
        egress.answer(status, headers={"Retry-After": "7"}, json={"error": {"message": f"no, {key}"}})
        error = await self.failure(subject, egress, stream=stream)
        assert error.kind in kinds, f"a {status} is of kind {' or '.join(kinds)}, the backend says '{error.kind}'"
        if status == 429:
            assert error.retry_after == 7, (
                f"'Retry-After: 7' must become retry_after=7.0, it became {error.retry_after!r}"
            )

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("status", [400, 404, 500, 503])
    async def test_other_statuses_are_errors(self, subject: Any, egress: FakeEgress, status: int, stream: bool) -> None:
        egress.answer(status, body="<html>error</html>")
        await self.failure(subject, egress, stream=stream)

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        "body", [b"", b"\xff\xfe", b"{not json", b"[]", b"null", b'{"choices": 5}', b"data: {\n\n"]
    )
    async def test_senseless_answers_are_malformed(
        self, subject: Any, egress: FakeEgress, body: bytes, stream: bool
    ) -> None:
        egress.answer(200, body=body)
        error = await self.failure(subject, egress, stream=stream)
        assert error.kind == "malformed", (
            f"an answer that makes no sense is 'malformed', the backend says '{error.kind}'"
        )

    @pytest.mark.parametrize("stream", [False, True])
    async def test_no_answer_is_connect_or_timeout(self, subject: Any, egress: FakeEgress, stream: bool) -> None:
        egress.fail()
        error = await self.failure(subject, egress, stream=stream)
        assert error.kind in ("connect", "timeout"), f"there was no answer: kind connect or timeout, not '{error.kind}'"

    async def test_cancelling_the_caller_cancels_the_request(self, subject: Any, egress: FakeEgress) -> None:
        egress.hang()
        task = asyncio.ensure_future(self.open(subject, egress).complete(REQUEST))
        await asyncio.wait([task, asyncio.ensure_future(egress.asked.wait())], return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), "complete() swallowed the cancellation: let CancelledError through"
        assert egress.cancelled == 1, "the request runs on after its caller was cancelled"

    async def test_probing_says_what_the_model_can(self, subject: Any, egress: FakeEgress) -> None:
        egress.answer(404)
        try:
            found = await self.open(subject, egress).probe()
        except LLMError:
            return
        assert isinstance(found, Capabilities), f"probe() must return Capabilities, it returned {found!r}"
