"""The suites for jobs, health, listeners, services and transports: good ones pass, broken ones are found out."""

from __future__ import annotations

import asyncio
import functools
from typing import Protocol

import attrs
import pytest

from neomind_core.contracts import (
    Clock,
    Cron,
    DeviceOnline,
    DeviceUpdated,
    Event,
    Every,
    Health,
    HealthCheck,
    Job,
    Listener,
    Once,
    ReceiveOnly,
    Service,
    TransportStatus,
)
from neomind_sdk.testing.suites import (
    HealthContract,
    JobContract,
    ListenerContract,
    ServiceContract,
    TransportContract,
    work,
)
from neomind_sdk.testing.suites.base import StillClock


async def tidy():
    return None


async def partly(what):
    return None


TIDY = Job(name="clock.tidy", trigger=Every(seconds=lambda: 5.0, jitter=0.1), run=tidy)


class ForJobs(JobContract):
    def make(self):
        return [
            TIDY,
            attrs.evolve(TIDY, trigger=Cron(expression="0 3 * * *", timezone="Europe/Berlin")),
            attrs.evolve(TIDY, trigger=Once(at_ms=1_700_000_000_000), run=functools.partial(partly, "all")),
        ]


class TestJobs(ForJobs):
    pass


async def talkative():
    return 5


JOBS = ForJobs()


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (JOBS.test_jobs_are_well_formed, {"name": "Tidy up"}, "is named 'Tidy up'"),
        (JOBS.test_jobs_are_well_formed, {"run": print}, "must be an async function"),
        (JOBS.test_jobs_are_well_formed, {"misfire": "always"}, "not 'always'"),
        (JOBS.test_jobs_are_well_formed, {"timeout_s": 0}, "more than 0 seconds"),
        (JOBS.test_triggers_make_sense, {"trigger": Every(seconds=0)}, "seconds must be more than 0"),
        (JOBS.test_triggers_make_sense, {"trigger": Every(seconds=1, jitter=2)}, "jitter within"),
        (JOBS.test_triggers_make_sense, {"trigger": Cron(expression="* * *")}, "5, 6 or 7 fields"),
        (JOBS.test_triggers_make_sense, {"trigger": Cron(expression="* * * * *", timezone="Mars/X")}, "no time zone"),
        (JOBS.test_triggers_make_sense, {"trigger": Once(at_ms=1_700_000_000)}, "milliseconds"),
        (JOBS.test_triggers_make_sense, {"trigger": 60}, "must be Every, Cron or Once, not int"),
        (JOBS.test_jobs_can_run_twice, {"run": talkative}, "returned 5"),
    ],
)
async def test_broken_jobs(breach, test, changes, expected):
    await breach(test, expected, attrs.evolve(TIDY, **changes))


async def well():
    return Health(ok=True)


async def hanging():
    await asyncio.Event().wait()


async def mute():
    return Health(ok=False)


async def truthy():
    return True


CHECK = HealthCheck(name="meter_bus", check=well)


class ForHealth(HealthContract):
    def make(self):
        return CHECK


class TestHealth(ForHealth):
    pass


HEALTH = ForHealth()


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (HEALTH.test_checks_are_well_formed, {"name": "Meter"}, "is named 'Meter'"),
        (HEALTH.test_checks_are_well_formed, {"check": print}, "must be an async function"),
        (HEALTH.test_checks_answer_in_time, {"check": truthy}, "must return a Health, it returned True"),
        (HEALTH.test_checks_answer_in_time, {"check": mute}, "does not say why in `detail`"),
        (HEALTH.test_checks_answer_in_time, {"check": hanging}, "took over"),
    ],
)
async def test_broken_health_checks(breach, monkeypatch, test, changes, expected):
    monkeypatch.setattr(work, "HEALTH_S", 0.01)
    await breach(test, expected, attrs.evolve(CHECK, **changes))


async def listen(notices):
    for notice in notices:
        assert isinstance(notice.event, Event)


LISTENER = Listener(name="clock.listen", events=(DeviceOnline,), handle=listen)


class ForListener(ListenerContract):
    def make(self):
        return LISTENER

    def events(self):
        return [DeviceOnline(device_id="a", device_type="b"), DeviceUpdated(device_id="a")]


class TestListener(ForListener):
    pass


async def naive(notices):
    return [notice.event.device_id for notice in notices]


