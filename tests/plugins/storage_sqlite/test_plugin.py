"""What the plugin says about itself."""

from __future__ import annotations

import subprocess
import sys

from neomind_plugins.storage_sqlite import hooks, plugin
from neomind_plugins.storage_sqlite.models import SqliteSettings


def test_the_plugin_provides_storage():
    assert (plugin.name, plugin.provides, plugin.requires) == ("storage_sqlite", ("storage",), ())


def test_the_engine_gets_its_settings():
    (section,) = hooks.neomind_settings(None)
    (engine,) = hooks.neomind_storages(None)
    assert section.cls is engine.settings is SqliteSettings
    assert (engine.name, section.name) == ("sqlite", plugin.name)


def test_importing_the_plugin_is_light():
    check = "assert not {'apsw', 'peewee', 'orjson'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", f"import sys, neomind_plugins.storage_sqlite.hooks; {check}"], check=True)
