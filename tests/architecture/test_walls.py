"""Who may import whom, where the linter has no words for it: these rules hold for every new plugin by themselves."""

import ast
import fnmatch

import pytest

PURE = {"attr", "attrs"}
# Who may import a library; everybody in a package that is named, and what fits a pattern.
OWNERS = {
    "starlette": ["neomind_core.host.http"],
    "uvicorn": ["neomind_core.host", "neomind_sdk.testing"],
    "uvloop": ["neomind_core.host", "neomind_sdk.testing"],
    "httptools": ["neomind_core.host"],
    "websockets": ["neomind_core.host"],
    "pluggy": ["neomind_core.hookspecs", "neomind_core.host.calls", "neomind_core.host.discovery"],
    "cattrs": ["neomind_core.host", "neomind_sdk"],
    "httpx2": ["neomind_core.host.egress*", "neomind_sdk.testing"],
    "httpcore2": ["neomind_core.host.egress*"],
    "peewee": [
        "neomind_core.host.tables",
        "neomind_sdk.tables",
        "neomind_sdk.testing",
        "neomind_plugins.*.tables",
        "neomind_plugins.*.migrations",
        "neomind_plugins.storage_*",
        "neomind_storage_*",
    ],
    "playhouse": ["neomind_core.host.tables", "neomind_sdk.testing", "neomind_plugins.storage_*", "neomind_storage_*"],
    "apsw": ["neomind_plugins.storage_sqlite"],
    "jwt": ["neomind_plugins.accounts"],
    "argon2": ["neomind_plugins.accounts"],
    "apscheduler": ["neomind_plugins.scheduler"],
    "jinja2": ["neomind_plugins.data_push.templates"],
    "paho": ["neomind_plugins.transport_mqtt", "neomind_plugins.mqtt_broker"],
    "requests": [],
    "httpx": [],
    "aiohttp": [],
    "flask": [],
    "fastapi": [],
    "sqlalchemy": [],
}
LAYERS = [{"hooks"}, {"routes", "jobs", "cli"}, {"service"}, {"models", "errors", "tables"}]
HEAVY = set(OWNERS) - {"pluggy"} | {"orjson", "jsonschema", "click", "multipart", "python_multipart"}


def is_in(module, places):
    """Whether ``module`` is one of ``places`` (patterns) or below one."""
    return any(fnmatch.fnmatchcase(module, place) or fnmatch.fnmatchcase(module, f"{place}.*") for place in places)


def home_of(house, module):
    """The plugin's package that a module belongs to, or its distribution's."""
    found = [package for package in house.plugin_packages if is_in(module, [package])]
    return found[0] if found else module.partition(".")[0]


# ---- the rules: each gives what breaks it ---------------------------------------------------------------------------


def impure_contracts(house, stdlib):
    allowed = stdlib | PURE
    for module in house.under("neomind_core.contracts", "neomind_core.hookspecs"):
        mine = allowed | ({"pluggy"} if module.name == "neomind_core.hookspecs" else set())
        yield from (one for one in module.imports() if one.library not in mine | {"neomind_core"})


def strangers_of_core(house):
    for module in house.under("neomind_core"):
        yield from (i for i in module.imports() if i.library.startswith("neomind") and i.library != "neomind_core")


def crossings(house):
    """Imports by plugins and extensions of anything of ours but the SDK and themselves."""
    for module in house.under(*house.plugin_packages):
        home = home_of(house, module.name)
        for one in module.imports():
            ours = one.library.startswith("neomind") and not is_in(one.imported, ["neomind_sdk", home])
            if ours and not is_in(home, [one.imported]):
                yield one


def trespassers(house):
    for module in house.modules:
        yield from (i for i in module.imports() if not is_in(module.name, OWNERS.get(i.library, ["*"])))


def layer(home, name):
    tail = name.removeprefix(f"{home}.").partition(".")[0] if name.startswith(f"{home}.") else ""
    return next((number for number, names in enumerate(LAYERS) if tail in names), None), tail


def climbers(house):
    """Imports, inside a plugin, of a higher layer or of a neighbour in the same one."""
    for module in house.under(*house.plugin_packages):
        home = home_of(house, module.name)
        mine, tail = layer(home, module.name)
        for one in module.imports():
            other, other_tail = layer(home, one.imported)
            if None not in (mine, other) and tail != other_tail and other <= mine:
                yield one


def broken_starts(house):
    """What a plugin's ``__init__`` imports besides the standard library and the SDK's names."""
    for package in house.plugin_packages:
        for module in (m for m in house.modules if m.name == package):
            for one in module.imports():
                if is_in(one.imported, [package]) or one.library in HEAVY:
                    yield one


