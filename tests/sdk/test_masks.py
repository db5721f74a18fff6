"""Secrets in configurations: sealed, masked, and in no text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_sdk import ApiError, NotFound, ValidationFailed, fields
from neomind_sdk.kinds import Unusable
from neomind_sdk.masks import MASK, Sealed, has_mask, masked, refuse_masks, scrubbed, structured, texts_of
from neomind_sdk.vault import FILE_NAME, Vault

TEXTS = st.text(min_size=3, max_size=12).filter(lambda text: text != MASK)
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none() | st.just(""),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@attrs.frozen
class Config:
    url: str = attrs.field(validator=attrs.validators.matches_re("https://.*"))
    token: str = fields.secret()


@attrs.frozen
class Kind:
    config: type[Any] = Config
    name: str = "pager"


# ---- sealed ----


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


@pytest.fixture
def sealed(vault: Vault) -> Sealed:
    return Sealed(vault, "house.door")


SECRETS = {"token": "s3cret", "headers": {"x-key": ["a", 1]}, "nothing": None}


def test_what_is_sealed_comes_back(sealed: Sealed) -> None:
    kept = sealed.seal("front", SECRETS)
    assert list(kept) == list(SECRETS)
    assert not any("s3cret" in text for text in kept.values())
    assert sealed.unseal("front", kept) == sealed.known("front", kept) == SECRETS


def test_each_is_for_its_own_sort_thing_and_key(sealed: Sealed, vault: Vault) -> None:
    text = sealed.seal("front", {"token": "s3cret"})["token"]
    assert vault.unseal(text, "house.door:front:token") == '"s3cret"'
    for other, ident, key in (
        (sealed, "back", "token"),
        (sealed, "front", "key"),
        (Sealed(vault, "house.gate"), "front", "token"),
    ):
        with pytest.raises(Unusable, match=r"^its secrets cannot be decrypted \(it was .*\); give them again$"):
            other.unseal(ident, {key: text})
        assert other.known(ident, {key: text}) == {}


def test_another_key_unseals_nothing(sealed: Sealed, tmp_path: Path) -> None:
    kept = sealed.seal("front", SECRETS)
    (tmp_path / FILE_NAME).unlink()
    with pytest.raises(Unusable, match="give them again"):
        Sealed(Vault(tmp_path), "house.door").unseal("front", kept)


# ---- structured ----


def test_an_instance_is_made() -> None:
    assert structured(Kind(), {"url": "https://a", "token": "t"}, []) == Config("https://a", "t")


def test_what_does_not_fit_is_named_without_secrets() -> None:
    with pytest.raises(ValidationFailed) as refused:
        structured(Kind(), {"url": "ftp://s3cret", "token": "s3cret"}, ["s3cret"], "config.")
    assert [row["field"] for row in refused.value.details] == ["config.url"]
    assert "s3cret" not in str(refused.value.details) + refused.value.message
    assert refused.value.__suppress_context__


def test_secrets_are_looked_at_only_when_something_does_not_fit() -> None:
    seen: list[str] = []

    def secrets() -> Any:
        seen.append("looked")
        yield "t"

    structured(Kind(), {"url": "https://a", "token": "t"}, secrets())
    assert seen == []
    with pytest.raises(ValidationFailed):
        structured(Kind(), {"token": "t"}, secrets())
    assert seen == ["looked"]


def raising(error: Exception) -> Kind:
    @attrs.frozen
    class Broken:
        def __attrs_post_init__(self) -> None:
            raise error

    return Kind(Broken)


def test_a_class_that_fails_is_unusable_and_its_own_errors_pass() -> None:
    with pytest.raises(
        Unusable, match=r"^the configuration class of 'pager' cannot be used: ZeroDivisionError$"
    ) as failed:
        structured(raising(ZeroDivisionError("s3cret")), {}, [])
    assert "s3cret" not in str(failed.value)
    with pytest.raises(ApiError) as refused:
        structured(raising(NotFound("THING", "x")), {}, [])
    assert refused.value.code == "THING_NOT_FOUND"


# ---- masks ----


@given(value=VALUES)
def test_a_mask_hides_every_text_and_keeps_the_shape(value: Any) -> None:
    shown = masked(value)
    assert set(texts_of([shown])) <= {MASK}
    assert len(list(texts_of([shown]))) == len(list(texts_of([value])))
    assert masked(shown) == shown
    assert has_mask(shown) == bool(list(texts_of([value])))


@pytest.mark.parametrize(("value", "shown"), [(None, None), ("", ""), (0, MASK), ((1, {"a": ""}), [MASK, {"a": ""}])])
def test_nothing_stays_nothing(value: Any, shown: Any) -> None:
    assert masked(value) == shown


@pytest.mark.parametrize("mask", [MASK, {"a": {"b": MASK}}, ["x", [MASK]]])
def test_a_mask_never_becomes_the_secret(mask: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        refuse_masks({"token": mask, "key": "fine"}, "config.")
    assert refused.value.details == [
        {"field": "config.token", "message": "is the mask, and there is no secret that it stands for"}
    ]


@given(secrets=st.dictionaries(st.sampled_from("abc"), VALUES))
def test_what_is_no_mask_is_not_refused(secrets: Any) -> None:
    refuse_masks(secrets)


@given(secrets=st.lists(st.text("abc01", min_size=3, max_size=9), min_size=1, max_size=3), around=st.text(max_size=5))
def test_what_is_said_holds_no_secret(secrets: list[str], around: str) -> None:
    text = scrubbed("|".join([around, *secrets, around]), secrets)
    assert not any(secret in text.replace(MASK, "|") for secret in secrets)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("https://a/?key=a%2Fb%20c", "a/b c"),
        ("https://a/a/b%20c", "a/b c"),
        ("refused 'key'", " key\n"),
    ],
)
def test_a_secret_is_found_as_it_stands_in_addresses_and_without_blanks(text: str, secret: str) -> None:
    assert MASK in scrubbed(text, [secret])
    assert scrubbed("another text", [secret, "", "  "]) == "another text"
