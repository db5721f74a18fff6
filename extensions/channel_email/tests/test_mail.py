"""The letter: what is in it, that nothing from outside gets into headers or markup, and the checks of addresses."""

from __future__ import annotations

from email import message_from_bytes, policy
from html.parser import HTMLParser

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neomind_channel_email import hooks
from neomind_channel_email.hooks import EmailConfig
from neomind_channel_email.mail import letter, mailbox
from neomind_sdk import OutgoingMessage
from neomind_sdk.testing import strategies

MESSAGE = OutgoingMessage(
    id="m",
    title="Boiler too hot",
    message="81.5 °C\nand rising",
    severity="critical",
    source="rule:1",
    ts_ms=1_700_000_000_000,
)
HEADERS = {"subject", "from", "to", "date", "message-id", "auto-submitted", "mime-version", "content-type"}


def arrived(message, recipients=("ops@example.com",)):
    raw = letter(message, "NeoMind <neomind@example.com>", list(recipients), "msg_2Yk3", 1_700_000_100_000).as_bytes()
    return message_from_bytes(raw, policy=policy.default)


def body_of(mail, kind="plain"):
    return mail.get_body([kind]).get_content().replace("\r\n", "\n")


def text_of(html):
    class Reader(HTMLParser):
        text, tags = "", []

        def handle_starttag(self, tag, attrs):
            self.tags = [*self.tags, tag]

        def handle_data(self, data):
            self.text += data

    reader = Reader(convert_charrefs=True)
    reader.feed(html)
    reader.close()
    return reader.text, reader.tags


def test_the_letter():
    mail = arrived(MESSAGE, ["ops@example.com", "Anna Müller <anna@example.com>"])
    assert mail["subject"] == "[Critical] Boiler too hot"
    assert mail["from"] == "NeoMind <neomind@example.com>"
    assert [one.addr_spec for one in mail["to"].addresses] == ["ops@example.com", "anna@example.com"]
    assert mail["to"].addresses[1].display_name == "Anna Müller"
    assert mail["date"].datetime.timestamp() == 1_700_000_100
    assert mail["message-id"] == "<msg_2Yk3@example.com>"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert body_of(mail, "plain") == "Boiler too hot\n\n81.5 °C\nand rising\n"
    text, _ = text_of(body_of(mail, "html"))
    for part in ("Boiler too hot", "CRITICAL", "2023-11-14 22:13:20 UTC", "rule:1", "81.5 °C\nand rising"):
        assert part in text


@pytest.mark.parametrize(
    "line", ["\r\nBcc: eve@example.com", "\nBcc: eve@example.com\n\nbody", "\rX: y", "\x0bX: y", "\u2028X: y"]
)
def test_a_title_is_one_header(line):
    mail = arrived(attrs.evolve(MESSAGE, title=f"t{line}"))
    assert {name.lower() for name in mail} == HEADERS
    assert mail["subject"].startswith("[Critical] t ")


def test_markup_is_escaped_everywhere():
    evil = '</div><script src="//x"></script>{color}&amp;'
    html = body_of(arrived(attrs.evolve(MESSAGE, title=evil, message=evil, source=evil)), "html")
    text, tags = text_of(html)
    assert text.count(evil) == 3
    assert tags == text_of(body_of(arrived(MESSAGE), "html"))[1]


@settings(deadline=None)
@given(message=strategies.messages())
def test_every_message_is_a_letter(message):
    mail = arrived(message)
    assert {name.lower() for name in mail} == HEADERS
    assert len(mail["subject"]) <= 200
    assert mail.defects == []
    text_of(body_of(mail, "html"))


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=500))
def test_texts_arrive_as_they_are(text):
    assert body_of(arrived(attrs.evolve(MESSAGE, message=text)), "plain").endswith(f"\n\n{text}\n")


@pytest.mark.parametrize(
    "text", ["a@b", "a.b+c@x.example", "A B <a@b.example>", '"A, B" <a@b.example>', " <a@b> ", "a@münchen.example"]
)
def test_addresses(text):
    assert "@" in mailbox(text).addr_spec
    assert mailbox(text).addr_spec.partition("@")[2].isascii()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c",
        "a@b@c",
        "a@b,c@d",
        "<a@b",
        "a@b>",
        "A <a@b> B",
        "a@b\r\nBcc: c@d",
        "a@b\x00",
        "A\nB <a@b>",
        *["a@b c", "a@-", "a@" + "x" * 300, "A <a@b>, C <c@d>", "a@b..c"],
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="must"):
        mailbox(text)


@pytest.mark.parametrize(
    "values",
    [
        {"smtp_server": ""},
        {"smtp_server": "a b"},
        {"smtp_server": "a\r\nb"},
        {"smtp_port": 0},
        {"smtp_port": "65536"},
        {"smtp_port": "25x"},
        {"smtp_port": "-1"},
        {"from_address": "nobody"},
        {"recipients": ["ops@example.com", "nobody"]},
        {"recipients": ["ops@example.com"] * 101},
    ],
)
def test_config_is_checked(values):
    good = {"smtp_server": "mail.example", "smtp_port": "587", "from_address": "a@b.example"}
    assert EmailConfig(**good).username == ""
    with pytest.raises(ValueError):
        EmailConfig(**{**good, **values})


def test_the_hook_returns_the_channel():
    assert [channel.name for channel in hooks.neomind_channels(None)] == ["email"]
