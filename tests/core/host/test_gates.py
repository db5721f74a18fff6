"""What is decided before a plugin is imported, and what happens when it is."""

from __future__ import annotations

import sys
import threading

import pytest

from neomind_core.contracts import PluginInfo
from neomind_core.host.records import PluginFailed

SPY = 'import sys\nsys.argv_spy = "imported"\n'


@pytest.fixture(autouse=True)
def no_traces():
    yield
    vars(sys).pop("argv_spy", None)


async def test_an_empty_house_starts(house):
    async with house.host() as host:
        assert list(host.plugins()) == []


async def test_enabled(house, reason):
    dist = house.add("good", version="3.2", author="Me")
    async with house.host() as host:
        assert reason(host, "good", "enabled") == "running"
        (info,) = host.plugins()
        assert isinstance(info, PluginInfo)
        assert (info.distribution, info.version, info.author) == ("dist-good", "3.2", "Me")
        assert info.location == "fake_good:plugin"
        assert info.since_ms > 0
        assert dist.loaded() == ["fake_good"]


async def test_blocked(house, reason):
    dist, other = house.add("bad", SPY), house.add("good")
    async with house.host(block=["bad"]) as host:
        assert reason(host, "bad", "blocked") == "named in the block list"
        assert reason(host, "good", "enabled")
    assert dist.loaded() == []
    assert not hasattr(sys, "argv_spy")
    assert other.loaded(), "the other one was imported: the spy works"


async def test_the_spy_sees_an_import(house):
    house.add("bad", SPY)
    async with house.host():
        assert sys.argv_spy == "imported"


@pytest.mark.parametrize(("only", "enabled"), [(["one"], {"one"}), ([], set()), (["one", "nobody"], {"one"})])
async def test_only(house, statuses, only, enabled):
    dists = {name: house.add(name) for name in ("one", "two")}
    async with house.host(only=only) as host:
        assert {name for name, status in statuses(host).items() if status == "enabled"} == enabled
        assert {name for name, dist in dists.items() if dist.loaded()} == enabled
        assert all(
            info.reason == "not named in the list of plugins to load"
            for info in host.plugins()
            if info.name not in enabled
        )


async def test_block_wins_over_only(house, reason):
    house.add("one")
    async with house.host(only=["one"], block=["one"]) as host:
        assert reason(host, "one", "blocked") == "named in the block list"


@pytest.mark.parametrize(
    ("requires", "gate"),
    [
        (["neomind-sdk>=99"], "needs neomind-sdk >=99, this is"),
        (["NeoMind_SDK<0.1"], "needs neomind-sdk <0.1, this is"),
        (["attrs", "neomind.sdk==9.*"], "needs neomind-sdk ==9.*, this is"),
    ],
)
async def test_incompatible(house, reason, requires, gate):
    dist = house.add("old", SPY, requires_dist=requires)
    async with house.host() as host:
        assert reason(host, "old", "incompatible").startswith(f"dist-old {gate}")
    assert dist.loaded() == []


@pytest.mark.parametrize(
    "requires",
    [
        [],
        ["attrs>=99"],
        ["neomind-sdk"],
        ["neomind-sdk>=0.0.1"],
        ["neomind-sdk>=99; python_version < '3'"],
        ["neomind-sdk>=99; extra == 'future'"],
        ["this is no requirement"],
    ],
)
async def test_compatible(house, reason, requires):
    house.add("fine", requires_dist=requires)
    async with house.host() as host:
        reason(host, "fine", "enabled")


async def test_safe_mode_imports_no_stranger(house, reason):
    stranger = house.add("stranger", SPY)
    ours = house.first_party(ours="")
    (house.extensions).mkdir(parents=True)
    (house.extensions / "loose.py").write_text(SPY)
    async with house.host(safe="three crashes in a row") as host:
        assert reason(host, "stranger", "blocked") == "safe mode: three crashes in a row"
        assert reason(host, "loose", "blocked") == "safe mode: three crashes in a row"
        reason(host, "ours", "enabled")
        assert host.safe_mode == "three crashes in a row"
    assert stranger.loaded() == []
    assert ours.loaded() == ["ours_ours"]
    assert not hasattr(sys, "argv_spy")


async def test_safe_mode_of_the_configuration(house, reason):
    house.add("stranger")
    async with house.host(safe=None) as host:
        assert host.safe_mode is None
    async with house.host(safe_config=True) as host:
        assert reason(host, "stranger", "blocked") == "safe mode: asked for"


