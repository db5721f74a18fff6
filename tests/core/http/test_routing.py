"""Which route a path is for, compared with a matcher that tries them all."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_core.host.http.routing import RouteEntry, Router, check_alias, check_route
from neomind_sdk import ADMIN, PUBLIC, Alias, BadRequest, RateLimit, Route, SocketRoute

WORDS = st.sampled_from(["a", "b", "c"])
NAMES = st.sampled_from(["{x}", "{y}", "{z}"])


async def handler(request):
    return None


def route(path, method="GET", **more):
    return Route(**{"method": method, "path": path, "handler": handler, "scope": PUBLIC, "summary": "x", **more})


def router(*paths):
    return Router(RouteEntry(owner="t", services=None, item=route(path)) for path in paths)


def found(paths, raw):
    """``(path of the route, its parameters)``."""
    hit = router(*paths).find(raw.encode() if isinstance(raw, str) else raw)
    if hit is None:
        return None
    bound = hit.methods["GET"]
    return bound.route.path, hit.params(bound)


@st.composite
def patterns(draw):
    parts = draw(st.lists(WORDS | NAMES, min_size=1, max_size=4))
    seen = set()
    parts = [part for part in parts if part not in seen and (part[0] != "{" or not seen.add(part))]
    tail = draw(st.sampled_from(["", "", "{rest:path}"]))
    return "/" + "/".join([*parts, tail] if tail else parts)


def rank(pattern, segments):
    """How well a pattern fits, the best first: at each segment static before parameter before tail; None = not."""
    parts, ranks = pattern[1:].split("/"), []
    for at, part in enumerate(parts):
        if part.endswith(":path}"):
            return (*ranks, 2) if any(segments[at : at + 2]) or len(segments) > at + 1 else None
        if at >= len(segments) or (part[0] == "{" and not segments[at]) or (part[0] != "{" and part != segments[at]):
            return None
        ranks.append(1 if part[0] == "{" else 0)
    return tuple(ranks) if len(parts) == len(segments) else None


def naive(paths, segments):
    ranked = [(rank(path, segments), at) for at, path in enumerate(paths)]
    fitting = sorted((one, at) for one, at in ranked if one is not None)
    return paths[fitting[0][1]] if fitting else None


def shape(path):
    return re.sub(r"\{[a-z]+(:path)?\}", r"{\1}", path)


@given(
    st.lists(patterns(), min_size=1, max_size=12, unique_by=shape),
    st.lists(WORDS | st.sampled_from(["d", "", "a/b", "%", "ä", "x y"]), min_size=1, max_size=5),
)
def test_like_the_naive_matcher(paths, segments):
    raw = "/api/" + "/".join(quote(segment, safe="") for segment in segments)
    hit, expected = found(paths, raw), naive(paths, segments)
    assert (hit and hit[0]) == expected
    if hit:
        pattern = expected[1:].split("/")
        values = {part[1:-1]: segments[at] for at, part in enumerate(pattern) if re.fullmatch(r"\{[a-z]+\}", part)}
        if expected.endswith(":path}"):
            values["rest"] = "/".join(segments[len(pattern) - 1 :])
        assert hit[1] == values


@pytest.mark.parametrize(
    ("paths", "raw", "expected"),
    [
        (["/a/{x}", "/a/b"], "/api/a/b", ("/a/b", {})),
        (["/a/{x}", "/a/b"], "/api/a/c", ("/a/{x}", {"x": "c"})),
        (["/a/b/c", "/a/{x}/d"], "/api/a/b/d", ("/a/{x}/d", {"x": "b"})),
        (["/{x}/b", "/a/{y}"], "/api/a/b", ("/a/{y}", {"y": "b"})),
        (["/a/{p:path}", "/a/{x}"], "/api/a/b", ("/a/{x}", {"x": "b"})),
        (["/a/{p:path}", "/a/{x}"], "/api/a/b/c", ("/a/{p:path}", {"p": "b/c"})),
        (["/a/{p:path}", "/a/b/c"], "/api/a/b/d", ("/a/{p:path}", {"p": "b/d"})),
        (["/a/{p:path}"], "/api/a", None),
        (["/a/{p:path}"], "/api/a/", None),
        (["/a/{p:path}"], "/api/a//b", ("/a/{p:path}", {"p": "/b"})),
        (["/a/{p:path}"], "/api/a/b/", ("/a/{p:path}", {"p": "b/"})),
        (["/a/{x}"], "/api/a/", None),
        (["/a/{x}"], "/api/a//", None),
        (["/a/{x}"], "/api//a/b", None),
        (["/a/{x}"], "/api/a/b/", None),
        (["/a/{x}"], "/api/a/b%2Fc", ("/a/{x}", {"x": "b/c"})),
        (["/a/{x}"], "/api/a/b%252Fc", ("/a/{x}", {"x": "b%2Fc"})),
        (["/a/{x}"], "/api/a/%E4%BD%A0", ("/a/{x}", {"x": "你"})),
        (["/a/{x}"], "/api/a/a+b", ("/a/{x}", {"x": "a+b"})),
        (["/a/{x}"], "/api/a/..", ("/a/{x}", {"x": ".."})),
        (["/a/{x}"], "/api/%61/b", ("/a/{x}", {"x": "b"})),
        (["/a/{x}"], "/api/a/%", ("/a/{x}", {"x": "%"})),
        (["/a/{x}"], "/api/a/%zz", ("/a/{x}", {"x": "%zz"})),
        (["/a/{x}"], "/api/a/b%00", None),
        (["/a/{x}"], "/api/a/b\0", None),
        (["/a/{x}"], "/%61pi/a/b", None),
        (["/a/{x}"], "/a/b", None),
        (["/a/{x}"], "", None),
        (["/a/{x}"], "/api/" + "a/" * 20_000, None),
    ],
)
def test_paths(paths, raw, expected):
    assert found(paths, raw) == expected
    assert found(paths[::-1], raw) == expected


@pytest.mark.parametrize("raw", [b"/api/a/%FF", b"/api/a/%C3", b"/api/%ED%A0%80/b", b"/api/a/\xff"])
def test_a_path_that_is_no_utf8(raw):
    with pytest.raises(BadRequest, match="UTF-8"):
        router("/a/{x}").find(raw)


def test_an_encoded_slash_does_not_make_a_tail_shorter():
    assert found(["/a/{p:path}"], "/api/a/b%2Fc/d") == ("/a/{p:path}", {"p": "b/c/d"})


def test_methods_may_name_their_parameters_differently():
    entries = [RouteEntry(owner="t", services=None, item=route(path, method)) for path, method in _TWO]
    hit = Router(entries).find(b"/api/a/1")
    assert hit.params(hit.methods["GET"]) == {"x": "1"}
    assert hit.params(hit.methods["PUT"]) == {"y": "1"}


_TWO = (("/a/{x}", "GET"), ("/a/{y}", "PUT"))


def test_what_is_listed_is_what_is_served():
    table = router("/a/{x}", "/a/{y}", "/b")
    assert [bound.route.path for bound in table] == ["/a/{x}", "/b"]


def test_the_number_of_routes_does_not_matter():
    def cost(count):
        table = router(*(f"/area{at % 40}/thing{at}/{{x}}/part" for at in range(count)))
        raw = f"/api/area{(count - 1) % 40}/thing{count - 1}/abc/part".encode()
        assert table.find(raw) is not None
        best = 1.0
        for _ in range(20):
            begin = time.perf_counter()
            for _ in range(200):
                table.find(raw)
            best = min(best, time.perf_counter() - begin)
        return best

    assert cost(2000) < 5 * cost(2)


# ---- what may be served ----


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"scope": ADMIN}, None),
        ({"scope": "devices:read"}, None),
        ({"path": "/a-b/c.d/{x_1}/{rest:path}"}, None),
        ({"scope": ""}, "no scope"),
        ({"scope": None}, "no scope"),
        ({"scope": "devices:delete"}, "none of PUBLIC"),
        ({"scope": 5}, "none of PUBLIC"),
        ({"path": "a"}, "must start with /"),
        ({"path": "/api/a"}, "is below /api already"),
        ({"path": "/"}, "malformed segment"),
        ({"path": "/a/"}, "malformed segment"),
        ({"path": "/a//b"}, "malformed segment"),
        ({"path": "/{x"}, "malformed segment"),
        ({"path": "/{X}"}, "malformed segment"),
        ({"path": "/a{x}"}, "malformed segment"),
        ({"path": "/ä"}, "malformed segment"),
        ({"path": "/a b"}, "malformed segment"),
        ({"path": "/{x:path}/a"}, "malformed segment"),
        ({"path": "/{x}/{x}"}, "parameter twice"),
        ({"method": "HEAD"}, "none of GET"),
        ({"method": "get"}, "none of GET"),
        ({"handler": None}, "async function"),
        ({"handler": lambda request: None}, None),
        ({"body": dict}, "attrs class"),
        ({"body": bytes}, "a GET has no body"),
        ({"body": bytes, "method": "POST"}, None),
        ({"query": dict}, "attrs class"),
        ({"status": 204}, "success with a body"),
        ({"status": 404}, "success with a body"),
        ({"accepts": ("Application/JSON",)}, "lower case"),
        ({"limit": RateLimit(hits=5)}, None),
        ({"limit": RateLimit(hits=5, per="caller")}, None),
        ({"limit": RateLimit(hits=5, per="user")}, "the limit"),
        ({"limit": RateLimit(hits=0)}, "the limit"),
    ],
)
def test_routes_that_cannot_be_served(changes, why):
    problem = check_route(route(**{"path": "/a", **changes}))
    assert problem is None if why is None else why in problem


def test_a_handler_that_is_not_async():
    def plain(request):
        return None

    assert "async" in check_route(route("/a", handler=plain))
    assert "async" in check_route(SocketRoute(path="/a", handler=plain, scope=PUBLIC, summary="x"))
    assert check_route(SocketRoute(path="/a", handler=handler, scope=PUBLIC, summary="x")) is None


def test_types_that_cannot_be_read():
    import attrs

    broken = attrs.make_class("Broken", {"a": attrs.field(type="NoSuchType")})
    assert "NoSuchType" in check_route(route("/a", query=broken))


@pytest.mark.parametrize(
    ("path", "target", "good"),
    [
        ("/a/{x}", "/b/{y}", True),
        ("/a", "/b", True),
        ("/a", "/b/{y}", False),
        ("/a/{x}", "/b", False),
        ("a", "/b", False),
        ("/a/{", "/b/{y}", False),
    ],
)
def test_second_spellings(path, target, good):
    assert (check_alias(Alias(path=path, target=target)) is None) == good
