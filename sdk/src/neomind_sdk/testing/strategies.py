"""Hypothesis strategies for what comes in from outside."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from neomind_core.contracts import SEVERITIES, Credentials, OutgoingMessage, Point

INT64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
# Any text that survives databases and logs: no NUL, no unpaired surrogate.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
EPOCH_MS = st.integers(min_value=0, max_value=4_102_444_800_000)  # until the year 2100


def json_values(max_leaves: int = 20) -> st.SearchStrategy[Any]:
    """Anything that strict JSON can say: 64-bit integers, finite numbers, clean text, nested at most a few levels."""
    leaves = st.none() | st.booleans() | INT64 | FINITE | TEXT
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
        max_leaves=max_leaves,
    )


def json_objects(max_leaves: int = 20) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects."""
    return st.dictionaries(TEXT, json_values(max_leaves), max_size=8)


def ids() -> st.SearchStrategy[str]:
    """Ids as devices choose them: letters, digits, ``-``, ``_``, ``.`` and ``:``, 1 to 64 characters."""
    return st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", fullmatch=True)


def metric_names() -> st.SearchStrategy[str]:
    """Names of metrics: a path of identifiers."""
    return st.from_regex(r"[a-z][a-z0-9_]{0,15}(\.[a-z][a-z0-9_]{0,15}){0,2}", fullmatch=True)


def metric_values() -> st.SearchStrategy[Any]:
    """What a sample may hold: everything of JSON but ``null``."""
    return json_values(8).filter(lambda value: value is not None)


def points(source: str = "device:test") -> st.SearchStrategy[Point]:
    """Points of a few series of one source."""
    series = st.sampled_from(["temperature", "humidity", "state"]).map(lambda metric: f"{source}:{metric}")
    quality = st.none() | st.floats(min_value=0, max_value=1)
    return st.builds(Point, series=series, ts_ms=EPOCH_MS, value=metric_values(), quality=quality)


def messages() -> st.SearchStrategy[OutgoingMessage]:
    """Messages as channels get them, from one character to very long, in all scripts."""
    return st.builds(
        OutgoingMessage,
        id=st.uuids().map(str),
        title=TEXT.filter(lambda text: bool(text.strip())),
        message=TEXT | TEXT.map(lambda text: (text or "long ") * 2000),
        severity=st.sampled_from(SEVERITIES),
        category=st.sampled_from(("alert", "system", "business")),
        source=TEXT,
        ts_ms=EPOCH_MS,
        metadata=json_values(5),
        tags=st.lists(TEXT, max_size=3).map(tuple),
        test=st.booleans(),
    )


def credentials() -> st.SearchStrategy[Credentials]:
    """Credentials nobody issued: odd bearers, headers and queries."""
    # What a server hands over of a header is any Latin-1 text.
    raw = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=60)
    tokens = raw | st.from_regex(r"[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}", fullmatch=True)
    names = st.sampled_from(("authorization", "x-api-key", "cookie", "host", "x-forwarded-for")) | raw.map(str.lower)
    pairs = st.dictionaries(names, tokens, max_size=4)
    queries = st.dictionaries(st.sampled_from(("token", "api_key", "key")) | TEXT, tokens | TEXT, max_size=3)
    return st.builds(Credentials, bearer=st.none() | tokens, headers=pairs, query=queries, client=st.just("192.0.2.1"))
