"""Strangers' plugins that fail in every way there is, installed beside a good one: the platform serves all the same."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import attrs
import pytest

from neomind_sdk.testing import fake_dist

ROOT = Path(__file__).resolve().parents[2]
HEAD = "import asyncio, time\nfrom neomind_sdk import *\n"
ADMIN = {"username": "anna", "password": "kitchen-1"}
CAP_S = 4
ENDS_WITHIN_S = 10
NEEDS_SETUPTOOLS = 77


def greets(text="hello", path="/greeting", before=""):
    """A plugin's body with a public route."""
    return f"""
@hookimpl
def neomind_routes(ctx):
    {before}
    async def answer(request):
        return {{"said": {text!r}}}
    return [Route(method="GET", path={path!r}, handler=answer, scope=PUBLIC, summary="Say something")]
"""


def starts(step):
    """A plugin's body with a start step."""
    return f"""
@hookimpl
def neomind_start(ctx):
    async def run():
        {step}
    return [Step(name="first", run=run)]
"""


@attrs.frozen
class Stranger:
    """A plugin, what becomes of it, and what its reason must say."""

    body: str
    status: str
    reason: str
    sdk: str = ">=0.1,<0.2"
    manifest: dict[str, object] = attrs.field(factory=dict)

    def source(self, name):
        given = {"name": name, "summary": "A stranger's", **self.manifest}
        text = ", ".join(f"{key}={value!r}" for key, value in given.items())
        return f"{HEAD}plugin = Plugin({text})\n{textwrap.dedent(self.body)}\n"

    def install(self, site, name):
        """As ``pip install`` leaves it, for the length of the block."""
        module = f"acme_{name}"
        return fake_dist(
            site,
            distribution(name),
            plugins={name: f"{module}:plugin"},
            modules={module: self.source(name)},
            requires=[f"neomind-sdk{self.sdk}"],
        )


GOOD = Stranger(greets(), "enabled", "running")
STRANGERS = {
    "good": GOOD,
    "raises_import": Stranger("raise RuntimeError('no meter bus')", "import_error", "RuntimeError: no meter bus"),
    "exits_import": Stranger("raise SystemExit(3)", "import_error", "SystemExit: 3"),
    "raises_hook": Stranger(greets(before="raise OSError('no port')"), "self_check_failed", "OSError: no port"),
    "raises_start": Stranger(starts("raise ValueError('no meter')"), "failed_at_run", "ValueError: no meter"),
    "exits_start": Stranger(starts("raise SystemExit('bye')"), "failed_at_run", "SystemExit: bye"),
    "hangs_start": Stranger(starts("await asyncio.sleep(600)"), "failed_at_run", f"over {CAP_S} s"),
    "blocks_loop": Stranger(starts("time.sleep(600)"), "failed_at_run", "blocked the event loop"),
    "misspells": Stranger(greets().replace("_routes", "_ruotes"), "manifest_error", "neomind_routes"),
    "takes_route": Stranger(greets(path="/devices"), "conflict", "GET /devices"),
    "other_sdk": Stranger(greets(path="/other"), "incompatible", "needs neomind-sdk >=9", sdk=">=9"),
    "lonely": Stranger(greets(path="/l"), "missing_requirement", "'nobody'", manifest={"requires": ("nobody",)}),
}


def distribution(name):
    return f"acme-{name.replace('_', '-')}"


@pytest.fixture(scope="module")
def home(make_home):
    """Where all strangers are installed; two of them need a cap, which is long enough for everybody else."""
    home = make_home("strangers")
    site = home.directory / "site"
    home.env["PYTHONPATH"] = str(site)
    home.data.mkdir()
    (home.data / "neomind.toml").write_text(f"[plugins]\nstart_cap_s = {CAP_S}\n")
    with ExitStack() as installed:
        for name, stranger in STRANGERS.items():
            installed.enter_context(stranger.install(site, name))
        yield home


@contextmanager
def serving(home, *args, **env):
    """A server with an administrator, which must end well and in time."""
    server = home.serve(*args, **env)
    try:
        yield server
    except BaseException:
        server.clients.close()
        raise
    code, seconds = server.stop()
    assert (code, seconds < ENDS_WITHIN_S) == (0, True), server.err.all()
    assert "Traceback" not in server.out.all()


@pytest.fixture(scope="module")
def server(home):
    with serving(home) as server:
        yield server


