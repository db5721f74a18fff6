"""Server-sent events and lines, whatever the pieces they arrive in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_sdk.sse import Event, EventReader, LineReader, TooLong


def events(*pieces, **options):
    reader = EventReader(**options)
    return [event for piece in pieces for event in reader.feed(piece)]


def lines(*pieces, **options):
    reader = LineReader(**options)
    return [line for piece in pieces for line in reader.feed(piece)], reader.rest()


def cut(raw, cuts):
    return [raw[a:b] for a, b in pairwise([0, *sorted(cuts), len(raw)])]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"data: a\n\n", [Event(data="a")]),
        (b"data:a\r\rdata:  b\r\n\r\n", [Event(data="a"), Event(data=" b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event(data="a")]),
        (b"event: x\ndata: a\ndata: b\n\ndata: c\n\n", [Event(name="x", data="a\nb"), Event(data="c")]),
        (b": comment\n\nid: 5\nretry: 9\nnonsense\ndata: a\n\n", [Event(data="a")]),
        (b"data\n\n", [Event(data="")]),
        (b"event: x\n\ndata: a\n\n", [Event(data="a")]),
        (b"data: a\n", []),
        (b"data: a", []),
        (b"\n\n\n", []),
        ("data: Grüße 🌍\n\n".encode(), [Event(data="Grüße 🌍")]),
        (b"data: \xff\n\n", [Event(data="\ufffd")]),
        (b'{"error": 1}\n\n', []),
        (b"data: a: b\n\n", [Event(data="a: b")]),
    ],
)
def test_events(raw, found):
    assert events(raw) == found
    assert events(*(raw[at : at + 1] for at in range(len(raw)))) == found


TEXTS = st.text(st.sampled_from("ab: 🌍\n"), max_size=12)


@given(TEXTS, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_however_it_is_cut_the_events_are_the_same(text, end, data):
    whole = f"data: {text}\n\nevent: {text}\ndata: last\n\n".replace("\n", end).encode()
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=10))
    assert events(*cut(whole, cuts)) == events(whole)
    assert events(whole)[-1].data == "last"


@given(st.binary(max_size=40), st.booleans(), st.data())
def test_however_they_are_cut_the_lines_are_the_same(raw, carriage_returns, data):
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=10))
    wanted = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if carriage_returns else raw
    *ended, rest = wanted.split(b"\n")
    assert lines(*cut(raw, cuts), carriage_returns=carriage_returns) == (ended, rest)


@pytest.mark.parametrize("pieces", [[b"a\n" + b"x" * 11], [b"a\n", *[b"x"] * 11], [b"a\n" + b"x" * 11 + b"\nb\n"]])
def test_a_line_has_its_limit_and_what_came_before_counts(pieces):
    reader, seen = LineReader(max_line=10), []
    with pytest.raises(TooLong):
        for piece in pieces:
            for line in reader.feed(piece):
                seen.append(line)
    assert seen == [b"a"]


def test_a_line_of_exactly_the_limit():
    assert lines(b"x" * 10 + b"\n", max_line=10) == ([b"x" * 10], b"")


def test_an_event_of_many_lines_has_the_limit_too():
    with pytest.raises(TooLong):
        events(b"data: xx\n" * 20, max_line=100)
    assert len(events(b"data: xx\n\n" * 20, max_line=100)) == 20
