"""Who provides what, and who may ask for it."""

from __future__ import annotations

import pytest

from neomind_core.contracts import ServiceMissing, Unavailable
from neomind_core.host.services import ServiceRegistry, ServicesOf


class Greeter:
    pass


@pytest.fixture
def registry():
    return ServiceRegistry()


def view(registry, plugin="me", declared=()):
    return ServicesOf(registry, plugin, lambda owner: owner in declared)


def test_what_nobody_provides(registry):
    services = view(registry)
    assert services.find(Greeter) is None
    with pytest.raises(ServiceMissing, match="No plugin provides Greeter") as caught:
        services[Greeter]
    assert isinstance(caught.value, Unavailable)
    assert caught.value.status == 503
    assert caught.value.headers == {"Retry-After": "5"}


def test_what_was_declared(registry):
    one = Greeter()
    registry.add(Greeter, one, "greeter")
    services = view(registry, declared=["greeter"])
    assert services[Greeter] is one
    assert services.find(Greeter) is one


@pytest.mark.parametrize("ask", [lambda s: s.find(Greeter), lambda s: s[Greeter]])
def test_what_was_not_declared_names_what_to_declare(registry, ask):
    registry.add(Greeter, Greeter(), "greeter")
    with pytest.raises(LookupError, match="'me' uses Greeter of 'greeter' without naming it in requires or after"):
        ask(view(registry))


def test_the_own_and_the_hosts_need_no_declaration(registry):
    registry.add(Greeter, "own", "me")
    registry.add(int, "host")
    services = view(registry)
    assert (services[Greeter], services[int]) == ("own", "host")


def test_removing_an_owner_leaves_the_others(registry):
    registry.add(Greeter, 1, "a")
    registry.add(int, 2, "b")
    registry.remove_owner("a")
    assert registry.get(Greeter) is None
    assert registry.get(int).value == 2
    registry.remove(int)
    registry.remove(int)
    assert registry.get(int) is None


def test_the_private_one_is_seen_by_its_owner_only(registry):
    registry.add(Greeter, "public", "greeter")
    registry.add(Greeter, "mine", "me", private=True)
    registry.add(int, 1, "me", private=True)
    assert view(registry)[Greeter] == "mine"
    other = view(registry, "other", declared=["greeter", "me"])
    assert (other[Greeter], other.find(int)) == ("public", None)
    registry.remove_owner("me")
    assert view(registry, declared=["greeter"])[Greeter] == "public"


def test_views_are_live(registry):
    services = view(registry, declared=["greeter"])
    assert services.find(Greeter) is None
    registry.add(Greeter, "there", "greeter")
    assert services[Greeter] == "there"
    registry.remove_owner("greeter")
    with pytest.raises(ServiceMissing):
        services[Greeter]
