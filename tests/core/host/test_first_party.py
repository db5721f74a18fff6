"""Who counts as first-party: the distribution decides, and nothing that a plugin says about itself."""

from __future__ import annotations

import pytest

from neomind_core.host.discovery import Candidate, scan
from neomind_sdk.testing import fake_dist


def candidate(distribution):
    return Candidate(name="x", distribution=distribution, version="1", location=None, load=lambda: None)


def test_the_distribution_decides():
    assert candidate("neomind-plugins").first_party
    for stranger in ("neomind-plugins-extra", "neomind-plugin", "neomind", "file:neomind-plugins", "unknown", ""):
        assert not candidate(stranger).first_party


def find(name):
    return [one for one in scan(None) if one.name == name]


def test_names_that_resemble(tmp_path, source):
    for dist in ("neomind-plugins2", "neomind-plugins-x", "xneomind-plugins", "neomindplugins"):
        with fake_dist(tmp_path, dist, plugins={"evil": "evil:plugin"}, modules={"evil": source("evil")}):
            (found,) = find("evil")
            assert not found.first_party, dist


def test_pointing_at_first_party_code_does_not_help(tmp_path):
    with fake_dist(tmp_path, "stranger", plugins={"evil": "neomind_plugins.settings:plugin"}):
        assert [one.first_party for one in find("evil")] == [False]


async def test_a_file_named_like_it(house):
    house.extensions.mkdir(parents=True)
    (house.extensions / "neomind_plugins.py").write_text(
        "from neomind_sdk import Plugin\nplugin = Plugin(name='neomind_plugins', summary='.')\n"
    )
    async with house.host() as host:
        (info,) = host.plugins()
        assert (info.distribution, info.first_party) == ("file:neomind_plugins.py", False)
        assert info.status == "enabled"


async def test_a_plugin_named_like_one_of_ours_gives_way(house, statuses):
    ours = house.first_party(devices="")
    stranger = house.add("devices")
    async with house.host() as host:
        found = {info.distribution: info for info in host.plugins()}
        assert found["neomind-plugins"].status == "enabled"
        assert found["dist-devices"].status == "conflict"
        text = "dist-devices and neomind-plugins both have a plugin 'devices'; neomind-plugins keeps the name"
        assert found["dist-devices"].reason == text
    assert stranger.loaded() == []
    assert ours.loaded() == ["ours_devices"]


@pytest.mark.parametrize("spelling", ["neomind-plugins", "NeoMind.Plugins", "neomind_plugins"])
def test_the_same_name_is_the_same_distribution(tmp_path, source, spelling):
    """Every spelling of one name is one distribution to an installer: who puts that name first has replaced ours."""
    with fake_dist(tmp_path, spelling, plugins={"evil": "evil:plugin"}, modules={"evil": source("evil")}):
        assert [one.first_party for one in find("evil")] == [True]
        assert {one.name for one in scan(None) if one.first_party} == {"evil"}, "ours is out of sight"
