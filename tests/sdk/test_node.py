"""A process keeps its name over restarts and shares it with nobody."""

from __future__ import annotations

from pathlib import Path

from neomind_sdk.node import Node


def test_a_node_keeps_its_name_and_shares_it_with_nobody(tmp_path: Path) -> None:
    first, twin = Node(tmp_path / "x"), Node(tmp_path / "x")
    name = first.open()
    assert twin.open() != name
    first.close()
    twin.close()
    again = Node(tmp_path / "x")
    assert again.open() == name
    again.close()
    (tmp_path / "x" / "node").write_bytes(b"\xff\xfe broken, and longer than a name")
    mended = Node(tmp_path / "x")
    name = mended.open()
    assert len(name) == 16
    mended.close()
    assert mended.open() == name
    mended.close()


def test_a_node_without_a_directory_has_a_name_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(Node(tmp_path / "file" / "x").open()) == 16
