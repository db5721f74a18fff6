"""What names and passwords may be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neomind_plugins.accounts.errors import InvalidEmail, InvalidUsername, WeakPassword
from neomind_plugins.accounts.rules import (
    check_email,
    check_password,
    check_setup_password,
    clean_username,
    name_key,
)

PLAIN = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=70)
ANY = st.text(max_size=80) | PLAIN
timeless = settings(deadline=None, database=None)
WORDS = st.text(st.characters(categories=["Ll", "Lu", "Lo", "Nd"]), min_size=3, max_size=40)


def cleaned(text: str) -> str | None:
    try:
        return clean_username(text)
    except InvalidUsername:
        return None


@timeless
@given(ANY)
def test_a_name_is_usable_or_refused(text: str) -> None:
    name = cleaned(text)
    if name is None:
        return
    assert name == text.strip() == clean_username(name)
    assert len(name.encode()) >= 3
    assert len(name) <= 64
    assert name.isprintable()
    assert "/" not in name
    assert name_key(name)


@timeless
@given(ANY)
def test_the_key_is_the_same_however_the_name_is_typed(text: str) -> None:
    key = name_key(text)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert name_key(unicodedata.normalize(form, text)) == key
    assert name_key(f"  {text}\t") == key


@timeless
@given(st.text(st.characters(categories=["Lu", "Ll"], max_codepoint=0x24F), min_size=3, max_size=64))
def test_case_does_not_make_another_name(text: str) -> None:
    assert name_key(text.title()) == name_key(text.title().casefold())
    assert name_key("ADA") == name_key("ada")


@timeless
@given(WORDS, WORDS)
def test_names_that_differ_have_keys_that_differ(one: str, other: str) -> None:
    plain = [unicodedata.normalize("NFKC", text).casefold() for text in (one, other)]
    assume(plain[0] != plain[1])
    assume(all(unicodedata.is_normalized("NFKC", text) for text in plain))
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    "name", ["ada", "李雷", "a b", "ä b c", "x" * 64, "Ω" * 64, "o'brien", "a@b.example", "   ada "]
)
def test_names_that_can_be(name: str) -> None:
    assert clean_username(name) == name.strip()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "at least 3"),
        ("   ", "at least 3"),
        ("ab", "at least 3"),
        ("x" * 65, "at most 64"),
        ("x" * 60_000, "at most 64"),
        ("a/b", "slashes"),
        ("ada\n bob", "control"),
        ("ada\x00", "control"),
        ("ad\u200ba", "invisible"),
        ("ad\u202ea", "invisible"),
        ("\u3164\u3164", "invisible"),
        ("ada\ufe0f", "invisible"),
        ("ada\udc80", "invisible"),
    ],
)
def test_names_that_cannot_be(name: str, problem: str) -> None:
    with pytest.raises(InvalidUsername, match=problem):
        clean_username(name)


@timeless
@given(st.text(max_size=12))
def test_six_characters_are_a_password(text: str) -> None:
    if len(text) >= 6:
        check_password(text)
    else:
        with pytest.raises(WeakPassword):
            check_password(text)


@timeless
@given(st.text(st.sampled_from("aZé李19٣ -!"), max_size=14))
def test_the_first_administrators_password_needs_more(text: str) -> None:
    letter, digit = any(char in "aZé李" for char in text), any(char in "19٣" for char in text)
    if len(text) >= 8 and letter and digit:
        check_setup_password(text)
        check_password(text)
    else:
        with pytest.raises(WeakPassword):
            check_setup_password(text)


def test_passwords_have_no_upper_limit() -> None:
    check_setup_password("a1" * 100_000)


@pytest.mark.parametrize("email", ["", "  ", "ada@example.org", " ada.l+x@mail.example.org ", "李@例子.中国"])
def test_addresses_that_can_be(email: str) -> None:
    check_email(email)


@pytest.mark.parametrize(
    "email", ["ada", "@example.org", "ada@", "ada@example", "a b@example.org", "a@b@c.org", "a@b..c"]
)
def test_addresses_that_cannot_be(email: str) -> None:
    with pytest.raises(InvalidEmail):
        check_email(email)


def test_checking_an_address_takes_no_time() -> None:
    with pytest.raises(InvalidEmail):
        check_email("a@" + "a." * 30_000 + "@")
