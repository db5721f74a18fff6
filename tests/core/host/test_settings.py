"""Sections of plugins: where values come from, what a bad one does, how they change."""

from __future__ import annotations

import pytest

from neomind_core.contracts import Listener, ServiceMissing, SettingsChanged, SettingsRegistry, ValidationFailed

SECTION = """
@attrs.frozen
class Settings:
    size: int = fields.number(ge=1, le=9, default=2)
    name: str = fields.text(min=1, default="x")
    on: bool = False
    hosts: list[str] = attrs.field(factory=list)
    limits: dict[str, int] = attrs.field(factory=dict)
@attrs.frozen
class Extra:
    deep: int = 1
@hookimpl
def neomind_settings(ctx):
    return [SettingsSection(name="greeter", cls=Settings, editable=True), SettingsSection(name="extra", cls=Extra)]
@hookimpl
def neomind_routes(ctx):
    global SEEN, CTX
    SEEN, CTX = ctx.settings[Settings], ctx
    return []
"""


@pytest.fixture
def greeter(house):
    return house.add("greeter", SECTION)


def current(host):
    return host.settings.current("greeter")


async def test_defaults_and_the_other_hooks_see_them(house, greeter, reason):
    async with house.host() as host:
        import fake_greeter

        reason(host, "greeter", "enabled")
        assert current(host) == fake_greeter.Settings()
        assert fake_greeter.Settings() == fake_greeter.SEEN
        assert isinstance(host.settings, SettingsRegistry)
        assert [section.name for section in host.settings.sections()] == ["extra", "greeter"]


async def test_file_then_environment(house, greeter):
    plugin = {"greeter": {"size": 3, "name": "file", "limits": {"a": 1}, "extra": {"deep": 5}}}
    environment = {"NEOMIND_GREETER__NAME": "env", "NEOMIND_GREETER__ON": "yes", "NEOMIND_GREETER__HOSTS": "a, b"}
    async with house.host(plugin=plugin, environment=environment) as host:
        import fake_greeter

        assert current(host) == fake_greeter.Settings(size=3, name="env", on=True, hosts=["a", "b"], limits={"a": 1})
        assert host.settings.current("extra").deep == 5


async def test_environment_of_the_second_section(house, greeter):
    async with house.host(environment={"NEOMIND_GREETER__EXTRA__DEEP": "6"}) as host:
        assert host.settings.current("extra").deep == 6


BAD = [
    ({"plugin": {"greeter": {"size": 10}}}, "[plugin.greeter] size: must be at most 9"),
    ({"plugin": {"greeter": {"size": "3"}}}, "[plugin.greeter] size: must be an integer"),
    ({"plugin": {"greeter": {"name": "  "}}}, "[plugin.greeter] name: must not be blank"),
    ({"plugin": {"greeter": {"hosts": ["a", 1]}}}, "[plugin.greeter] hosts[1]: must be text"),
    ({"plugin": {"greeter": {"sise": 3}}}, "[plugin.greeter] sise: there is no such setting; known are size, name"),
    ({"plugin": {"greeter": 5}}, "[plugin.greeter] greeter: must be a table"),
    ({"plugin": {"greeter": {"extra": 5}}}, "[plugin.greeter] extra: there is no such setting"),
    ({"plugin": {"greeter": {"extra": {"deep": "x"}}}}, "[plugin.greeter] deep: must be an integer"),
    ({"environment": {"NEOMIND_GREETER__SIZE": "many"}}, "[plugin.greeter] size: must be an integer"),
    ({"environment": {"NEOMIND_GREETER__SISE": "3"}}, "[plugin.greeter] sise: there is no such setting"),
]


@pytest.mark.parametrize(("options", "text"), BAD, ids=[text[16:50] for _, text in BAD])
async def test_a_bad_section_stops_that_plugin_only(house, greeter, reason, options, text):
    house.add("good")
    house.add("needs", requires=("greeter",))
    async with house.host(**options) as host:
        assert reason(host, "greeter", "config_error").startswith(text)
        assert text in reason(host, "needs", "missing_requirement")
        reason(host, "good", "enabled")
        assert host.settings.sections() == ()


async def test_changing(house, greeter):
    heard = []

    async def hear(notices):
        heard.extend(notice.event for notice in notices)

    async with house.host(plugin={"greeter": {"size": 3}}) as host:
        import fake_greeter

        host.bus.subscribe(Listener(name="test", events=(SettingsChanged,), handle=hear))
        merged = host.settings.merged("greeter", {"name": "new"})
        assert merged == fake_greeter.Settings(size=3, name="new")
        assert current(host).name == "x", "merging changes nothing yet"
        host.settings.replace("greeter", merged)
        assert current(host) is merged
        assert fake_greeter.CTX.settings[fake_greeter.Settings] is merged
        await host.bus.settle()
        assert heard == [SettingsChanged(section="greeter")]


@pytest.mark.parametrize(
    ("changes", "text"), [({"size": 0}, "size: must be at least 1"), ({"sise": 1}, "sise: is not a setting")]
)
async def test_bad_changes(house, greeter, changes, text):
    async with house.host() as host:
        with pytest.raises(ValidationFailed, match=text):
            host.settings.merged("greeter", changes)


async def test_unknown_sections(house):
    async with house.host() as host:
        for ask in (host.settings.current, lambda name: host.settings.merged(name, {})):
            with pytest.raises(KeyError):
                ask("nobody")
        with pytest.raises(ServiceMissing, match="No plugin has the settings int"):
            host.settings.value(int)
