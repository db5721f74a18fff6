"""Two that want the same: first-party wins, two strangers are both refused, what runs stays."""

from __future__ import annotations

import pytest

ROUTE = """
async def handle(request): return {}
@hookimpl
def neomind_routes(ctx):
    return [Route(method='%s', path='%s', handler=handle, scope=PUBLIC, summary='.')]
"""
SETTINGS = """
@attrs.frozen
class Settings:
    size: int = %d
@hookimpl
def neomind_settings(ctx):
    return [SettingsSection(name='shared', cls=Settings)]
async def start(): assert CTX.settings[Settings].size == %d
@hookimpl
def neomind_start(ctx):
    global CTX
    CTX = ctx
    return [Step(name='look', run=start)]
"""


def by_dist(host):
    return {info.distribution: info for info in host.plugins()}


async def test_two_strangers_are_both_refused(house, reason):
    house.add("one", ROUTE % ("GET", "/x"))
    house.add("two", ROUTE % ("GET", "/x"))
    house.add("three", ROUTE % ("POST", "/x"))
    async with house.host() as host:
        text = "dist-one (one) and dist-two (two) both contribute the route 'GET /x'; neither gets it"
        assert reason(host, "one", "conflict") == text
        assert reason(host, "two", "conflict") == text
        reason(host, "three", "enabled")
        assert [owner for owner, _ in host.contributions("routes")] == ["three"]


async def test_first_party_wins(house, reason):
    house.add("aaa", ROUTE % ("GET", "/x"))
    house.first_party(zzz=ROUTE % ("GET", "/x"))
    async with house.host() as host:
        reason(host, "zzz", "enabled")
        text = "dist-aaa (aaa) and neomind-plugins (zzz) both contribute the route 'GET /x'; neomind-plugins keeps it"
        assert reason(host, "aaa", "conflict") == text


async def test_who_needs_the_loser_is_told(house, reason):
    house.add("aaa", ROUTE % ("GET", "/x"))
    house.add("needy", requires=("aaa",))
    house.first_party(zzz=ROUTE % ("GET", "/x"))
    async with house.host() as host:
        text = reason(host, "needy", "missing_requirement")
        assert text.startswith("requires 'aaa', which is not running: conflict: dist-aaa (aaa) and neomind-plugins")


@pytest.mark.parametrize(
    "hook",
    [
        "neomind_services(ctx): return [Service(key=DeviceDirectory, build=lambda ctx: 1)]",
        "neomind_listeners(ctx): return [Listener(name='x', events=(Event,), handle=print)]",
        "neomind_jobs(ctx): return [Job(name='x', trigger=Every(seconds=1), run=print)]",
        "neomind_health(ctx): return [HealthCheck(name='x', check=print)]",
        "neomind_agent_tools(ctx): return [AgentTool(name='x', description='', parameters={}, run=print)]",
        "neomind_cli(ctx): return [CliCommand(name='x', summary='.', build=print)]",
    ],
    ids=lambda hook: hook.partition("(")[0],
)
async def test_every_kind(house, statuses, hook):
    for name in ("one", "two"):
        house.add(name, f"@hookimpl\ndef {hook}")
    async with house.host() as host:
        assert statuses(host) == {"one": "conflict", "two": "conflict"}


async def test_commands_belong_to_their_plugin(house, statuses):
    for name in ("one", "two"):
        house.add(name, "@hookimpl\ndef neomind_commands(ctx): return [ExtensionCommand(name='roll', run=print)]")
    async with house.host() as host:
        assert statuses(host) == {"one": "enabled", "two": "enabled"}


PRIVATE = """
@hookimpl
def neomind_services(ctx): return [Service(key=str, build=lambda ctx: ctx.plugin, private=True)]
@hookimpl
def neomind_start(ctx):
    async def start(): assert ctx.services[str] == ctx.plugin
    return [Step(name="start", run=start)]
"""


async def test_private_services_are_no_conflict(house, statuses):
    for name in ("one", "two"):
        house.add(name, PRIVATE)
    house.add("public", PRIVATE.replace(", private=True", ""))
    async with house.host() as host:
        assert statuses(host) == {"one": "enabled", "two": "enabled", "public": "enabled"}


async def test_one_name_in_two_distributions(house, source):
    dists = [
        house.install(f"d{n}", plugins={"m": f"fake{n}:plugin"}, modules={f"fake{n}": source("m")}) for n in (1, 2)
    ]
    async with house.host() as host:
        text = "d1 and d2 both have a plugin 'm'; neither is loaded"
        assert [(info.status, info.reason) for info in host.plugins()] == [("conflict", text)] * 2
    assert [dist.loaded() for dist in dists] == [[], []]


async def test_a_blocked_rival_is_none(house, source):
    """The block list goes by name, so both are blocked; a rival that does not fit is out of the race."""
    modules = {"fake1": source("m")}
    house.install("d1", plugins={"m": "fake1:plugin"}, modules=modules, requires=["neomind-sdk>=99"])
    house.install("d2", plugins={"m": "fake2:plugin"}, modules={"fake2": source("m")})
    async with house.host() as host:
        assert {dist: info.status for dist, info in by_dist(host).items()} == {"d1": "incompatible", "d2": "enabled"}


async def test_what_runs_stays(house, reason):
    house.add("runs", ROUTE % ("GET", "/x"))
    async with house.host() as host:
        house.first_party(late=ROUTE % ("GET", "/x"))
        await host.discover()
        reason(host, "runs", "enabled")
        assert "dist-runs keeps it" in reason(host, "late", "conflict")
        assert [owner for owner, _ in host.contributions("routes")] == ["runs"]


async def test_a_name_that_runs_stays(house, source):
    house.add("m", ROUTE % ("GET", "/x"))
    async with house.host() as host:
        other = house.install("d", plugins={"m": "other:plugin"}, modules={"other": source("m")})
        await host.discover()
        found = by_dist(host)
        assert found["dist-m"].status == "enabled"
        assert found["d"].reason == "d and dist-m both have a plugin 'm'; dist-m keeps the name"
        assert other.loaded() == []
        assert len(host.contributions("routes")) == 1, "the hooks of the one that runs are untouched"


async def test_settings_of_the_winner_survive(house, reason):
    house.add("aaa", SETTINGS % (1, 1))
    house.first_party(zzz=SETTINGS % (2, 2))
    async with house.host() as host:
        reason(host, "zzz", "enabled")
        assert "both contribute the setting 'shared'" in reason(host, "aaa", "conflict")
        assert host.settings.current("shared").size == 2
        assert [section.name for section in host.settings.sections()] == ["shared"]


async def test_settings_of_who_runs_survive(house, reason):
    house.add("zzz", SETTINGS % (1, 1))
    async with house.host() as host:
        house.first_party(aaa=SETTINGS % (2, 2))
        await host.discover()
        reason(host, "aaa", "conflict")
        assert host.settings.current("shared").size == 1
        assert [section.name for section in host.settings.sections()] == ["shared"]
