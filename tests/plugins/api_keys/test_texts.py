"""The text of keys."""

from __future__ import annotations

import re

import pytest

from neomind_plugins.api_keys import texts


def test_keys_are_random_and_well_formed() -> None:
    made = {texts.make() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("nmk_[0-9a-f]{32}", text) for text in made)


def test_the_hash_takes_any_text() -> None:
    assert re.fullmatch("[0-9a-f]{64}", texts.digest("nmk_é\ud800\x00"))
    assert texts.digest("a") != texts.digest("b")


def test_a_preview_is_never_much_of_the_key() -> None:
    assert texts.preview("nmk_0123456789abcdef0123456789abcdef") == "nmk_0123..."
    assert texts.preview("0123456789abcdef") == "0123..."


@pytest.mark.parametrize("given", ["x" * 16, "x" * 256, "nmk_" + "0" * 32, "!#$%&'()*+,-./:;<=>?@"])
def test_given_keys_that_can_be_sent(given: str) -> None:
    assert texts.problem_of(given) is None


@pytest.mark.parametrize("given", ["x" * 15, "x" * 257, "with a blank in it", "schlüssel-zum-haus", "x" * 16 + "\n"])
def test_given_keys_that_cannot_be_are_not_repeated(given: str) -> None:
    problem = texts.problem_of(given)
    assert problem
    assert given not in problem
