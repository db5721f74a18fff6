"""What is committed speaks of the project alone: no place on somebody's machine, no settings of somebody's network."""

import re
import subprocess
from pathlib import Path

import pytest

SKIPPED = {".git", ".tox", ".venv", "build", "dist", "__pycache__", "_build", "generated", "data"}
TEXT = {
    ".py",
    ".md",
    ".cfg",
    ".toml",
    ".ini",
    ".txt",
    ".js",
    ".json",
    ".rst",
    ".yml",
    ".yaml",
    ".sh",
    ".css",
    ".html",
    "",
}
# Homes and work trees of people and machines; /tmp and /var are everybody's.
PLACE = re.compile(r"(?<![\w./:-])/(?:home|Users|root|work|workspace|workspaces|builds?)/[\w.-]+")
NETWORK = re.compile(
    r"\b(?:extra-index-url|index-url|trusted-host|find-links|PIP_[A-Z_]+|UV_[A-Z_]+)\b\s*[=:]", re.IGNORECASE
)
PRIVATE_KEY = re.compile("-----BEGIN " + r"[A-Z ]*PRIVATE KEY-----")
RULES = [PLACE, NETWORK, PRIVATE_KEY]


def files(root):
    """What git knows or would add; without git, what is there."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found = [root / line for line in done.stdout.splitlines()]
    else:
        found = [path for path in root.rglob("*") if not SKIPPED & set(path.relative_to(root).parts)]
    return [path for path in sorted(found) if path.is_file() and path.suffix in TEXT]


def leaks(text):
    return [match[0] for rule in RULES for match in rule.finditer(text)]


def test_nothing_leaks(house):
    this = Path(__file__)
    found = {str(path): leaks(path.read_text(encoding="utf-8")) for path in files(house.root) if path != this}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_there_is_something_to_look_at(house):
    names = {path.name for path in files(house.root)}
    assert {"setup.cfg", "README.md", "tox.ini", "hookspecs.py", "run"} <= names


@pytest.mark.parametrize(
    "text",
    ["see /home/anna/neomind", "open('/work/main/x')", "/root/.cache", "pip: index-url = https://x", "PIP_CERT=/x"],
)
def test_a_leak_is_noticed(text):
    assert leaks(text)


@pytest.mark.parametrize(
    "text", ["/api/home/x", "https://a.example/root/x", "/tmp/x", "./work/x", "root/x", "GET /work"]
)
def test_a_path_of_the_api_is_none(text):
    assert leaks(text) == []
