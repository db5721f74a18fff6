"""Who is let in: schemes in their order, scopes, callers, and nobody by accident."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from neomind_sdk import ADMIN, AUTHENTICATED, PUBLIC, Authenticator, Credentials, Principal, Rejection, Unauthorized

ANN = Principal(kind="user", id="1", name="ann", role="user", scopes=frozenset({"read", "write"}))
BOB = Principal(kind="user", id="2", name="bob", role="user", scopes=frozenset({"read"}))
DEVICE = Principal(kind="device", id="boiler", name="boiler", scopes=frozenset({"read"}))
NOBODY = Principal(kind="anonymous", id="", name="nobody", scopes=frozenset({"*"}))
EXPIRED = Rejection("API_KEY_EXPIRED", "The key is too old")
BAD = Rejection("INVALID_TOKEN", "The token is bad")


@pytest.fixture
def enter(edge, scheme):
    """What a route says to a caller of whom the schemes say these things, in the order of their priority."""

    async def ask(*answers, path="/api/trial", headers=None, **route):
        schemes = [scheme(f"s{at}", 10 * (at + 1), answer) for at, answer in enumerate(answers)]
        defaults = {"scope": AUTHENTICATED}
        # In the wrong order, for the host to sort.
        async with edge.serving(edge.route(**{**defaults, **route}), schemes=schemes[::-1]) as host:
            answer = await host.client(None).get(path, headers=headers or {})
        return SimpleNamespace(answer=answer, asked=[len(one.asked) for one in schemes], schemes=schemes)

    return ask


@pytest.mark.parametrize(
    ("answers", "expected", "asked"),
    [
        ([], (401, "UNAUTHORIZED"), []),
        ([None, None], (401, "UNAUTHORIZED"), [1, 1]),
        ([ANN, BOB], "ann", [1, 0]),
        ([None, BOB], "bob", [1, 1]),
        ([BAD, BOB], "bob", [1, 1]),
        ([BAD], (401, "INVALID_TOKEN"), [1]),
        ([None, EXPIRED, BAD], (401, "API_KEY_EXPIRED"), [1, 1, 1]),
        ([BAD, EXPIRED], (401, "INVALID_TOKEN"), [1, 1]),
        ([Rejection("FORBIDDEN", "x")], (401, "FORBIDDEN"), [1]),
        ([Rejection("SOMETHING_NEW", "x")], (401, "SOMETHING_NEW"), [1]),
        ([NOBODY], (401, "UNAUTHORIZED"), [1]),
    ],
)
async def test_the_order_of_schemes(enter, answered, answers, expected, asked):
    found = await enter(*answers)
    if isinstance(expected, str):
        assert found.answer.json()["data"]["who"] == expected
    else:
        assert answered(found.answer) == expected
        assert found.answer.headers["www-authenticate"] == "Bearer"
    assert found.asked == asked


@pytest.mark.parametrize(
    "answer",
    [RuntimeError("hunter2"), SystemExit(1), KeyError("x"), Unauthorized("of its own"), True, "ann", {}, (ANN,)],
)
async def test_a_scheme_that_fails_denies(enter, answered, logged, answer):
    found = await enter(answer, ANN)
    assert answered(found.answer) == (401, "UNAUTHORIZED")
    assert "hunter2" not in found.answer.text
    assert found.asked == [1, 0]
    assert [event["scheme"] for event in logged if event["log_level"] == "error"] == ["s0"]


async def test_a_rejection_does_not_soften_a_failure(enter, answered):
    found = await enter(BAD, RuntimeError("x"), ANN)
    assert answered(found.answer) == (401, "UNAUTHORIZED")
    assert found.asked == [1, 1, 0]


# ---- public routes ----


async def test_a_public_route_asks_nobody(enter):
    found = await enter(ANN, scope=PUBLIC)
    assert found.answer.json()["data"]["who"] == "anonymous"
    assert found.asked == [0]


@pytest.mark.parametrize(
    ("answer", "who"), [(ANN, "ann"), (None, "anonymous"), (BAD, "anonymous"), (KeyError(), "anonymous")]
)
async def test_a_public_route_that_wants_to_know(enter, logged, answer, who):
    found = await enter(answer, scope=PUBLIC, identify=True)
    assert found.answer.json()["data"]["who"] == who
    assert found.asked == [1]


# ---- who may do what ----


@pytest.mark.parametrize(("who", "status"), [(ANN, 200), (DEVICE, 401)])
async def test_kinds_of_callers(enter, who, status):
    assert (await enter(who, callers=("user", "api_key"))).answer.status_code == status


SCOPES = (PUBLIC, AUTHENTICATED, "devices:read", "devices:write", "users:read", "users:write", "settings:write", ADMIN)
MAY = {
    None: {PUBLIC},
    "viewer": {PUBLIC, AUTHENTICATED, "devices:read", "users:read"},
    "user": {PUBLIC, AUTHENTICATED, "devices:read", "devices:write", "users:read"},
    "admin": set(SCOPES),
}


@pytest.mark.parametrize("role", MAY, ids=str)
async def test_roles(edge, answered, role):
    routes = [edge.route(scope=scope, path=f"/s{at}", method="POST") for at, scope in enumerate(SCOPES)]
    async with edge.serving(*routes) as host:
        answers = {scope: await host.client(role).post(f"/api/s{at}") for at, scope in enumerate(SCOPES)}
    assert {scope for scope, answer in answers.items() if answer.status_code == 200} == MAY[role]
    refused = {answered(answer) for answer in answers.values() if answer.status_code != 200}
    assert refused <= {(401, "UNAUTHORIZED")} if role is None else refused <= {(403, "INSUFFICIENT_PERMISSIONS")}


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ([], {PUBLIC, AUTHENTICATED}),
        (["devices:read"], {PUBLIC, AUTHENTICATED, "devices:read"}),
        (["devices:write"], {PUBLIC, AUTHENTICATED, "devices:write"}),
        (["users:write"], {PUBLIC, AUTHENTICATED, "users:write"}),
        (["write"], {PUBLIC, AUTHENTICATED, "devices:write"}),
        (["*"], set(SCOPES)),
    ],
)
async def test_scopes_of_keys(edge, scopes, allowed):
    routes = [edge.route(scope=scope, path=f"/s{at}") for at, scope in enumerate(SCOPES)]
    async with edge.serving(*routes) as host:
        client = host.client(scopes=scopes)
        found = {scope for at, scope in enumerate(SCOPES) if (await client.get(f"/api/s{at}")).status_code == 200}
    assert found == allowed


async def test_who_may_not_is_told_before_anything_is_read(edge):
    async def receive():
        raise AssertionError("read")

    async with edge.serving(edge.route(method="POST", scope=ADMIN)) as host:
        assert (await edge.tell(host, edge.scope("POST"), receive=receive)).status == 401


# ---- what schemes are shown ----


@pytest.mark.parametrize(
    ("headers", "bearer"),
    [
        ({}, None),
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer   abc "}, "abc"),
        ({"authorization": "Bearer"}, None),
        ({"authorization": "Bearer "}, None),
        ({"authorization": "Basic abc"}, None),
        ({"authorization": "abc"}, None),
    ],
)
async def test_credentials(enter, headers, bearer):
    found = await enter(ANN, headers={**headers, "X-API-Key": "nmk"}, path="/api/trial?token=t&api_key=k")
    credentials = found.schemes[0].asked[0]
    assert (credentials.bearer, credentials.headers["x-api-key"]) == (bearer, "nmk")
    assert (dict(credentials.query), credentials.client) == ({}, "127.0.0.1")


async def test_credentials_in_the_query_where_the_route_allows_it(enter):
    found = await enter(ANN, path="/api/trial?token=t&token=u&api_key=k", query_credentials=True)
    assert dict(found.schemes[0].asked[0].query) == {"token": "u", "api_key": "k"}


async def test_the_service(edge, scheme):
    one = scheme("s", 10, ANN)
    async with edge.serving(schemes=[one]) as host:
        authenticator = host.services[Authenticator]
        assert await authenticator.identify(Credentials(bearer="x")) == ANN
        one.answer = None
        assert (await authenticator.identify(Credentials())).kind == "anonymous"
        one.answer = BAD
        with pytest.raises(Unauthorized, match="The token is bad"):
            await authenticator.identify(Credentials())