@pytest.fixture(scope="module")
def admin(server):
    server.client().post("/auth/register", json=ADMIN)
    return server.user(**ADMIN)


def listed(home):
    """What ``neomind plugins`` knows, by name."""
    found = home.run("plugins", "--json")
    assert found.returncode == 0, found.stderr
    return {row["name"]: row for row in json.loads(found.stdout)["plugins"]}


def told(server, data):
    """What ``/api/extensions`` knows, by name."""
    return {row["name"]: row for row in data(server.client().get("/extensions"))}


def use_devices(client, data, device_id):
    """Register a device, post a reading as a device does, and read it back."""
    metric = {"name": "temperature", "display_name": "Temperature", "data_type": "float"}
    kind = {"device_type": f"type_of_{device_id}", "name": "Sensor", "metrics": [metric]}
    data(client.post("/devices/types", json=kind))
    body = {"device_id": device_id, "name": "Sensor", "device_type": kind["device_type"], "connection_config": {}}
    data(client.post("/devices", json=body))
    data(client.post(f"/devices/{device_id}/webhook", json={"temperature": 4.5}))
    history = data(client.get(f"/devices/{device_id}/history", params={"metric": "temperature"}))
    assert [point["value"] for point in history["data"]["temperature"]] == [4.5]


# ---- all at once ----------------------------------------------------------------------------------------------------


def test_status_and_reason_of_each_are_told(server, home, data):
    by_api, by_command = told(server, data), listed(home)
    for name, stranger in STRANGERS.items():
        for row in (by_api[name], by_command[name]):
            assert (row["status"], row["distribution"]) == (stranger.status, distribution(name)), row
            assert stranger.reason in row["reason"]


def test_ours_run_and_work(server, admin, data):
    first_party = [row for row in told(server, data).values() if row["first_party"]]
    assert {row["status"] for row in first_party} == {"enabled"}
    use_devices(admin, data, "cellar")


def test_of_the_strangers_just_the_good_one_serves(server, admin, data, refusal):
    anybody = server.client()
    assert data(anybody.get("/greeting")) == {"said": "hello"}
    assert refusal(anybody.get("/devices")) == (401, "UNAUTHORIZED")
    assert "devices" in data(admin.get("/devices"))
    for path in ("/other", "/l"):
        assert refusal(anybody.get(path)) == (404, "NOT_FOUND")


def test_the_greeting_at_the_start_names_them(server, home):
    server.out.until("^Plugins running: ")
    expected = {name for name, one in STRANGERS.items() if one.status != "enabled"}
    while expected:
        name = server.out.until(rf"^  \w+: .*?\b({'|'.join(expected)})\b")[1]
        expected.remove(name)


# ---- with fewer plugins ---------------------------------------------------------------------------------------------


@pytest.fixture
def another_home(home, make_home):
    """The same installation, with nothing kept yet."""
    return make_home("another", PYTHONPATH=home.env["PYTHONPATH"])


def test_without_devices_the_rest_serves(another_home, data, refusal):
    """Those who need the cap are left out too, and the one who would take over the path that is free now."""
    left_out = "hangs_start,blocks_loop,takes_route"
    with serving(another_home, "--block", "devices", "--block", left_out) as server:
        plugins = told(server, data)
        assert (plugins["devices"]["status"], plugins["devices"]["reason"]) == ("blocked", "named in the block list")
        for name in ("telemetry", "transport_webhook"):
            assert plugins[name]["status"] == "missing_requirement"
            assert "devices" in plugins[name]["reason"]
        assert data(server.client().get("/health"))["status"] == "ok"
        assert data(server.client().get("/greeting")) == {"said": "hello"}
        assert data(server.client().post("/auth/register", json=ADMIN))["user"]["role"] == "admin"
        admin = server.user(**ADMIN)
        for path in ("/devices", "/devices/cellar/history", "/telemetry"):
            assert refusal(admin.get(path)) == (404, "NOT_FOUND")
        assert refusal(server.client().post("/devices/cellar/webhook", json={})) == (404, "NOT_FOUND")
    assert listed(another_home)["devices"]["status"] == "blocked"


