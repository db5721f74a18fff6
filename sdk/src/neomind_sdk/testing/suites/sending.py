"""Suites for what sends: notification channels and push targets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_core.contracts import (
    ChannelType,
    Delivery,
    EgressBlocked,
    EgressFailed,
    OutgoingMessage,
    PushPayload,
    PushTargetType,
    SendTools,
)
from neomind_core.contracts.fields import META
from neomind_sdk.testing import strategies
from neomind_sdk.testing.egress import FakeEgress

from . import base

# What receivers answer when something is wrong that has nothing to do with HTTP.
MALFORMED = (
    b"",
    b"\xff\xfe\x00",
    b"{not json",
    b"[]",
    b'"text"',
    b"null",
    b"<html>",
    b'{"ok": "maybe", "errcode": "x"}',
)


class SendingContract(base.Contract):
    """Common to channels and push targets. Override ``make`` and ``config``; the rest has sensible defaults.

    ``config``      a valid example with a value for every secret
    ``success``     what the receiver answers (keyword arguments of ``FakeEgress.answer``) when it took it
    ``requests``    how many requests one attempt consists of
    ``make_egress`` what the attempt is made through; its ``requests`` are counted
    """

    what: ClassVar[str] = "a channel"
    call: ClassVar[str] = "send"
    config: ClassVar[Mapping[str, Any]] = {}
    success: ClassVar[Mapping[str, Any]] = {"status": 200}
    requests: ClassVar[int] = 1

    def make_egress(self) -> FakeEgress:
        return FakeEgress()

    @pytest.fixture
    def egress(self) -> FakeEgress:
        return self.make_egress()

    def example(self) -> Any:
        """What is sent where the content does not matter."""
        raise NotImplementedError

    def settings(self, subject: Any) -> Any:
        """The example configuration as an instance of the config class."""
        return base.structured(subject.config, self.config)

    def secrets(self, subject: Any) -> list[str]:
        return base.secrets_of(subject.config, self.config)

    async def attempt(self, subject: Any, egress: FakeEgress, content: Any = None) -> Delivery:
        """One attempt with the rules that hold for all: one attempt only, a ``Delivery``, no secret in its detail."""
        tools = SendTools(egress=egress, clock=base.StillClock(), delivery_id="msg_2Yk3ForTests")
        content = self.example() if content is None else content
        before = len(egress.requests)
        try:
            delivery = await getattr(subject, self.call)(self.settings(subject), content, tools)
        except (AssertionError, EgressFailed, EgressBlocked):
            raise
        except Exception as error:
            text = f"{self.call}() raised {type(error).__name__}: {error}"
            raise AssertionError(
                f"{text}; an answer is an answer, say in the Delivery what is wrong with it"
            ) from error
        finally:
            made = len(egress.requests) - before
            text = f"{self.what} makes exactly one attempt per call of {self.call}(); this one made {made}"
            assert made <= self.requests, f"{text}: take the loop out, the outbox tries again"
        assert isinstance(delivery, Delivery), f"{self.call}() must return a Delivery, it returned {delivery!r}"
        base.check_no_secret(delivery.detail, self.secrets(subject), "Delivery.detail")
        return delivery

    def test_it_is_named_and_labelled(self, subject: Any) -> None:
        base.check_name(subject.name, self.what)
        base.check_label(subject.label, f"{self.what} '{subject.name}'")
        base.check_async(getattr(subject, self.call), f"{subject.name}.{self.call}")

    def test_config_is_an_attrs_class_that_takes_the_example(self, subject: Any) -> None:
        base.check_config_class(subject.config, f"{subject.name}.config")
        assert self.settings(subject) is not None

    def test_config_does_not_show_its_secrets(self, subject: Any) -> None:
        base.check_no_secret(repr(self.settings(subject)), self.secrets(subject), "repr() of the configuration")
        unset = [
            field.name
            for field in attrs.fields(subject.config)
            if field.metadata.get(META, {}).get("secret") and not self.config.get(field.name)
        ]
        assert not unset, f"the example `config` of this test has no value for the secret fields {unset}"

    async def test_success_is_one_request_and_ok(self, subject: Any, egress: FakeEgress) -> None:
        egress.answer(**self.success)
        delivery = await self.attempt(subject, egress)
        assert delivery.ok, f"the receiver took it, and {self.what} says it did not: {delivery.detail!r}"
        assert len(egress.requests) == self.requests, (
            f"{self.what} must send through tools.egress; nothing came out there"
        )

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    async def test_a_server_error_may_be_tried_again(self, subject: Any, egress: FakeEgress, status: int) -> None:
        egress.answer(status, body="upstream failed")
        delivery = await self.attempt(subject, egress)
        assert not delivery.ok, f"the receiver answered {status}, which is no success: compare the status with 2xx"
        assert delivery.retry, f"after a {status} another attempt may help: return Delivery(ok=False, retry=True)"
        assert delivery.detail, "Delivery.detail must say in one sentence what went wrong, e.g. 'HTTP 500'"

    @pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413])
    async def test_a_refusal_is_no_success(self, subject: Any, egress: FakeEgress, status: int) -> None:
        egress.answer(status, body="refused")
        delivery = await self.attempt(subject, egress)
        assert not delivery.ok, f"the receiver answered {status}, which is no success: compare the status with 2xx"
        assert delivery.detail, f"Delivery.detail must say in one sentence what went wrong, e.g. 'HTTP {status}'"
        assert not delivery.gone, f"only 410 says that a target is gone for good; this was {status}"

    async def test_too_many_requests_says_how_long_to_wait(self, subject: Any, egress: FakeEgress) -> None:
        egress.answer(429, headers={"Retry-After": "7"}, body="slow down")
        delivery = await self.attempt(subject, egress)
        assert not delivery.ok, "429 is no success"
        assert delivery.retry, "429 means later, not never: return Delivery(ok=False, retry=True)"
        text = f"'Retry-After: 7' must become Delivery.retry_after=7.0, it became {delivery.retry_after!r}"
        assert delivery.retry_after == 7, text

    @pytest.mark.parametrize("value", ["", "soon", "-1", "nan", "inf", "1e999", "Wed, 99 Foo 2026 00:00:00 GMT"])
    async def test_a_senseless_retry_after_is_passed_over(self, subject: Any, egress: FakeEgress, value: str) -> None:
        egress.answer(429, headers={"Retry-After": value})
        after = (await self.attempt(subject, egress)).retry_after
        sound = after is None or 0 <= after < float("inf")
        assert sound, f"'Retry-After: {value}' became {after!r}; what makes no sense is None"

    async def test_gone_is_said(self, subject: Any, egress: FakeEgress) -> None:
        egress.answer(410)
        delivery = await self.attempt(subject, egress)
        assert not delivery.ok, "410 is no success"
        assert delivery.gone, "410 Gone must become Delivery(ok=False, gone=True): the target is then disabled"

    @pytest.mark.parametrize(
        "reason", ["the target did not answer in time", "the target answered with more than 9 bytes"]
    )
    async def test_no_answer_is_a_failure_that_may_be_tried_again(
        self, subject: Any, egress: FakeEgress, reason: str
    ) -> None:
        egress.fail(reason)
        try:
            delivery = await self.attempt(subject, egress)
        except EgressFailed:  # as good: an exception counts as a failed attempt that may be tried again
            return
        assert not delivery.ok, f"there was no answer ({reason}), so nothing is delivered"
        assert delivery.retry, f"without an answer ({reason}) another attempt may help: return retry=True"

    @pytest.mark.parametrize("body", MALFORMED)
    @pytest.mark.parametrize("status", [200, 500])
    async def test_odd_bodies_do_no_harm(self, subject: Any, egress: FakeEgress, status: int, body: bytes) -> None:
        egress.answer(status, body=body)
        delivery = await self.attempt(subject, egress)
        assert not (delivery.ok and status == 500), f"the receiver answered {status}, which is no success"

    async def test_secrets_stay_out_of_details_and_logs(
        self,
        subject: Any,
        egress: FakeEgress,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        secrets = self.secrets(subject)
        egress.answer(**self.success)
        egress.answer(400, body="you sent " + " ".join(secrets))
        egress.answer(500, json={"description": " ".join(secrets), "errmsg": " ".join(secrets), "errcode": 1})
        with caplog.at_level(0):
            for _ in range(3):
                await self.attempt(subject, egress)
        base.check_no_secret(base.records_text(caplog, capsys), secrets, "the log")


class ChannelContract(SendingContract):
    """For objects that ``neomind_channels`` returns."""

    def example(self) -> OutgoingMessage:
        text = "Temperature is 81.5 °C"
        return OutgoingMessage(
            id="m-1", title="Boiler too hot", message=text, severity="critical", ts_ms=1_700_000_000_000
        )

    def test_it_satisfies_the_protocol(self, subject: Any) -> None:
        assert isinstance(subject, ChannelType), "a channel has name, label, config and send: see ChannelType"

    async def test_title_and_text_arrive(self, subject: Any, egress: FakeEgress) -> None:
        egress.answer(**self.success)
        await self.attempt(subject, egress)
        for text in ("Boiler too hot", "81.5"):
            assert self.carries(egress, text), f"'{text}' of the message is nowhere in what was sent"

    def carries(self, egress: FakeEgress, text: str) -> bool:
        """Whether what was sent holds ``text``; override it where the body is encoded."""
        return any(text in request.body.decode(errors="replace") or text in request.url for request in egress.requests)

    @base.fuzzed
    @given(message=strategies.messages())
    async def test_every_message_is_sent_once(self, subject: Any, message: OutgoingMessage) -> None:
        egress = self.make_egress().answer(**self.success)
        delivery = await self.attempt(subject, egress, message)
        assert delivery.ok, f"a channel must cut or escape what its receiver does not take; it said {delivery.detail!r}"

    @pytest.mark.parametrize("text", ["x" * 200_000, "é🔥\u202e<b>&amp;*_`[", "line\n" * 5000, " "])
    async def test_long_and_odd_texts_are_sent_once(self, subject: Any, egress: FakeEgress, text: str) -> None:
        egress.answer(**self.success)
        message = attrs.evolve(self.example(), title=text, message=text, source=text, tags=(text,))
        delivery = await self.attempt(subject, egress, message)
        assert delivery.ok, f"a channel must cut or escape what its receiver does not take; it said {delivery.detail!r}"


class PushTargetContract(SendingContract):
    """For objects that ``neomind_push_targets`` returns."""

    what = "a push target"
    call = "deliver"

    def example(self) -> PushPayload:
        return PushPayload(body=json.dumps({"temperature": 81.5}).encode(), sources=("device:boiler:temperature",))

    def test_it_satisfies_the_protocol(self, subject: Any) -> None:
        assert isinstance(subject, PushTargetType), (
            "a push target has name, label, config and deliver: see PushTargetType"
        )

    @base.fuzzed
    @given(body=st.binary(max_size=300) | st.just(b"x" * 2_000_000))
    async def test_bodies_arrive_as_they_are(self, subject: Any, body: bytes) -> None:
        egress = self.make_egress().answer(**self.success)
        await self.attempt(subject, egress, PushPayload(body=body))
        assert self.carries(egress, body), "the payload was changed on its way: it is rendered already, send its bytes"

    def carries(self, egress: FakeEgress, body: bytes) -> bool:
        """Whether what was sent holds ``body`` unchanged; override it where the protocol wraps it."""
        return any(body in request.body for request in egress.requests)
