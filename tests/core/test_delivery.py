"""What an HTTP answer says about a delivery, and what a configuration shows of its secrets."""

from __future__ import annotations

import attrs
import pytest

from neomind_core.contracts import Delivery, HttpAnswer, fields


@pytest.mark.parametrize(
    ("status", "ok", "retry", "gone"),
    [
        (200, True, False, False),
        (204, True, False, False),
        (302, False, False, False),
        (400, False, False, False),
        (404, False, False, False),
        (408, False, True, False),
        (410, False, False, True),
        (425, False, True, False),
        (429, False, True, False),
        (500, False, True, False),
        (503, False, True, False),
    ],
)
def test_statuses(status, ok, retry, gone):
    delivery = Delivery.of(HttpAnswer(status=status, headers={}, body=b"secret"))
    assert (delivery.ok, delivery.retry, delivery.gone) == (ok, retry, gone)
    assert (delivery.detail, delivery.retry_after) == (f"HTTP {status}", None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("9" * 400, None),
    ],
)
def test_retry_after(text, seconds):
    assert Delivery.of(HttpAnswer(status=429, headers={"retry-after": text}, body=b"")).retry_after == seconds


@attrs.frozen
class Config:
    url: str = fields.text()
    token: str | None = fields.secret(default=None)


def test_repr_masks_secrets():
    assert repr(Config("http://x", "t0ken")) == "Config(url='http://x', token='***')"
    assert repr(Config("http://x")) == "Config(url='http://x', token=None)"
