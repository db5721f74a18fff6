"""Logs: secrets never appear, whatever they are wrapped in."""

from __future__ import annotations

import io
import json
import logging
import sys

import attrs
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from neomind_core.host import logs
from neomind_core.host.config import LogConfig

SECRET = "hunter2-correct-horse"
KEYS = [
    "password", "new_password", "passwd", "PASSWORD", "secret", "client_secret", "token", "access_token", "bot_token",
    "apiKey", "api_key", "X-API-Key", "apikey", "Authorization", "cookie", "Set-Cookie", "credentials", "private_key",
    "passphrase",
]  # fmt: skip
TOKENS = [
    "nmk_0123456789abcdef0123456789abcdef",
    "ds_0123456789abcdef0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJlLXNpZw",
]
TEXTS = [*TOKENS, "http://user:hunter2@host/x", "/api/events?token=hunter2", "/x?a=1&api_key=hunter2&b=2"]

plain = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
guarded = st.dictionaries(
    st.sampled_from(KEYS), st.just(SECRET) | st.just([SECRET]) | st.just({"x": SECRET}), min_size=1
)
values = st.recursive(
    plain | guarded,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def redacted(**event):
    return logs.redact(None, "info", event)


@given(values)
def test_what_is_under_a_secrets_name_never_appears(value):
    assert SECRET not in repr(redacted(event="x", value=value))


@given(st.sampled_from(KEYS), st.sampled_from([SECRET, [SECRET], {"a": SECRET}, 12345]))
def test_at_the_top_level(key, value):
    assert redacted(**{key: value}) == {key: "***"}


@given(
    st.sampled_from(TOKENS),
    st.text(alphabet=" :\"'=,;()", max_size=5),
    st.sampled_from([str, lambda t: [t], lambda t: (t,), lambda t: {t}, lambda t: {"a": {"b": t}}, lambda t: {t: 1}]),
)
def test_tokens_in_texts_are_masked(token, around, wrap):
    found = redacted(event=f"seen {token}", value=wrap(f"x{around}{token}{around}y"))
    assert token not in repr(found)
    assert "***" in found["event"]


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text):
    found = redacted(event=text)["event"]
    assert "***" in found
    assert "hunter2" not in found


def test_what_is_harmless_stays():
    event = {"event": "device_created", "device_id": "d1", "count": 3, "ok": True, "none": None, "list": [1, "a"]}
    assert redacted(**event) == event
    assert redacted(token=None) == {"token": None}, "that there is none may be said"
    assert redacted(url="http://host:8080/path@2") == {"url": "http://host:8080/path@2"}


@attrs.frozen
class Thing:
    name: str


class Unprintable:
    def __repr__(self):
        raise ValueError("no")


def test_objects_are_looked_at_as_they_will_be_written():
    assert redacted(value=Thing(TOKENS[0]))["value"] == "Thing(name='***')"
    assert redacted(value=ValueError(TOKENS[0]))["value"] == "ValueError('***')"
    assert "***" in redacted(value=TOKENS[0].encode())["value"]
    assert "Unprintable" in redacted(value=Unprintable())["value"]


@pytest.fixture
def lines(monkeypatch):
    """What was logged, as it would stand on stderr."""
    stream = io.StringIO()
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level

    def read(**config):
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure(LogConfig(**config))
        return stream

    yield read
    structlog.configure(**before)
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("style", ["json", "console"])
def test_one_line_an_event_and_no_secret(lines, style):
    stream = lines(format=style)
    log = logs.logger("greeter")
    log.info("logged_in", password=SECRET, user="ada", note=TOKENS[0])
    logging.getLogger("library").warning("calling %s", TEXTS[4])
    text = stream.getvalue()
    assert len(text.splitlines()) == 2
    assert "ada" in text
    assert "greeter" in text
    assert not [secret for secret in (SECRET, TOKENS[0], "hunter2") if secret in text]


def test_json_is_json(lines):
    stream = lines(format="json")
    logs.logger("greeter").warning("näh", size=3)
    logging.getLogger("library").warning("plain")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["level"], first["plugin"], first["size"]) == ("näh", "warning", "greeter", 3)
    assert "timestamp" in first
    assert second["event"] == "plain"


@pytest.mark.parametrize("style", ["json", "console"])
def test_tracebacks_are_masked_too(lines, style):
    stream = lines(format=style)
    try:
        raise ValueError(f"cannot log in with {TOKENS[2]}")
    except ValueError as error:
        logs.logger("x").error("failed", exc_info=error)
        logging.getLogger("library").exception("failed")
    text = stream.getvalue()
    assert TOKENS[2] not in text
    assert text.count("cannot log in with ***") >= 2


def test_the_level(lines):
    stream = lines(format="json", level="warning")
    logs.logger("x").info("quiet")
    logging.getLogger("library").info("quiet")
    assert stream.getvalue() == ""
