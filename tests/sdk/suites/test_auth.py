"""The suite for auth schemes: good ones pass, each broken one is found out."""

from __future__ import annotations

import pytest

from neomind_core.contracts import Credentials, Principal, Rejection
from neomind_sdk.testing.suites import AuthSchemeContract

KEY = "nm_right"
SOMEBODY = Principal(kind="api_key", id="k-1", name="a key", scopes=frozenset({"read"}))


class Header:
    name = "key"
    priority = 20
    openapi = {"type": "apiKey", "in": "header", "name": "X-API-Key"}

    def presented(self, credentials):
        return credentials.headers.get("x-api-key")

    async def authenticate(self, credentials):
        presented = self.presented(credentials)
        if presented is None:
            return None
        return SOMEBODY if presented == KEY else Rejection("INVALID_API_KEY", "The API key is not known")


class Bearer(Header):
    name = "bearer"
    openapi = {"type": "http", "scheme": "bearer"}

    def presented(self, credentials):
        return credentials.bearer


class Query(Header):
    openapi = {"type": "apiKey", "in": "query", "name": "api_key"}

    def presented(self, credentials):
        return credentials.query.get("api_key")


class ForHeader(AuthSchemeContract):
    def make(self):
        return Header()

    def good(self, subject):
        return self.bearing(subject, KEY)


class TestHeader(ForHeader):
    pass


class TestBearer(ForHeader):
    def make(self):
        return Bearer()


class TestQuery(ForHeader):
    def make(self):
        return Query()


def answering(function):
    class Changed(Header):
        async def authenticate(self, credentials):
            return function(credentials)

    return Changed()


def explode(_credentials):
    raise KeyError("x-api-key")


SUITE = ForHeader()


async def test_raising(breach):
    await breach(SUITE.test_junk_is_rejected, "raised KeyError: .* return a Rejection", answering(explode))
    fuzzed = SUITE.test_anything_may_come
    await breach(fuzzed, "raised KeyError", answering(explode), credentials=Credentials(headers={"a": "b"}))


async def test_rejecting_what_is_not_there(breach):
    broken = answering(lambda _: Rejection("INVALID_API_KEY", "no"))
    await breach(SUITE.test_nothing_brought_along_is_none, "the answer is None", broken, Credentials())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, "is a Rejection, it was None"),
        (SOMEBODY, "junk was let in"),
        ("user", "wanted are a Principal, a Rejection or None"),
        (Rejection("CONFLICT", "no"), "must be one of status 401, it is 'CONFLICT'"),
        (Rejection("INVALID_API_KEY", ""), "says in one sentence why"),
    ],
)
async def test_junk(breach, answer, expected):
    await breach(SUITE.test_junk_is_rejected, expected, answering(lambda _: answer))


async def test_letting_anybody_in(breach):
    broken = answering(lambda _: SOMEBODY)
    await breach(SUITE.test_anything_may_come, "nobody issued", broken, credentials=Credentials(bearer="x"))


async def test_repeating_the_credential(breach):
    broken = answering(lambda found: Rejection("INVALID_API_KEY", f"{found.headers.get('x-api-key')} is unknown"))
    await breach(SUITE.test_rejections_do_not_repeat_the_credential, "repeats the credential", broken)


async def test_refusing_what_holds(breach):
    broken = answering(lambda _: Rejection("INVALID_API_KEY", "no"))
    await breach(SUITE.test_what_holds_is_a_principal, "must give a Principal", broken)
    odd = answering(lambda _: Principal(kind="ghost", id="1", name="x"))
    await breach(SUITE.test_what_holds_is_a_principal, "kind is 'ghost'", odd)


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("name", "API Key", "is named 'API Key'"),
        ("priority", "first", "must be an int"),
        ("authenticate", print, "must be an async function"),
    ],
)
async def test_shapes(breach, attribute, value, expected):
    broken = Header()
    setattr(broken, attribute, value)
    await breach(SUITE.test_it_satisfies_the_protocol, expected, broken)


@pytest.mark.parametrize(
    ("openapi", "expected"), [({"type": "jwt"}, "knows apiKey"), ({"type": "apiKey"}, "lacks name, in")]
)
async def test_openapi(breach, openapi, expected):
    broken = Header()
    broken.openapi = openapi
    await breach(SUITE.test_openapi_is_a_security_scheme_object, expected, broken)
