"""Packets, in whatever pieces they come."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.transport_mqtt import packets
from neomind_plugins.transport_mqtt.packets import Login, Message, Parser, ProtocolError

TEXTS = st.text(max_size=30).filter(lambda text: "\0" not in text)
MESSAGES = st.builds(
    lambda topic, payload, qos, flags, packet_id: Message(topic.encode(), payload, flags | qos << 1, packet_id * qos),
    TEXTS,
    st.binary(max_size=300),
    st.integers(0, 1),
    st.sampled_from([0, packets.RETAIN, packets.DUP]),
    st.integers(1, 65_535),
)


def encoded(message: Message) -> bytes:
    head = len(message.topic).to_bytes(2, "big") + message.topic
    packet_id = message.packet_id.to_bytes(2, "big") if message.flags & packets.QOS_BITS else b""
    return packets.packet(0x30 | message.flags, head + packet_id + (message.payload or b""))


def parsed(pieces, **limits):
    parser, messages, controls = Parser(**limits), [], []
    for piece in pieces:
        parser.feed(piece, messages, controls)
    return messages, controls


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(st.lists(MESSAGES, max_size=8), st.lists(st.integers(0, 5000), max_size=12))
def test_the_pieces_do_not_matter(sent, cuts):
    stream = b"".join(encoded(message) + packets.PING[:0] + b"\xd0\x00" for message in sent)
    messages, controls = parsed(in_pieces(stream, cuts))
    assert messages == sent
    assert [control.kind for control in controls] == [packets.PINGRESP] * len(sent)


@given(st.lists(MESSAGES, min_size=1, max_size=4))
def test_byte_by_byte(sent):
    stream = b"".join(map(encoded, sent))
    assert parsed([bytes((byte,)) for byte in stream])[0] == sent


@given(st.lists(MESSAGES, min_size=1, max_size=5), st.lists(st.integers(0, 5000), max_size=12))
def test_what_is_too_large_is_passed_over_and_what_follows_is_not(sent, cuts):
    messages, _ = parsed(in_pieces(b"".join(map(encoded, sent)), cuts), max_packet=100)
    sizes = [len(encoded(message)) for message in sent]
    for message, got, size in zip(sent, messages, sizes, strict=True):
        small = size <= 102
        assert got == (message if small else message._replace(payload=None))


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_nonsense_is_an_error_or_is_waited_for(data, cuts):
    with contextlib.suppress(ProtocolError, IndexError):
        parsed(in_pieces(data, cuts))


@pytest.mark.parametrize(
    "data",
    [
        b"\x34\x05\x00\x01a\x00\x01",  # QoS 2
        b"\x30\x01\x00",  # too short for a topic
        b"\x30\x03\x00\x05a",  # the topic ends outside
        b"\x32\x04\x00\x01a\x00",  # no room for the packet id
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
    ],
)
def test_malformed_packets(data):
    with pytest.raises(ProtocolError):
        parsed([data])


@given(st.integers(0, 268_435_455))
def test_lengths_round_trip(length):
    digits, rest = bytearray(), length
    while True:
        rest, digit = rest >> 7, rest & 0x7F
        digits.append(digit | (0x80 if rest else 0))
        if not rest:
            break
    assert packets.remaining_length(b"\x30" + bytes(digits), 1) == (length, 1 + len(digits))


def test_a_connect_as_the_specification_has_it():
    login = Login(client_id="a", username="u", password="p", keep_alive_s=10)
    assert packets.connect(login) == b"\x10\x13\x00\x04MQTT\x04\xc0\x00\x0a\x00\x01a\x00\x01u\x00\x01p"
    assert "p'" not in repr(login)


def test_several_acknowledgements_are_one_piece():
    assert packets.pubacks([1, 258]) == b"\x40\x02\x00\x01\x40\x02\x01\x02"
