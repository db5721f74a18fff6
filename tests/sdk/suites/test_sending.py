"""The suites for channels and push targets: a good one passes, each broken one is found out."""

from __future__ import annotations

import asyncio
import logging

import attrs
import pytest

from neomind_core.contracts import ADMIN_TARGET, Delivery, Label, OutgoingMessage, PushPayload, fields
from neomind_sdk.testing.egress import FakeEgress
from neomind_sdk.testing.suites import ChannelContract, PushTargetContract

CONFIG = {"url": "https://hook.example/in", "token": "s3cret-t0ken"}


@attrs.frozen
class HookConfig:
    url: str = fields.text(min=1)
    token: str = fields.secret(min=1)


class Channel:
    name = "hook"
    label = Label(name="Hook")
    config = HookConfig

    async def send(self, config, message, tools):
        body = {"title": message.title, "text": message.message}
        headers = {"authorization": config.token}
        return Delivery.of(
            await tools.egress.request("POST", config.url, trust=ADMIN_TARGET, headers=headers, json=body)
        )


class Careful(Channel):
    """Catches what the egress raises, which is as good."""

    async def send(self, config, message, tools):
        try:
            return await super().send(config, message, tools)
        except Exception as error:
            return Delivery(ok=False, detail=str(error))


class ForChannel(ChannelContract):
    config = CONFIG

    def make(self):
        return Channel()


class TestChannel(ForChannel):
    pass


class TestCarefulChannel(ForChannel):
    def make(self):
        return Careful()


class Target:
    name = "hook"
    label = Label(name="Hook")
    config = HookConfig

    async def deliver(self, config, payload, tools):
        headers = {"content-type": payload.media_type, "authorization": config.token}
        answer = await tools.egress.request(
            "POST", config.url, trust=ADMIN_TARGET, headers=headers, content=payload.body
        )
        return Delivery.of(answer)


class ForTarget(PushTargetContract):
    config = CONFIG

    def make(self):
        return Target()


class TestPushTarget(ForTarget):
    pass


class Loops(Channel):
    async def send(self, config, message, tools):
        for _ in range(3):
            delivery = await super().send(config, message, tools)
        return delivery


class LoopsOnFailure(Channel):
    async def send(self, config, message, tools):
        for _ in range(2):
            try:
                return await super().send(config, message, tools)
            except Exception:
                logging.getLogger("hook").debug("again")
        return Delivery(ok=False, detail="gave up")


class Waits(Channel):
    async def send(self, config, message, tools):
        await tools.clock.sleep(2)
        return await super().send(config, message, tools)


class SaysNothing(Channel):
    async def send(self, config, message, tools):
        await super().send(config, message, tools)


class Elsewhere(Channel):
    async def send(self, config, message, tools):
        return Delivery(ok=True)


class Pessimist(Channel):
    async def send(self, config, message, tools):
        await super().send(config, message, tools)
        return Delivery(ok=False, detail="who knows")


class Optimist(Channel):
    async def send(self, config, message, tools):
        await super().send(config, message, tools)
        return Delivery(ok=True)


class Raises(Channel):
    async def send(self, config, message, tools):
        delivery = await super().send(config, message, tools)
        if not delivery.ok:
            raise ValueError(delivery.detail)
        return delivery


class ReadsJson(Channel):
    async def send(self, config, message, tools):
        answer = await tools.egress.request("POST", config.url, json=[message.title, message.message])
        if not answer.status < 300:
            return Delivery.of(answer)
        import json

        return Delivery(ok=json.loads(answer.body)["ok"], detail="x")


class Echoes(Channel):
    async def send(self, config, message, tools):
        answer = await tools.egress.request("POST", config.url, json=[message.title, message.message])
        return attrs.evolve(Delivery.of(answer), detail=f"{answer.status} {answer.body.decode()}")


class Logs(Channel):
    async def send(self, config, message, tools):
        logging.getLogger("hook").debug("with %s", config.token)
        return await super().send(config, message, tools)


class Prints(Channel):
    async def send(self, config, message, tools):
        print(config.token)
        return await super().send(config, message, tools)


class Silent(Channel):
    async def send(self, config, message, tools):
        return Delivery.of(await tools.egress.request("POST", config.url, json={"title": message.title}))


def changed(**changes):
    class Changed(Channel):
        async def send(self, config, message, tools):
            return attrs.evolve(await super().send(config, message, tools), **changes)

    return Changed()


def egress(*arguments, **named):
    return FakeEgress().answer(*arguments, **named)


SUITE = ForChannel()


@pytest.mark.parametrize(
    ("test", "broken", "answers", "expected"),
    [
        (
            SUITE.test_success_is_one_request_and_ok,
            Loops(),
            egress(200),
            "exactly one attempt .* made 3: take the loop",
        ),
        (SUITE.test_success_is_one_request_and_ok, Waits(), egress(200), "something waits 2 s"),
        (SUITE.test_success_is_one_request_and_ok, SaysNothing(), egress(200), "must return a Delivery, .* None"),
        (SUITE.test_success_is_one_request_and_ok, Elsewhere(), egress(200), "must send through tools.egress"),
        (SUITE.test_success_is_one_request_and_ok, Pessimist(), egress(200), "took it, and a channel says it did not"),
        (SUITE.test_too_many_requests_says_how_long_to_wait, changed(retry_after=None), egress(), "retry_after=7.0"),
        (SUITE.test_too_many_requests_says_how_long_to_wait, changed(retry=False), egress(), "later, not never"),
        (SUITE.test_gone_is_said, changed(gone=False), egress(), "gone=True"),
        (SUITE.test_title_and_text_arrive, Silent(), egress(), "'81.5' .* nowhere in what was sent"),
    ],
)
async def test_broken_channels(breach, test, broken, answers, expected):
    await breach(test, expected, broken, answers if "success" in test.__name__ else FakeEgress())


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (Optimist(), "answered 500, which is no success"),
        (Raises(), r"send\(\) raised ValueError: HTTP 500; an answer is an answer"),
        (changed(retry=False), "retry=True"),
        (changed(detail=""), "Delivery.detail must say"),
    ],
)
async def test_server_errors(breach, broken, expected):
    await breach(SUITE.test_a_server_error_may_be_tried_again, expected, broken, FakeEgress(), 500)


