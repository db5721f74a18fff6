"""The key that tokens are signed with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.accounts.jwt_secret import FILE_NAME, SecretUnusable, load_secret

ENVIRONMENT = "NEOMIND_JWT_SECRET"
GIVEN = "0123456789abcdef0123456789abcdef"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_it_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        secret = load_secret(tmp_path / "data")
    finally:
        os.umask(old)
    path = tmp_path / "data" / FILE_NAME
    assert mode(path) == 0o600
    assert path.read_bytes() == secret
    assert len(secret) >= 32
    assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]
    assert load_secret(tmp_path / "data") == secret
    assert load_secret(tmp_path / "other") != secret


def test_the_rights_of_a_file_that_is_there_are_put_right(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(f"{GIVEN}\n")
    path.chmod(0o644)
    assert load_secret(tmp_path) == GIVEN.encode()
    assert mode(path) == 0o600


@pytest.mark.parametrize("text", ["", "\n", "short", " " * 40])
def test_a_broken_file_is_not_replaced(tmp_path: Path, text: str) -> None:
    """All tokens would end without a word; who wants that deletes the file."""
    path = tmp_path / FILE_NAME
    path.write_text(text)
    with pytest.raises(SecretUnusable, match=r"\.jwt_secret: the key for tokens must have at least 32 bytes"):
        load_secret(tmp_path)
    assert path.read_text() == text


def test_the_environment_wins_and_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, f" {GIVEN}\n")
    assert load_secret(tmp_path) == GIVEN.encode()
    assert list(tmp_path.iterdir()) == []


def test_any_bytes_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, os.fsdecode(b"\xff\xfe" * 16))
    assert load_secret(tmp_path) == b"\xff\xfe" * 16


def test_a_short_key_is_refused_without_being_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "hunter2")
    with pytest.raises(SecretUnusable, match=f"^{ENVIRONMENT}: the key .* at least 32 bytes, it has 7$") as refused:
        load_secret(tmp_path)
    assert "hunter2" not in str(refused.value)


def test_a_blank_variable_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "  ")
    load_secret(tmp_path)
    assert (tmp_path / FILE_NAME).exists()


def test_who_comes_second_keeps_the_firsts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(self: Path, target: Any) -> None:
        self.write_text(GIVEN)
        raise FileExistsError

    monkeypatch.setattr(Path, "hardlink_to", link)
    assert load_secret(tmp_path) == GIVEN.encode()
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_file_systems_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(self: Path, target: Any) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", link)
    secret = load_secret(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
    assert mode(tmp_path / FILE_NAME) == 0o600
    assert load_secret(tmp_path) == secret
