"""The page and its files over HTTP, without a login and without a browser."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest

from neomind_sdk import PluginUnavailable
from neomind_sdk.testing.suites import RouteContract
from neomind_web_console import hooks, service

PAGE = "/api/docs"
REFERENCE = re.compile(r"""(?:src|href)="([^"]*)\"""")


class TestRoutes(RouteContract):
    def make(self):
        return hooks.neomind_routes(None)


@pytest.fixture
def client(host):
    return host.client(role=None)


@pytest.fixture
async def page(client):
    answer = await client.get(PAGE)
    assert answer.status_code == 200
    return answer


def names_in(page):
    return REFERENCE.findall(page.text)


async def test_the_page_is_html(page):
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.startswith("<!doctype html>")
    assert "NeoMind" in page.text


async def test_the_page_names_its_own_files_only(page):
    names = names_in(page)
    assert len(names) == len(service.ASSETS) + 1
    assert [name for name in names if not re.fullmatch(r"docs/[\w.-]+|openapi\.json", name)] == []


async def test_every_file_that_the_page_names_is_served(client, page):
    for name in names_in(page):
        answer = await client.get(urljoin(PAGE, name))
        assert answer.status_code == 200, name
        assert len(answer.content) > 100, name


async def test_own_files_name_nothing_elsewhere():
    for path in sorted((service.HERE / "own").iterdir()):
        assert re.findall(r"https?://|//[a-z]", path.read_text(encoding="utf-8")) == [], path


async def test_no_script_and_no_style_stands_in_the_page(page):
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page.text) == []


async def test_what_browsers_let_the_page_do(client, page):
    rules = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    script = await client.get(urljoin(PAGE, "docs/init.js"))
    assert script.headers["content-security-policy"] == page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("swagger-ui.css", "text/css; charset=utf-8"),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("favicon.png", "image/png"),
    ],
)
async def test_media_types(client, name, media_type):
    answer = await client.get(f"{PAGE}/{name}")
    assert answer.headers["content-type"] == media_type


async def test_what_has_a_digest_in_its_name_is_kept_for_ever(client, page):
    (name,) = [name for name in names_in(page) if "init." in name]
    for_ever = await client.get(urljoin(PAGE, name))
    plain = await client.get(f"{PAGE}/init.js")
    assert "immutable" in for_ever.headers["cache-control"]
    assert plain.headers["cache-control"] == page.headers["cache-control"] == "no-cache"
    assert for_ever.content == plain.content


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/init.js"])
async def test_what_a_client_has_is_not_sent_again(client, path):
    first = await client.get(path)
    tag = first.headers["etag"]
    for asked in (f'"old", {tag}', tag.removeprefix("W/"), "*"):
        again = await client.get(path, headers={"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await client.get(path, headers={"If-None-Match": '"old"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_a_digest_of_other_content_is_no_address(client):
    answer = await client.get(f"{PAGE}/init.0123456789abcdef.js")
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fservice.py", "page.html", "LICENSE.txt", "%00"])
async def test_nothing_else_is_served(client, name):
    answer = await client.get(f"{PAGE}/{name}")
    assert answer.status_code in (400, 404)
    assert answer.json()["success"] is False


async def test_head(client):
    answer = await client.head(PAGE)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_nothing_but_reading(client):
    answer = await client.post(PAGE, json={})
    assert answer.status_code == 405


async def test_the_document_that_the_page_shows_is_there_without_a_login(client):
    answer = await client.get("/api/openapi.json")
    assert {"/api/ping", "/api/docs", "/api/docs/{file}"} <= set(answer.json()["paths"])


async def test_a_build_without_its_files_says_so(monkeypatch, tmp_path):
    gone = {"bundle": (tmp_path / "swagger-ui-bundle.js", "text/javascript")}
    monkeypatch.setattr(service, "ASSETS", gone)
    with pytest.raises(PluginUnavailable, match=r"swagger-ui-bundle\.js"):
        hooks.neomind_routes(None)