def test_without_any_plugin_it_serves_and_says_so(another_home, refusal):
    with serving(another_home, NEOMIND_ONLY="nothing_of_that_name") as server:
        for path in ("/health", "/extensions", "/devices", "/greeting"):
            assert refusal(server.client().get(path)) == (404, "NOT_FOUND")
        described = server.client().get("/openapi.json")
        assert (described.status_code, described.json()["paths"]) == (200, {})
    plugins = listed(another_home)
    assert {"devices", "good"} <= set(plugins)
    assert plugins.pop("other_sdk")["status"] in ("blocked", "incompatible")  # it is both
    assert {row["status"] for row in plugins.values()} == {"blocked"}
    assert {row["reason"] for row in plugins.values()} == {"not named in the list of plugins to load"}


def test_in_safe_mode_no_stranger_is_imported(server, another_home, data):
    """``server`` is here as the negative control: there the same strangers were imported."""
    with serving(another_home, "--safe") as running:
        plugins = told(running, data)
        for name in STRANGERS:
            assert plugins[name]["status"] == "blocked"
            assert plugins[name]["reason"].startswith("safe mode: ")
        ours = {row["status"] for row in plugins.values() if row["first_party"]}
        assert ours == {"enabled"}
        running.client().post("/auth/register", json=ADMIN)
        use_devices(running.user(**ADMIN), data, "attic")
    assert listed(another_home)["good"]["status"] == "blocked"
    assert told(server, data)["good"]["status"] == "enabled"


# ---- installed for real, and while it runs --------------------------------------------------------------------------

NAMES = {
    "neomind_example": "acme_tutorial",
    "neomind-example": "acme-tutorial",
    "example = ": "tutorial = ",
    '"example"': '"tutorial"',
    '"pager"': '"acme_pager"',
    '"big-number"': '"acme-number"',
    '"announce"': '"acme_announce"',
}


def copy_of_the_example(directory):
    """The tutorial extension under the names of somebody else."""
    example = ROOT / "extensions" / "example"
    junk = shutil.ignore_patterns("*.egg-info", "__pycache__", "build", "tests")
    shutil.copytree(example, directory, ignore=junk)
    (directory / "src" / "neomind_example").rename(directory / "src" / "acme_tutorial")
    for path in [path for path in directory.rglob("*") if path.suffix in {".py", ".cfg"}]:
        text = path.read_text(encoding="utf-8")
        for old, new in NAMES.items():
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    return directory


def pip_install(source, site):
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(site), str(source)]
    env = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100, env=env)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(int(version("setuptools").split(".")[0]) < NEEDS_SETUPTOOLS, reason="setuptools is too old")
def test_what_pip_installs_is_enabled(make_home, tmp_path, data):
    pip_install(copy_of_the_example(tmp_path / "source"), tmp_path / "site")
    with serving(make_home("pip", PYTHONPATH=str(tmp_path / "site"))) as server:
        row = told(server, data)["tutorial"]
        assert (row["status"], row["distribution"], row["version"]) == ("enabled", "acme-tutorial", "0.1.0")
        server.client().post("/auth/register", json=ADMIN)
        admin = server.user(**ADMIN)
        rolled = data(admin.post("/extensions/tutorial/commands/roll", json={"count": 3, "sides": 2}))
        assert 3 <= rolled["total"] <= 6
        (component,) = data(admin.get("/extensions/tutorial/components"))
        drawn = server.client().get(component["bundle_url"].removeprefix("/api"))
        assert "export" in drawn.text


def test_what_is_installed_while_it_runs_is_found_when_asked(make_home, tmp_path, data, refusal):
    home, site = make_home("discover", PYTHONPATH=str(tmp_path)), tmp_path
    with serving(home) as server, GOOD.install(site, "late"):
        (home.data / "extensions").mkdir(exist_ok=True)
        single = Stranger(greets("hello from a file", "/file"), "enabled", "running")
        (home.data / "extensions" / "dropped.py").write_text(single.source("dropped"))
        server.client().post("/auth/register", json=ADMIN)
        admin = server.user(**ADMIN)
        assert refusal(admin.get("/greeting")) == (404, "NOT_FOUND")
        found = data(admin.post("/extensions/discover"))
        assert {row["id"]: row["status"] for row in found["extensions"]} == {"late": "enabled", "dropped": "enabled"}
        assert data(admin.get("/greeting")) == {"said": "hello"}
        assert data(admin.get("/file")) == {"said": "hello from a file"}
        assert data(admin.post("/extensions/discover"))["discovered"] == 0
        assert {listed(home)[name]["status"] for name in ("late", "dropped")} == {"enabled"}
