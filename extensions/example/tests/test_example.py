"""The contract suites check what every channel, component, command and action must do; the rest is our own."""

from __future__ import annotations

import json

import pytest

from neomind_example import hooks
from neomind_example.announce import AnnounceAction, Announcement
from neomind_example.component import BIG_NUMBER
from neomind_example.dice import ROLL
from neomind_example.pager import PagerChannel
from neomind_sdk.testing.suites import ChannelContract, CommandContract, DashboardComponentContract, RuleActionContract


class Recorder:
    """An event bus with nobody on it."""

    def __init__(self):
        self.events = []

    def publish(self, event):
        self.events.append(event)
        return len(self.events)


class TestPager(ChannelContract):
    config = {"url": "https://pager.example/messages", "token": "k3y-of-the-pager"}

    def make(self):
        return PagerChannel()

    async def test_what_is_sent(self, subject, egress):
        await self.attempt(subject, egress)
        sent = egress.requests[0]
        assert (sent.method, sent.url, sent.trust) == ("POST", "https://pager.example/messages", "admin")
        assert sent.headers["authorization"] == "Bearer k3y-of-the-pager"
        assert sent.json() == {"title": "Boiler too hot", "text": "Temperature is 81.5 °C", "urgent": False}

    @pytest.mark.parametrize("url", ["", "pager.example", "ftp://pager.example/"])
    def test_the_url_is_checked(self, subject, url):
        with pytest.raises(ValueError, match="must"):
            subject.config(url=url, token="t")


class TestBigNumber(DashboardComponentContract):
    def make(self):
        return BIG_NUMBER


class TestRoll(CommandContract):
    arguments = {"roll": {"count": 3, "sides": 20}}
    refused = {"roll": {"count": 0}}

    def make(self):
        return ROLL

    async def test_the_eyes_add_up(self, subject):
        rolled = await subject.run({"count": 50, "sides": 2}, None)
        assert set(rolled["eyes"]) <= {1, 2}
        assert rolled["total"] == sum(rolled["eyes"])


class TestAnnounce(RuleActionContract):
    params = {"text": "Too hot"}

    def make(self):
        return AnnounceAction(Recorder())

    async def test_the_event_says_what_caused_it(self):
        bus = Recorder()
        await AnnounceAction(bus).run(Announcement(text="Too hot"), self.firing(hops=2))
        event = bus.events[0]
        assert (event.custom_type, event.cause, event.hops) == ("announcement", "rule:r-1", 3)
        assert json.dumps(event.data) == '{"text": "Too hot", "rule": "Too hot", "test": false}'


def test_every_hook_returns_one_object():
    class Context:
        bus = Recorder()

    found = [getattr(hooks, name)(Context()) for name in dir(hooks) if name.startswith("neomind_")]
    assert [len(items) for items in found] == [1, 1, 1, 1]
