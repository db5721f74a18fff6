"""Tokens: ours hold until their time is over, everything else is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neomind_plugins.accounts.errors import TokenRefused
from neomind_plugins.accounts.tokens import MAX_LENGTH, Tokens
from neomind_sdk import Rejection, SessionEnded
from neomind_sdk.units import DAY_MS, SECOND_MS

SECRET = b"0123456789abcdef0123456789abcdef"
OTHER = b"another key that is long enough, too"
WEEK_S = 7 * 24 * 3600


def claims_of(token: str) -> dict[str, Any]:
    return json.loads(unpadded(token.split(".")[1]))


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: Any, claims: Any, key: bytes = SECRET) -> str:
    """A token with whatever stands in it; the signature is right for the key."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(key, text.encode(), hashlib.sha256))}"


HEADER = {"alg": "HS256", "typ": "JWT"}


async def test_what_stands_in_a_token(world: Any) -> None:
    entry = await world.register("ada")
    header, payload, _ = entry.token.split(".")
    assert json.loads(unpadded(header)) == HEADER
    claims = json.loads(unpadded(payload))
    now_s = world.clock.ms // 1000
    assert claims == {
        "sub": entry.user.id,
        "username": "ada",
        "role": "admin",
        "iat": now_s,
        "exp": now_s + WEEK_S,
        "jti": claims["jti"],
    }
    assert "=" not in entry.token
    assert signed(HEADER, claims) != entry.token  # only the order of the keys or blanks differ
    assert world.knows(signed(HEADER, claims))


async def test_every_login_has_a_token_of_its_own(world: Any) -> None:
    first = await world.register("ada")
    tokens = {first.token} | {(await world.accounts.login("ada", "lovelace")).token for _ in range(5)}
    assert len({claims_of(token)["jti"] for token in tokens}) == 6


async def test_the_longest_name_fits_into_a_token(world: Any) -> None:
    token = (await world.register("\U00020000" * 64)).token
    assert len(token) < MAX_LENGTH
    assert world.knows(token)


# ---- time ----


async def test_a_week_and_thirty_seconds(world: Any) -> None:
    token = (await world.register("ada")).token
    end_ms = claims_of(token)["exp"] * 1000
    for verified in (True, False):
        world.clock.ms = end_ms + 30 * SECOND_MS
        assert world.knows(token)
        world.clock.ms += 1
        expired = world.accounts.identify(token)
        assert expired == Rejection("INVALID_TOKEN", "Token has expired")
        if verified:
            await world.restart()  # nothing is remembered of a signature that was checked
            assert world.accounts.identify(token) == expired
    assert world.bus.events == []


async def test_expired_sessions_are_purged(world: Any) -> None:
    old = await world.register("ada")
    world.clock.ms += 4 * DAY_MS
    new = await world.accounts.login("ada", "lovelace")
    await world.accounts.purge()
    assert len(await world.rows(1)) == 2
    world.clock.ms += 4 * DAY_MS
    await world.accounts.purge()
    await world.accounts.purge()
    [row] = await world.rows(1)
    assert row["jti"] == claims_of(new.token)["jti"]
    assert world.bus.events == [
        SessionEnded(principal_id=old.user.id, session=claims_of(old.token)["jti"], reason="expired")
    ]
    assert world.knows(new.token)
    world.clock.ms -= 8 * DAY_MS
    assert world.accounts.identify(old.token) == Rejection("INVALID_TOKEN", "Session has been revoked")


async def test_a_clock_that_is_set_back_keeps_nobody_out(world: Any) -> None:
    entry = await world.register("ada")
    world.clock.ms -= 400 * DAY_MS
    assert world.knows(entry.token)
    assert world.knows((await world.accounts.login("ada", "lovelace")).token)


# ---- what is not ours ----


async def refused(world: Any, token: str) -> str:
    found = world.accounts.identify(token)
    assert isinstance(found, Rejection), found
    assert found.code == "INVALID_TOKEN"
    return found.message


@pytest.fixture
async def token(world: Any) -> str:
    """A token that holds: the control of every tampering."""
    token = (await world.register("ada")).token
    assert world.knows(token)
    await world.restart()
    return token


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "HS384", "HS512", "RS256", "ES256", "EdDSA", "", "hs256", None, 5]
)
async def test_other_algorithms(world: Any, token: str, alg: Any) -> None:
    claims = claims_of(token)
    for signature in ("", token.split(".")[2]):
        await refused(world, f"{part({'alg': alg, 'typ': 'JWT'})}.{part(claims)}.{signature}")
    await refused(world, signed({"alg": alg, "typ": "JWT"}, claims))
    await refused(world, f"{part({'typ': 'JWT'})}.{part(claims)}.")
    assert world.knows(token)


