"""Suites for what works in the background: jobs, health checks, listeners, services, transports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from neomind_core.contracts import (
    Cron,
    Device,
    Downlink,
    Event,
    Every,
    Health,
    HealthCheck,
    Job,
    Lagged,
    Listener,
    Notice,
    Once,
    ReceiveOnly,
    Service,
    Transport,
    TransportStatus,
)

from . import base

HEALTH_S = 2.0
# Seconds, minutes, hours, days of the month, months, days of the week, years.
CRON_FIELDS = (5, 6, 7)
# A smaller number is a time in seconds (in milliseconds this is a day of 1973).
EARLIEST_MS = 10**11


class JobContract(base.Contract):
    """For objects that ``neomind_jobs`` returns; ``make`` may return one or a list."""

    def test_jobs_are_well_formed(self, subject: Any) -> None:
        for job in base.listed(subject):
            assert isinstance(job, Job), f"a job is a Job(…), not a {type(job).__name__}"
            base.check_name(job.name, "a job", base.DOTTED)
            base.check_async(job.run, f"run of the job '{job.name}'")
            assert job.misfire in ("skip", "run_once"), (
                f"misfire of '{job.name}' is 'skip' or 'run_once', not '{job.misfire}'"
            )
            assert job.timeout_s > 0, f"timeout_s of the job '{job.name}' must be more than 0 seconds"

    def test_triggers_make_sense(self, subject: Any) -> None:
        for job in base.listed(subject):
            problem = _trigger_problem(job.trigger)
            assert problem is None, f"the trigger of the job '{job.name}': {problem}"

    async def test_jobs_can_run_twice(self, subject: Any) -> None:
        for job in base.listed(subject):
            for _ in range(2):
                result = await job.run()
                assert result is None, f"the job '{job.name}' returned {result!r}; nobody reads it, return nothing"


def _trigger_problem(trigger: Any) -> str | None:
    if isinstance(trigger, Every):
        seconds = trigger.seconds() if callable(trigger.seconds) else trigger.seconds
        sound = seconds > 0 and 0 <= trigger.jitter <= 1
        return None if sound else "seconds must be more than 0 and jitter within 0..1"
    if isinstance(trigger, Once):
        sound = isinstance(trigger.at_ms, int) and trigger.at_ms > EARLIEST_MS
        return None if sound else "at_ms must be an int of milliseconds since the epoch"
    if not isinstance(trigger, Cron):
        return f"it must be Every, Cron or Once, not {type(trigger).__name__}"
    if len(trigger.expression.split()) not in CRON_FIELDS:
        return f"'{trigger.expression}' must have 5, 6 or 7 fields"
    return _zone_problem(trigger.timezone)


def _zone_problem(name: str | None) -> str | None:
    try:
        ZoneInfo(name or "UTC")
    except (KeyError, OSError, ValueError):
        return f"there is no time zone '{name}'"
    return None


class HealthContract(base.Contract):
    """For objects that ``neomind_health`` returns; ``make`` may return one or a list."""

    def test_checks_are_well_formed(self, subject: Any) -> None:
        for check in base.listed(subject):
            assert isinstance(check, HealthCheck), f"a health check is a HealthCheck(…), not a {type(check).__name__}"
            base.check_name(check.name, "a health check")
            base.check_async(check.check, f"the health check '{check.name}'")

    async def test_checks_answer_in_time(self, subject: Any) -> None:
        for check in base.listed(subject):
            try:
                health = await asyncio.wait_for(check.check(), HEALTH_S)
            except TimeoutError as error:
                raise AssertionError(
                    f"the health check '{check.name}' took over {HEALTH_S} s, which counts as not well"
                ) from error
            assert isinstance(health, Health), (
                f"the health check '{check.name}' must return a Health, it returned {health!r}"
            )
            assert health.ok or health.detail, (
                f"the health check '{check.name}' is not well and does not say why in `detail`"
            )


class ListenerContract(base.Contract):
    """For objects that ``neomind_listeners`` returns; ``make`` may return one or a list.

    ``events``  examples of what the listeners listen to
    """

    def events(self) -> Sequence[Event]:
        return ()

    def test_listeners_are_well_formed(self, subject: Any) -> None:
        for listener in base.listed(subject):
            assert isinstance(listener, Listener), f"a listener is a Listener(…), not a {type(listener).__name__}"
            base.check_name(listener.name, "a listener", base.DOTTED)
            classes = all(isinstance(cls, type) and issubclass(cls, Event) for cls in listener.events)
            assert listener.events, f"the listener '{listener.name}' listens to nothing: name event classes in `events`"
            assert classes, f"events of the listener '{listener.name}' must be subclasses of Event"
            base.check_async(listener.handle, f"handle of the listener '{listener.name}'")
            sizes = listener.queue >= listener.batch >= 1
            assert sizes, (
                f"the listener '{listener.name}' needs queue >= batch >= 1, not {listener.queue} and {listener.batch}"
            )

    async def test_every_batch_is_handled(self, subject: Any) -> None:
        for listener in base.listed(subject):
            wanted = [event for event in self.events() if isinstance(event, listener.events)]
            for events in ([Lagged(dropped=3)], wanted, [Lagged(dropped=1), *wanted]):
                notices = [Notice(seq, 1_700_000_000_000 + seq, event) for seq, event in enumerate(events)]
                await self.hand(listener, notices)

    async def hand(self, listener: Any, notices: Sequence[Notice]) -> None:
        try:
            await listener.handle(notices)
        except Exception as error:
            events = [type(notice.event).__name__ for notice in notices]
            text = f"handle of '{listener.name}' raised {type(error).__name__}: {error} for {events}"
            raise AssertionError(f"{text}; Lagged comes to every listener that was too slow") from error


class ServiceContract(base.Contract):
    """For objects that ``neomind_services`` returns; ``make`` may return one or a list.

    ``context``  what ``build`` is called with; after ``FromHook`` it is the plugin's
    """

    def context(self) -> Any:
        if isinstance(self, base.FromHook):
            return self.plugin_context
        raise NotImplementedError(f"{type(self).__name__} must override context(): the PluginContext for build(ctx)")

    def test_services_are_well_formed(self, subject: Any) -> None:
        for service in base.listed(subject):
            assert isinstance(service, Service), f"a service is a Service(…), not a {type(service).__name__}"
            assert isinstance(service.key, type), f"the key of a service is a class or a Protocol, not {service.key!r}"
            assert callable(service.build), f"build of the service '{service.name}' must be a function of ctx"

    def test_build_gives_what_the_key_promises(self, subject: Any) -> None:
        for service in base.listed(subject):
            built = service.build(self.context())
            assert built is not None, f"build of the service '{service.name}' returned nothing"
            assert not asyncio.iscoroutine(built), (
                f"build of the service '{service.name}' must not be async: no I/O there"
            )
            kind = type(built).__name__
            assert _satisfies(built, service.key), (
                f"build of '{service.name}' returned a {kind}, which is no {service.key.__name__}"
            )


def _satisfies(built: Any, key: type[Any]) -> bool:
    if getattr(key, "_is_protocol", False) and not getattr(key, "_is_runtime_protocol", False):
        return all(hasattr(built, name) for name in vars(key) if not name.startswith("_"))
    return isinstance(built, key)


class TransportContract(base.Contract):
    """For objects that ``neomind_transports`` returns."""

    def downlink(self, subject: Any) -> Downlink:
        """A command for a device of this transport."""
        device = Device(device_id="boiler", name="Boiler", device_type="boiler", adapter_type=subject.adapter_types[0])
        return Downlink(device=device, command_id="c-1", command="reset", payload=b'{"reset": true}')

    def test_it_satisfies_the_protocol(self, subject: Any) -> None:
        base.check_name(subject.name, "a transport")
        assert isinstance(subject, Transport), "a transport has name, adapter_types, status and send: see Transport"
        types = subject.adapter_types
        sound = isinstance(types, tuple) and bool(types) and all(isinstance(each, str) and each for each in types)
        assert sound, f"adapter_types of '{subject.name}' must be a tuple of names, e.g. ('serial',), it is {types!r}"
        base.check_async(subject.status, f"{subject.name}.status")
        base.check_async(subject.send, f"{subject.name}.send")

    async def test_the_status_can_be_shown(self, subject: Any) -> None:
        status = await subject.status()
        assert isinstance(status, TransportStatus), f"status() must return a TransportStatus, it returned {status!r}"
        base.check_json(dict(status.details), "TransportStatus.details")

    async def test_a_downlink_is_handed_over_or_refused_in_words(self, subject: Any) -> None:
        error = await self.refusal(subject)
        if error is not None:
            kind = type(error).__name__
            told = isinstance(error, ReceiveOnly | ConnectionError)
            assert told, f"send() raised {kind}: {error}; raise ReceiveOnly or ConnectionError with a sentence"
            assert str(error), f"send() raised {kind} without a text; the person who sent the command reads it"

    async def refusal(self, subject: Any) -> Exception | None:
        """What ``send`` raised."""
        try:
            await subject.send(self.downlink(subject))
        except Exception as error:
            return error
        return None
