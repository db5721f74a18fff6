"""The fake behaves like the real one where a plugin can tell the difference."""

from __future__ import annotations

import pytest

from neomind_core.contracts import ADMIN_TARGET, Egress, EgressBlocked, EgressFailed
from neomind_sdk.testing.egress import FakeEgress


@pytest.fixture
def egress():
    return FakeEgress()


def test_it_satisfies_the_contract(egress):
    assert isinstance(egress, Egress)


async def test_requests_are_recorded(egress):
    headers = {"X-Name": "1"}
    await egress.request("post", "http://x/a", trust=ADMIN_TARGET, headers=headers, json={"é": 1}, timeout_s=3)
    sent = egress.requests[0]
    assert (sent.method, sent.url, sent.trust, sent.timeout_s) == ("POST", "http://x/a", ADMIN_TARGET, 3)
    assert sent.headers == {"x-name": "1", "content-type": "application/json"}
    assert (sent.body, sent.json()) == ('{"é": 1}'.encode(), {"é": 1})


async def test_content_goes_out_as_it_is(egress):
    await egress.request("PUT", "http://x", content=b"\x00\xff")
    assert (egress.requests[0].body, egress.requests[0].trust) == (b"\x00\xff", "untrusted")


async def test_answers_come_in_order_and_the_last_one_stays(egress):
    egress.answer(500, body="no").answer(429, headers={"Retry-After": "1"}).answer(json={"ok": True})
    answers = [await egress.request("GET", "http://x") for _ in range(4)]
    assert [answer.status for answer in answers] == [500, 429, 200, 200]
    assert (answers[0].body, answers[1].headers, answers[3].body) == (b"no", {"retry-after": "1"}, b'{"ok": true}')


async def test_unscripted_it_answers_200(egress):
    answer = await egress.request("GET", "http://x")
    assert (answer.status, answer.headers, answer.body) == (200, {}, b"")


async def test_failures(egress):
    egress.fail("nobody there").fail(EgressFailed("later"))
    for text in ("nobody there", "later"):
        with pytest.raises(EgressFailed, match=text):
            await egress.request("GET", "http://x")
    assert len(egress.requests) == 2


async def test_the_cap_holds(egress):
    egress.answer(body=b"x" * 11)
    with pytest.raises(EgressFailed, match="more than 10 bytes"):
        await egress.request("GET", "http://x", max_bytes=10)


async def test_blocked_urls(egress):
    egress.block("http://10.")
    with pytest.raises(EgressBlocked):
        await egress.check("http://10.0.0.1/")
    with pytest.raises(EgressBlocked):
        await egress.request("GET", "http://10.0.0.1/")
    await egress.check("http://1.1.1.1/")
    assert (egress.requests, egress.checked) == ([], ["http://10.0.0.1/", "http://1.1.1.1/"])


async def test_streams(egress):
    egress.answer(201, chunks=[b"a", b"b"]).answer(body="whole")
    async with egress.stream("POST", "http://x", json=[1]) as stream:
        assert (stream.status, [piece async for piece in stream.chunks()]) == (201, [b"a", b"b"])
    async with egress.stream("GET", "http://x") as stream:
        assert [piece async for piece in stream.chunks()] == [b"whole"]
    assert egress.requests[0].json() == [1]


async def test_failing_streams(egress):
    egress.fail()
    with pytest.raises(EgressFailed):
        async with egress.stream("GET", "http://x"):
            raise AssertionError("the stream was opened")
