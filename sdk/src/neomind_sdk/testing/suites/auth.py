"""The suite for auth schemes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given

from neomind_core.contracts import AuthScheme, Credentials, Principal, Rejection, status_of
from neomind_sdk.testing import strategies

from . import base

# https://spec.openapis.org/oas/v3.1.1#security-scheme-object
OPENAPI_FIELDS = {
    "apiKey": ("name", "in"),
    "http": ("scheme",),
    "mutualTLS": (),
    "oauth2": ("flows",),
    "openIdConnect": ("openIdConnectUrl",),
}
KINDS = ("user", "api_key", "share", "device", "plugin", "agent")
JUNK = ("junk", "a.b.c", "0", "é", "x" * 10_000, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")


class AuthSchemeContract(base.Contract):
    """For objects that ``neomind_auth_schemes`` returns; one that needs a database comes from a fixture ``subject``.

    ``bearing``  a credential of this scheme with a given token in it; by default where ``openapi`` says it is
    ``good``     credentials that hold, or ``None`` when there are none to be had in a test
    """

    def bearing(self, subject: Any, token: str) -> Credentials:
        scheme = subject.openapi
        if scheme["type"] == "http":
            return Credentials(bearer=token, headers={"authorization": f"Bearer {token}"})
        if scheme["in"] == "query":
            return Credentials(query={scheme["name"]: token})
        return Credentials(headers={scheme["name"].lower(): token})

    def good(self, subject: Any) -> Credentials | None:
        return None

    def junk(self, subject: Any) -> Sequence[Credentials]:
        """Credentials of this scheme that do not hold."""
        return [self.bearing(subject, token) for token in JUNK]

    async def ask(self, subject: Any, credentials: Credentials) -> Principal | Rejection | None:
        try:
            found: Principal | Rejection | None = await subject.authenticate(credentials)
        except Exception as error:
            text = f"authenticate() raised {type(error).__name__}: {error} for {credentials}"
            raise AssertionError(
                f"{text}; raising denies at once, return a Rejection for what does not hold"
            ) from error
        fits = found is None or isinstance(found, Principal | Rejection)
        assert fits, f"authenticate() returned {found!r}; wanted are a Principal, a Rejection or None"
        return found

    def test_it_satisfies_the_protocol(self, subject: Any) -> None:
        base.check_name(subject.name, "an auth scheme")
        assert isinstance(subject, AuthScheme), "an auth scheme has name, priority, openapi and authenticate"
        assert isinstance(subject.priority, int), "priority must be an int: lower is asked first"
        base.check_async(subject.authenticate, f"{subject.name}.authenticate")

    def test_openapi_is_a_security_scheme_object(self, subject: Any) -> None:
        kind = subject.openapi.get("type")
        assert kind in OPENAPI_FIELDS, f"openapi['type'] is {kind!r}; OpenAPI 3.1 knows {', '.join(OPENAPI_FIELDS)}"
        lacking = [name for name in OPENAPI_FIELDS[kind] if not subject.openapi.get(name)]
        assert not lacking, f"openapi of type '{kind}' lacks {', '.join(lacking)}"

    @pytest.mark.parametrize(
        "credentials",
        [Credentials(), Credentials(client="192.0.2.1"), Credentials(headers={"host": "x", "accept": "*/*"})],
        ids=["nothing", "client", "headers"],
    )
    async def test_nothing_brought_along_is_none(self, subject: Any, credentials: Credentials) -> None:
        found = await self.ask(subject, credentials)
        assert found is None, (
            f"without a credential of this scheme the answer is None, so that others are asked; it was {found!r}"
        )

    async def test_junk_is_rejected(self, subject: Any) -> None:
        for credentials in self.junk(subject):
            found = await self.ask(subject, credentials)
            assert not isinstance(found, Principal), f"junk was let in as {found!r}"
            text = f"a credential of this scheme that does not hold is a Rejection, it was {found!r} for {credentials}"
            assert isinstance(found, Rejection), text
            assert status_of(found.code) == 401, (
                f"the code of a Rejection must be one of status 401, it is '{found.code}'"
            )
            assert found.message, "a Rejection says in one sentence why"

    async def test_rejections_do_not_repeat_the_credential(self, subject: Any) -> None:
        presented = "0123456789abcdef-do-not-repeat"
        found = await self.ask(subject, self.bearing(subject, presented))
        assert presented not in str(found), (
            "the Rejection repeats the credential, which then stands in logs; leave it out"
        )

    @base.fuzzed
    @given(credentials=strategies.credentials())
    async def test_anything_may_come(self, subject: Any, credentials: Credentials) -> None:
        found = await self.ask(subject, credentials)
        assert not isinstance(found, Principal), f"nobody issued {credentials}, and it was let in as {found!r}"

    async def test_what_holds_is_a_principal(self, subject: Any) -> None:
        credentials = self.good(subject)
        if credentials is None:
            pytest.skip("this scheme gives no good() credentials")
        found = await self.ask(subject, credentials)
        assert isinstance(found, Principal), f"good() credentials must give a Principal, they gave {found!r}"
        assert found.kind in KINDS, f"Principal.kind is '{found.kind}'; known are {', '.join(KINDS)}"
        assert found.id, "a Principal has an id"