@pytest.mark.parametrize(("broken", "expected"), [(Optimist(), "answered 404"), (changed(gone=True), "only 410 says")])
async def test_refusals(breach, broken, expected):
    await breach(SUITE.test_a_refusal_is_no_success, expected, broken, FakeEgress(), 404)


async def test_senseless_waits(breach):
    test = SUITE.test_a_senseless_retry_after_is_passed_over
    await breach(test, "makes no sense is None", changed(retry_after=float("inf")), FakeEgress(), "inf")


async def test_no_answer(breach):
    test = SUITE.test_no_answer_is_a_failure_that_may_be_tried_again
    await breach(test, "this one made 2", LoopsOnFailure(), FakeEgress(), "no answer")

    class Shrugs(Careful):
        async def send(self, config, message, tools):
            return attrs.evolve(await super().send(config, message, tools), retry=False)

    await breach(test, "return retry=True", Shrugs(), FakeEgress(), "no answer")


async def test_bodies_that_are_no_json(breach):
    await breach(SUITE.test_odd_bodies_do_no_harm, "raised JSONDecodeError", ReadsJson(), FakeEgress(), 200, b"{not")


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (Echoes(), "Delivery.detail shows a secret"),
        (Logs(), "the log shows a secret"),
        (Prints(), "the log shows a secret"),
    ],
)
async def test_leaks(breach, caplog, capsys, broken, expected):
    await breach(SUITE.test_secrets_stay_out_of_details_and_logs, expected, broken, FakeEgress(), caplog, capsys)


async def test_a_secret_in_repr(breach):
    @attrs.frozen
    class Open:
        url: str = fields.text()
        token: str = fields.secret(repr=True)

    class Shows(Channel):
        config = Open

    await breach(SUITE.test_config_does_not_show_its_secrets, "repr.. of the configuration shows a secret", Shows())


async def test_an_example_without_its_secret(breach):
    class Incomplete(ForChannel):
        config = {"url": "https://hook.example/in", "token": ""}

    @attrs.frozen
    class Lax:
        url: str = fields.text()
        token: str = fields.secret(default="")

    class Fine(Channel):
        config = Lax

    await breach(Incomplete().test_config_does_not_show_its_secrets, "no value for the secret fields .'token'", Fine())


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("name", "My Hook", "is named 'My Hook'"),
        ("name", 5, "must be a str"),
        ("label", "Hook", "must be a Label"),
        ("label", Label(name=" "), "no name for people"),
        ("send", print, "must be an async function"),
    ],
)
async def test_names_and_labels(breach, attribute, value, expected):
    broken = Channel()
    setattr(broken, attribute, value)
    await breach(SUITE.test_it_is_named_and_labelled, expected, broken)


async def test_the_config_class(breach):
    class Plain(Channel):
        config = dict

    await breach(SUITE.test_config_is_an_attrs_class_that_takes_the_example, "must be an attrs class", Plain())


async def test_messages_it_does_not_take(breach):
    class Picky(Channel):
        async def send(self, config, message, tools):
            if len(message.message) > 100:
                return Delivery(ok=False, detail="too long")
            return await super().send(config, message, tools)

    message = OutgoingMessage(id="1", title="t", message="x" * 101)
    await breach(SUITE.test_every_message_is_sent_once, "must cut or escape", Picky(), message=message)
    await breach(SUITE.test_long_and_odd_texts_are_sent_once, "'too long'", Picky(), FakeEgress(), "x" * 200)


async def test_a_push_target_that_changes_the_payload(breach):
    class Strips(Target):
        async def deliver(self, config, payload, tools):
            return await super().deliver(config, PushPayload(body=payload.body.strip()), tools)

    await breach(ForTarget().test_bodies_arrive_as_they_are, "was changed on its way", Strips(), body=b" x ")


async def test_a_push_target_that_loops(breach):
    class Twice(Target):
        async def deliver(self, config, payload, tools):
            await super().deliver(config, payload, tools)
            return await super().deliver(config, payload, tools)

    expected = r"a push target makes exactly one attempt per call of deliver\(\); this one made 2"
    await breach(ForTarget().test_success_is_one_request_and_ok, expected, Twice(), FakeEgress())


async def test_what_lacks_a_method(breach):
    class Half:
        name, label, config = "half", Label(name="Half"), HookConfig

    await breach(SUITE.test_it_satisfies_the_protocol, "has name, label, config and send", Half())
    await breach(ForTarget().test_it_satisfies_the_protocol, "config and deliver", Half())


async def test_make_must_be_overridden():
    with pytest.raises(NotImplementedError, match=r"must override make\(\)"):
        ChannelContract().make()


async def test_a_hanging_fake_counts_who_gave_up():
    egress = FakeEgress().hang()
    task = asyncio.create_task(egress.request("GET", "http://x"))
    await egress.asked.wait()
    task.cancel()
    await asyncio.wait([task])
    assert egress.cancelled == 1