LISTENERS = ForListener()


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (LISTENERS.test_listeners_are_well_formed, {"name": "?"}, "is named"),
        (LISTENERS.test_listeners_are_well_formed, {"events": ()}, "listens to nothing"),
        (LISTENERS.test_listeners_are_well_formed, {"events": ("DeviceOnline",)}, "must be subclasses of Event"),
        (LISTENERS.test_listeners_are_well_formed, {"handle": print}, "must be an async function"),
        (LISTENERS.test_listeners_are_well_formed, {"queue": 1, "batch": 2}, "queue >= batch >= 1, not 1 and 2"),
        (LISTENERS.test_every_batch_is_handled, {"handle": naive}, "AttributeError.*Lagged.*comes to every listener"),
    ],
)
async def test_broken_listeners(breach, test, changes, expected):
    await breach(test, expected, attrs.evolve(LISTENER, **changes))


class Winder(Protocol):
    def wind(self) -> None: ...


class Spring:
    def wind(self):
        return None


class ForServices(ServiceContract):
    def make(self):
        return [
            Service(key=Spring, build=lambda ctx: Spring()),
            Service(key=Winder, build=lambda ctx: Spring()),
            Service(key=Clock, build=lambda ctx: ctx),
        ]

    def context(self):
        return StillClock()


class TestServices(ForServices):
    pass


async def _later(ctx):
    return Spring()


SERVICES = ForServices()
BUILDS = SERVICES.test_build_gives_what_the_key_promises


@pytest.mark.parametrize(
    ("test", "broken", "expected"),
    [
        (SERVICES.test_services_are_well_formed, Service(key="clock", build=print), "is a class or a Protocol"),
        (SERVICES.test_services_are_well_formed, Service(key=Spring, build=None), "must be a function of ctx"),
        (BUILDS, Service(key=Spring, build=lambda ctx: None), "returned nothing"),
        (BUILDS, Service(key=Spring, build=lambda ctx: 5), "returned a int, which is no Spring"),
        (BUILDS, Service(key=Winder, build=lambda ctx: 5), "which is no Winder"),
        (BUILDS, Service(key=Clock, build=lambda ctx: 5), "which is no Clock"),
    ],
)
async def test_broken_services(breach, test, broken, expected):
    await breach(test, expected, broken)


async def test_async_builds(breach):
    made = []

    def build(ctx):
        made.append(_later(ctx))
        return made[0]

    await breach(BUILDS, "must not be async", Service(key=Spring, build=build))
    await made[0]


async def test_services_need_a_context():
    with pytest.raises(NotImplementedError, match=r"must override context\(\)"):
        ServiceContract().context()


class Serial:
    name = "serial"
    adapter_types = ("serial",)

    async def status(self):
        return TransportStatus(connected=True, details={"ports": 1})

    async def send(self, downlink):
        raise ReceiveOnly("the serial line is read only")


class ForTransport(TransportContract):
    def make(self):
        return Serial()


class TestTransport(ForTransport):
    pass


TRANSPORT = ForTransport()
SENDS = TRANSPORT.test_a_downlink_is_handed_over_or_refused_in_words


def serial(**attributes):
    return type("Broken", (Serial,), attributes)()


def raising(error):
    async def send(_self, _downlink):
        raise error

    return serial(send=send)


async def _plain(_self):
    return {"connected": True}


async def _odd(_self):
    return TransportStatus(connected=True, details={"port": object()})


@pytest.mark.parametrize(
    ("test", "broken", "expected"),
    [
        (TRANSPORT.test_it_satisfies_the_protocol, serial(name="Serial Line"), "is named 'Serial Line'"),
        (TRANSPORT.test_it_satisfies_the_protocol, serial(adapter_types="serial"), "must be a tuple of names"),
        (TRANSPORT.test_it_satisfies_the_protocol, serial(adapter_types=()), "must be a tuple of names"),
        (TRANSPORT.test_it_satisfies_the_protocol, serial(send=print), "must be an async function"),
        (TRANSPORT.test_the_status_can_be_shown, serial(status=_plain), "must return a TransportStatus"),
        (TRANSPORT.test_the_status_can_be_shown, serial(status=_odd), "is not JSON"),
        (SENDS, raising(KeyError("port")), "raised KeyError: .* raise ReceiveOnly or ConnectionError"),
        (SENDS, raising(ConnectionError()), "raised ConnectionError without a text"),
    ],
)
async def test_broken_transports(breach, test, broken, expected):
    await breach(test, expected, broken)


async def test_a_transport_may_send():
    async def send(_self, downlink):
        assert downlink.device.adapter_type == "serial"

    await SENDS(serial(send=send))