async def test_longer_hashes_with_the_right_key(world: Any, token: str) -> None:
    for algorithm in ("HS384", "HS512"):
        forged = jwt.encode(claims_of(token), SECRET * 2, algorithm=algorithm)
        assert await refused(world, forged) == "Invalid token signature"


async def test_another_key(world: Any, token: str) -> None:
    assert await refused(world, signed(HEADER, claims_of(token), OTHER)) == "Invalid token signature"
    assert await refused(world, signed(HEADER, claims_of(token), b"")) == "Invalid token signature"


@pytest.mark.parametrize("header", [{"jwk": {"kty": "oct", "k": part(OTHER)}}, {"kid": "../../dev/null"}, {"jku": "x"}])
async def test_keys_that_the_token_brings_along(world: Any, token: str, header: Any) -> None:
    await refused(world, signed({**HEADER, **header}, claims_of(token), OTHER))


async def test_claims_that_were_changed(world: Any, token: str) -> None:
    header, _, signature = token.split(".")
    for change in ({"role": "root"}, {"exp": 10**12}, {"sub": "somebody"}):
        changed = {**claims_of(token), **change}
        assert await refused(world, f"{header}.{part(changed)}.{signature}") == "Invalid token signature"


@pytest.mark.parametrize("claim", ["sub", "jti", "exp"])
@pytest.mark.parametrize("value", [..., None, True, 5.5, "", "soon", [], {}, ["a"], {"a": 1}, 2**70, -1, 0])
async def test_signed_claims_that_make_no_sense(world: Any, token: str, claim: str, value: Any) -> None:
    claims = {**claims_of(token), claim: value}
    if value is ...:
        del claims[claim]
    if claim == "exp" and value == 2**70:
        assert world.knows(signed(HEADER, claims))  # the session's own end holds
        world.clock.ms += 8 * DAY_MS
    await refused(world, signed(HEADER, claims))


async def test_a_session_of_somebody_else(world: Any, token: str) -> None:
    other = await world.register("bob")
    claims = {**claims_of(token), "jti": claims_of(other.token)["jti"]}
    assert await refused(world, signed(HEADER, claims)) == "Session has been revoked"
    assert await refused(world, signed(HEADER, {**claims, "jti": "0" * 32})) == "Session has been revoked"


async def test_a_role_in_the_token_is_worth_nothing(world: Any, token: str) -> None:
    bob = await world.register("bob")
    found = world.accounts.identify(signed(HEADER, {**claims_of(bob.token), "role": "admin"}))
    assert (found.role, found.scopes) == ("viewer", frozenset({"read"}))


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"5", b'"text"', b"\xff", b"{", b"[" * 2000])
@pytest.mark.parametrize("header", [HEADER, b"", b"null", b"[]", b"\xff", {**HEADER, "b64": False, "crit": ["b64"]}])
async def test_signed_nonsense(world: Any, token: str, header: Any, payload: bytes) -> None:
    assert await refused(world, signed(header, payload)) == "Invalid token format"


@pytest.mark.parametrize(
    "text",
    ["a", "a.b", "a.b.c", "a.b.c.d", "..", "....", "é.é.é", "\ud800", "\x00", " ", "x" * MAX_LENGTH, "x" * 10**7],
)
async def test_no_token_at_all(world: Any, token: str, text: str) -> None:
    assert await refused(world, text) == "Invalid token format"


async def test_a_token_with_something_around_it(world: Any, token: str) -> None:
    for text in (token[:-2], token[1:], f"{token}.", f".{token}", token * 2):
        await refused(world, text)


@settings(deadline=None, database=None)
@given(st.text(st.characters(max_codepoint=255)) | st.binary().map(lambda raw: signed(HEADER, raw)))
def test_anything_but_ours_is_refused(text: str) -> None:
    with pytest.raises(TokenRefused):
        Tokens(SECRET).read(text)


async def test_revoked_tokens_stay_revoked_however_they_are_spelt(world: Any, token: str) -> None:
    """The last character of a signature has bits that nobody reads: two spellings, one token."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    index = alphabet.index(token[-1])
    spellings = [token[:-1] + alphabet[index & ~3 | bits] for bits in range(4)]
    assert token in spellings
    known = [spelling for spelling in spellings if world.knows(spelling)]
    assert token in known
    await world.accounts.logout(claims_of(token)["jti"])
    assert not any(map(world.knows, spellings))
