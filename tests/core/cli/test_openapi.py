"""``neomind openapi``."""

import json

ROUTE = """
async def hello(request):
    return {}

@hookimpl
def neomind_routes(ctx):
    return [Route(method="GET", path="/hello", handler=hello, scope=PUBLIC, summary="Say hello")]

@hookimpl
def neomind_start(ctx):
    raise AssertionError("started")
"""


def test_the_document_is_that_of_the_plugins_that_load(neomind):
    neomind.plugin("greeter", ROUTE)
    result = neomind("openapi")
    assert (result.exit_code, result.stderr.count("greeter")) == (0, 0)
    document = json.loads(result.stdout)
    assert document["openapi"].startswith("3.1")
    assert list(document["paths"]) == ["/api/hello"]


def test_the_data_directory_stays_as_it_is(neomind):
    assert neomind("openapi").exit_code == 0
    assert not neomind.data.exists()
    neomind.plugin("greeter", ROUTE)
    before = sorted(path for path in neomind.data.rglob("*") if "__pycache__" not in path.parts)
    neomind("openapi")
    assert sorted(path for path in neomind.data.rglob("*") if "__pycache__" not in path.parts) == before


def test_what_does_not_load_is_named_and_left_out(neomind):
    neomind.plugin("bomb", "raise RuntimeError('no')")
    neomind.plugin("greeter", ROUTE)
    result = neomind("openapi")
    assert result.exit_code == 0
    assert "Without bomb: import_error: RuntimeError: no" in result.stderr.splitlines()
    assert "/api/hello" in json.loads(result.stdout)["paths"]


def test_it_can_be_written_to_a_file(neomind, tmp_path):
    neomind.plugin("greeter", ROUTE)
    result = neomind("openapi", "-o", str(tmp_path / "openapi.json"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "/api/hello" in json.loads((tmp_path / "openapi.json").read_text())["paths"]
