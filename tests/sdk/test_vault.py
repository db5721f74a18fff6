"""Secrets at rest."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_sdk.vault import FILE_NAME, CannotUnseal, Vault, VaultUnusable


def test_making_one_touches_no_file(tmp_path: Path) -> None:
    Vault(tmp_path / "deep")
    assert list(tmp_path.iterdir()) == []


def test_what_is_sealed_comes_back(tmp_path: Path) -> None:
    vault = Vault(tmp_path)

    @given(text=st.text(st.characters(exclude_categories=["Cs"])), purpose=st.text("abc:"))
    def check(text: str, purpose: str) -> None:
        sealed = vault.seal(text, purpose)
        assert sealed.isascii()
        assert vault.unseal(sealed, purpose) == text
        assert vault.seal(text, purpose) != sealed

    check()


def test_another_platform_start_has_the_same_key(tmp_path: Path) -> None:
    sealed = Vault(tmp_path).seal("secret", "a")
    assert "secret" not in sealed
    assert Vault(tmp_path).unseal(sealed, "a") == "secret"
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_nothing_else_unseals(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "one")
    sealed = vault.seal("secret", "a")
    changed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    for text, purpose in [(sealed, "b"), (changed, "a"), ("", "a"), ("v1.", "a"), ("é", "a"), ("v1.abc", "a")]:
        with pytest.raises(CannotUnseal):
            vault.unseal(text, purpose)
    with pytest.raises(CannotUnseal):
        Vault(tmp_path / "two").unseal(sealed, "a")


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "00" * 33, "é"])
def test_a_file_that_is_no_key_is_never_overwritten(tmp_path: Path, content: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(content, encoding="utf-8")
    with pytest.raises(VaultUnusable):
        Vault(tmp_path).load()
    assert path.read_text(encoding="utf-8") == content


def test_who_comes_at_the_same_time_gets_the_same_key(tmp_path: Path) -> None:
    vaults = [Vault(tmp_path) for _ in range(8)]
    threads = [threading.Thread(target=vault.load) for vault in vaults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = vaults[0].seal("secret")
    assert {vault.unseal(sealed) for vault in vaults} == {"secret"}


def test_a_key_that_others_may_read_is_closed(tmp_path: Path) -> None:
    Vault(tmp_path).load()
    (tmp_path / FILE_NAME).chmod(0o644)
    Vault(tmp_path).load()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
