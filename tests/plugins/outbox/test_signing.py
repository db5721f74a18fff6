"""Signatures as Standard Webhooks describes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_sdk import SendTools
from neomind_sdk.signing import KEPT, check_secret, new_secret, rotated, sign, signed, verify

# The example of the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT_S, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

ids = st.text(alphabet="abcXYZ019_", min_size=1, max_size=40)
times = st.integers(min_value=0, max_value=2**40)
keys = st.binary(min_size=24, max_size=64)


def as_secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_the_documented_example() -> None:
    assert sign(SECRET, ID, AT_S, BODY) == SIGNATURE
    assert sign([SECRET.removeprefix("whsec_")], ID, AT_S, BODY) == SIGNATURE
    assert verify(SECRET, ID, AT_S, BODY, SIGNATURE, now_s=AT_S + 10)


@given(key=keys, delivery_id=ids, at_s=times, body=st.binary(max_size=200))
def test_it_is_the_hmac_of_the_three_with_dots(key: bytes, delivery_id: str, at_s: int, body: bytes) -> None:
    content = b".".join((delivery_id.encode(), str(at_s).encode(), body))
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert sign(as_secret(key), delivery_id, at_s, body) == f"v1,{expected}"


@given(secrets=st.lists(keys, min_size=1, max_size=3, unique=True), body=st.binary(max_size=50), other=keys)
def test_each_secret_of_a_rotation_is_verified(secrets: list[bytes], body: bytes, other: bytes) -> None:
    names = [as_secret(key) for key in secrets]
    header = sign(names, ID, AT_S, body)
    assert header.split(" ") == [sign(name, ID, AT_S, body) for name in names]
    assert all(verify(name, ID, AT_S, body, header, now_s=AT_S) for name in names)
    assert verify(as_secret(other), ID, AT_S, body, header, now_s=AT_S) is (other in secrets)


@pytest.mark.parametrize(
    "change",
    [
        {"delivery_id": "msg_other"},
        {"timestamp_s": AT_S + 1},
        {"body": BODY + b" "},
        {"header": "v1,AAAA"},
        {"header": ""},
        {"header": SIGNATURE.replace("v1,", "v1a,")},
        {"header": "é\ud800"},
        {"now_s": AT_S + 301},
        {"now_s": AT_S - 301},
    ],
)
def test_what_was_changed_or_is_old_does_not_hold(change: dict[str, Any]) -> None:
    good: dict[str, Any] = {"delivery_id": ID, "timestamp_s": AT_S, "body": BODY, "header": SIGNATURE, "now_s": AT_S}
    assert verify(SECRET, **good)
    assert not verify(SECRET, **good | change)


def test_secrets() -> None:
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(one.startswith("whsec_") and check_secret(one) is None for one in made)
    old = [new_secret(), new_secret()]
    newer = rotated(old)
    assert len(newer) == KEPT
    assert newer[1] == old[0]
    assert newer[0] not in old


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_not base64!", "whsec_c2hvcnQ=", as_secret(b"x" * 23), as_secret(b"x" * 65), "é"]
)
def test_bad_secrets_are_not_shown(secret: str) -> None:
    assert check_secret(secret)
    with pytest.raises(ValueError) as caught:
        sign([SECRET, secret], ID, AT_S, BODY)
    assert not secret.removeprefix("whsec_") or secret.removeprefix("whsec_") not in str(caught.value)


def test_no_secret() -> None:
    with pytest.raises(ValueError, match="must be a secret"):
        sign([], ID, AT_S, BODY)


def test_the_headers_of_an_attempt() -> None:
    nothing: Any = None
    tools = SendTools(
        egress=nothing, clock=nothing, delivery_id=ID, headers={"webhook-id": ID, "webhook-timestamp": str(AT_S)}
    )
    expected = {"webhook-id": ID, "webhook-timestamp": str(AT_S), "webhook-signature": SIGNATURE}
    assert signed(tools, SECRET, BODY) == expected