def told(found):
    return [str(one) for one in found]


# ---- they hold ------------------------------------------------------------------------------------------------------


def test_contracts_import_the_standard_library_and_attrs_only(house, stdlib):
    assert told(impure_contracts(house, stdlib)) == []


def test_core_imports_nothing_of_ours(house):
    assert told(strangers_of_core(house)) == []


def test_plugins_import_the_sdk_and_themselves_only(house):
    assert told(crossings(house)) == []


def test_libraries_are_imported_by_their_owners_only(house):
    assert told(trespassers(house)) == []


def test_layers_inside_plugins(house):
    assert told(climbers(house)) == []


def test_the_init_of_a_plugin_is_metadata(house):
    assert told(broken_starts(house)) == []


def test_a_library_in_use_whose_owner_design_names_has_a_contract(house):
    named = {"starlette", "peewee", "paho", "apscheduler", "jwt", "httpx2"}
    used = {one.library for module in house.modules for one in module.imports()} & named
    text = (house.root / "setup.cfg").read_text(encoding="utf-8")
    missing = sorted(library for library in used if f"[importlinter:contract:owner_of_{library}]" not in text)
    assert missing == [], "these are in use now: give each a contract [importlinter:contract:owner_of_<library>]"


# ---- and they can turn red ------------------------------------------------------------------------------------------

NEW = "plugins/src/neomind_plugins/brand_new"


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (impure_contracts, "core/src/neomind_core/contracts/clock.py", "import orjson"),
        (impure_contracts, "core/src/neomind_core/contracts/clock.py", "import pluggy"),
        (strangers_of_core, "core/src/neomind_core/host/order.py", "def late():\n    from neomind_sdk import units"),
        (crossings, f"{NEW}/service.py", "from neomind_core import contracts"),
        (crossings, f"{NEW}/service.py", "from ..devices import models"),
        (crossings, f"{NEW}/service.py", "from .. import devices"),
        (crossings, f"{NEW}/service.py", "from neomind_example.dice import ROLL"),
        (crossings, "extensions/example/src/neomind_example/dice.py", "import neomind_plugins"),
        (trespassers, f"{NEW}/service.py", "import peewee"),
        (trespassers, f"{NEW}/routes.py", "def late():\n    from starlette.requests import Request"),
        (trespassers, f"{NEW}/jobs.py", "import apscheduler.schedulers"),
        (trespassers, f"{NEW}/transport.py", "from paho.mqtt import client"),
        (trespassers, f"{NEW}/scheme.py", "import jwt"),
        (trespassers, f"{NEW}/channel.py", "import requests"),
        (trespassers, "core/src/neomind_core/host/loader.py", "import pluggy"),
        (climbers, f"{NEW}/models.py", "from .service import Thing"),
        (climbers, f"{NEW}/service.py", "from .routes import routes"),
        (climbers, f"{NEW}/routes.py", "from .jobs import jobs"),
        (climbers, f"{NEW}/errors.py", "from neomind_plugins.brand_new import tables"),
        (broken_starts, f"{NEW}/__init__.py", "from .service import Thing"),
        (broken_starts, f"{NEW}/__init__.py", "import peewee"),
    ],
)
def test_a_violation_is_noticed(plant, stdlib, rule, path, text):
    copy = plant(path, text)
    copy.write(f"{NEW}/__init__.py", "")
    assert told(rule(copy, stdlib) if rule is impure_contracts else rule(copy)) != []


def test_what_may_be_imported_is_not_taken_for_a_violation(plant):
    copy = plant(f"{NEW}/__init__.py", "from neomind_sdk import Plugin")
    copy.write(f"{NEW}/hooks.py", "from . import routes\nfrom .models import Thing")
    copy.write(f"{NEW}/routes.py", "from .service import Thing\nfrom neomind_sdk import Route")
    copy.write(f"{NEW}/tables.py", "import peewee\nfrom neomind_sdk.tables import Model")
    rules = (crossings, trespassers, climbers, broken_starts)
    assert [str(one) for rule in rules for one in rule(copy) if NEW in one.where] == []


def test_relative_imports_are_resolved(plant):
    copy = plant(f"{NEW}/deep/__init__.py", "from ..service import a\nfrom . import b\nfrom ... import devices")
    module = next(m for m in copy.modules if m.name == "neomind_plugins.brand_new.deep")
    assert ast.dump(module.tree)
    assert [one.imported for one in module.imports()] == [
        "neomind_plugins.brand_new.service.a",
        "neomind_plugins.brand_new.deep.b",
        "neomind_plugins.devices",
    ]
