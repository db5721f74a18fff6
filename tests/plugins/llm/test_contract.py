"""What every plugin must keep to, and what holds for any configuration."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.llm import hooks
from neomind_plugins.llm.merging import merged
from neomind_sdk import LanguageModels, ValidationFailed
from neomind_sdk.masks import MASK, masked
from neomind_sdk.testing.suites import (
    FromHook,
    HealthContract,
    JobContract,
    RouteContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)

from .conftest import Lab


@pytest.fixture
def context(lab: Lab) -> Any:
    return lab.host.context("llm")


class TestRoutes(FromHook, RouteContract):
    hook = hooks.neomind_routes


class TestTables(FromHook, TablesContract):
    hook = hooks.neomind_tables


class TestSettings(FromHook, SettingsContract):
    hook = hooks.neomind_settings


class TestJobs(FromHook, JobContract):
    hook = hooks.neomind_jobs


class TestHealth(FromHook, HealthContract):
    hook = hooks.neomind_health


class TestServices(FromHook, ServiceContract):
    hook = hooks.neomind_services


async def test_the_service_is_that_of_the_contract(lab: Lab) -> None:
    assert isinstance(lab.models, LanguageModels)


# ---- any configuration ----

NAMES = ("api_key", "token", "headers")
TEXTS = st.text(min_size=3, max_size=12).filter(lambda text: text.strip() not in ("", MASK))
SECRETS = st.dictionaries(st.sampled_from(NAMES[:2]), TEXTS) | st.fixed_dictionaries(
    {"headers": st.dictionaries(st.sampled_from("abc"), TEXTS, min_size=1)}
)
PLAIN = st.dictionaries(st.sampled_from(("endpoint", "model", "region")), st.text() | st.integers())
CHANGES = st.dictionaries(st.sampled_from(("endpoint", "region")), st.text() | st.none())


@given(config=PLAIN, secrets=SECRETS)
def test_what_is_shown_and_comes_back_changes_nothing(config: Any, secrets: Any) -> None:
    shown = {**config, **{key: masked(value) for key, value in secrets.items()}}
    assert merged(NAMES, config, secrets, shown) == (config, secrets)


@given(config=PLAIN, secrets=SECRETS, blank=st.sampled_from(["", " ", None, MASK, f" {MASK} "]), change=CHANGES)
def test_a_blank_secret_stays(config: Any, secrets: Any, blank: Any, change: Any) -> None:
    after, hidden = merged(NAMES, config, secrets, {**change, **dict.fromkeys(secrets, blank)})
    assert hidden == secrets
    assert after == {key: value for key, value in {**config, **change}.items() if value is not None}
    assert not set(after) & set(NAMES)


@given(secrets=SECRETS, new=SECRETS)
def test_a_secret_that_is_given_is_the_secret(secrets: Any, new: Any) -> None:
    assert merged(NAMES, {}, secrets, new)[1] == {**secrets, **new}


@given(key=st.sampled_from(NAMES), mask=st.sampled_from([MASK, f" {MASK}", {"a": MASK}]))
def test_a_mask_never_becomes_the_secret(key: str, mask: Any) -> None:
    with pytest.raises(ValidationFailed):
        merged(NAMES, {}, {}, {key: mask})