IMPORT_ERRORS = [
    ("raise ValueError('boom')", "ValueError: boom"),
    ("import not_there_at_all", "ModuleNotFoundError: No module named 'not_there_at_all'"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("class Odd(BaseException): ...\nraise Odd('x')", "Odd: x"),
    ("def (", "SyntaxError: "),
]


@pytest.mark.parametrize(("body", "text"), IMPORT_ERRORS, ids=lambda value: value[:24])
async def test_import_error(house, reason, body, text):
    house.add("bad", body)
    house.add("good")
    async with house.host() as host:
        assert reason(host, "bad", "import_error").startswith(text)
        reason(host, "good", "enabled")


async def test_an_entry_point_to_nowhere(house, reason):
    house.install("d", plugins={"ghost": "no_such_module_here:plugin"}, modules={})
    async with house.host() as host:
        assert "no_such_module_here" in reason(host, "ghost", "import_error")


async def test_hanging_at_import(house, reason):
    release = threading.Event()
    sys.argv_spy = release
    house.add("bad", "import sys\nsys.argv_spy.wait()\n")
    house.add("good")
    try:
        async with house.host(start_cap_s=0.2) as host:
            assert reason(host, "bad", "import_error") == "importing it took over 0.2 s"
            reason(host, "good", "enabled")
    finally:
        release.set()
        for thread in threading.enumerate():
            if thread.name == "neomind-foreign":
                thread.join(5)


@pytest.mark.parametrize(
    ("attr", "text"),
    [
        ("missing", "fake_m:missing is NoneType, a neomind_sdk.Plugin is wanted"),
        ("asyncio", "fake_m:asyncio is module, a neomind_sdk.Plugin is wanted"),
        ("Plugin", "fake_m:Plugin is type, a neomind_sdk.Plugin is wanted"),
    ],
)
async def test_manifest_error_no_plugin(house, reason, source, attr, text):
    house.install("d", plugins={"m": f"fake_m:{attr}"}, modules={"fake_m": source("m")})
    async with house.host() as host:
        assert reason(host, "m", "manifest_error") == text


async def test_manifest_error_other_name(house, reason, source):
    house.install("d", plugins={"m": "fake_m:plugin"}, modules={"fake_m": source("n")})
    async with house.host() as host:
        text = "the entry point is called 'm' and the plugin 'n'; they must be equal"
        assert reason(host, "m", "manifest_error") == text


async def test_a_name_that_is_none_is_not_imported(house, reason, source):
    dist = house.install("d", plugins={"My-Plugin": "fake_m:plugin"}, modules={"fake_m": source("m")})
    async with house.host() as host:
        assert "lower case letters" in reason(host, "My-Plugin", "manifest_error")
    assert dist.loaded() == []


async def test_a_package_without_hooks_module(house, reason, source):
    house.install("d", plugins={"m": "fake_m:plugin"}, modules={"fake_m": source("m"), "fake_m.other": ""})
    async with house.host() as host:
        assert "fake_m.hooks" in reason(host, "m", "import_error")


async def test_a_package_with_hooks_elsewhere(house, reason, source):
    modules = {"fake_m": source("m", hooks="fake_m.elsewhere"), "fake_m.elsewhere": ""}
    dist = house.install("d", plugins={"m": "fake_m:plugin"}, modules=modules)
    async with house.host() as host:
        reason(host, "m", "enabled")
        assert dist.loaded() == ["fake_m", "fake_m.elsewhere"]


async def test_strict_mode_raises(house):
    house.add("bad", "raise ValueError('boom')")
    with pytest.raises(PluginFailed, match="bad: import_error: ValueError: boom") as caught:
        async with house.host(strict=True):
            pass
    assert caught.value.status == "import_error"
    assert isinstance(caught.value.__cause__, ValueError)


async def test_strict_mode_is_content_with_blocked_ones(house, reason):
    house.add("bad", "raise ValueError")
    async with house.host(strict=True, block=["bad"]) as host:
        reason(host, "bad", "blocked")


async def test_broken_metadata_hinders_nobody(house, reason):
    """Distributions that were removed by half, or never were any; what a name can be had of is told."""
    house.dists["unknown"] = house.add("half")
    (house.dists["dist-half"].dist_info / "METADATA").unlink()
    garbage = house.add("garbage")
    (garbage.dist_info / "entry_points.txt").write_text("this [is\nno = ini file\n= =\n[neomind.plugins\n")
    binary = house.add("binary")
    (binary.dist_info / "METADATA").write_bytes(b"\xff\xfe\x00")
    house.add("good")
    async with house.host() as host:
        reason(host, "good", "enabled")
        assert "metadata that cannot be read" in reason(host, "half", "incompatible")
        assert "metadata that cannot be read" in reason(host, "binary", "incompatible")


async def test_the_remains_of_an_old_release_do_not_hurt_the_new_one(house, statuses):
    house.dists["unknown"] = old = house.install("d", plugins={"m": "fake_m:plugin"}, modules={})
    (old.dist_info / "METADATA").unlink()
    house.add("m", dist="d")
    async with house.host() as host:
        assert sorted(info.status.value for info in host.plugins()) == ["enabled", "incompatible"]


async def test_a_distribution_in_the_shadow_of_another_of_its_name_does_not_count(house, source):
    """As in Python itself, the first on the path is the one that is imported."""
    house.install("d", plugins={"m": "fake_m:plugin", "gone": "fake_m:gone"}, modules={"fake_m": "raise ValueError"})
    house.install("D", plugins={"m": "fake_m:plugin"}, modules={"fake_m": source("m")}, version="2")
    async with house.host() as host:
        assert [(info.name, info.version, info.status) for info in host.plugins()] == [("m", "2", "enabled")]


async def test_a_directory_that_says_another_name_than_its_metadata(house, statuses):
    house.dists["unknown"] = liar = house.add("liar")
    metadata = liar.dist_info / "METADATA"
    metadata.write_text(metadata.read_text().replace("dist-liar", "nobody-has-this-name"))
    async with house.host() as host:
        assert statuses(host) == {"liar": "incompatible"}
