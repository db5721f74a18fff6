"""Whatever the description says may be sent is sent, and whatever comes back is as the description says.

A host with every first-party plugin that is installed, on its real storage, over loopback, asked as an administrator.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs
import hypothesis
import pytest
import requests
from hypothesis import HealthCheck, Phase, Verbosity

from neomind_core.host.clock import SystemClock
from neomind_sdk.testing import make_host
from neomind_sdk.testing.egress import FakeEgress

schemathesis = pytest.importorskip("schemathesis")
# The server runs in a thread of this process and draws jitter from ``random``, which hypothesis takes for the strategy.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

from schemathesis.checks import not_a_server_error  # noqa: E402 - the library may be absent
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

FIRST_PARTY = "neomind-plugins"
TIMEOUT_S = 20
# Nothing that is tested here may listen elsewhere than on loopback, nor on a port that others want.
SETTINGS = {"mqtt_broker": {"listen": "127.0.0.1", "port": 0}}
NEVER_SENT = ("broker-config",)
# What is there from the beginning, so that not everything that is asked for is unknown.
SEED: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "/api/devices/types",
        {
            "device_type": "heater",
            "name": "Heater",
            "metrics": [{"name": "t", "display_name": "Temperature", "data_type": "float", "unit": "C"}],
            "commands": [{"name": "on", "display_name": "On", "parameters": []}],
        },
    ),
    (
        "/api/devices",
        {
            "device_id": "boiler",
            "name": "Boiler",
            "device_type": "heater",
            "adapter_type": "webhook",
            "connection_config": {},
        },
    ),
    ("/api/devices/{device_id}/metrics", {"metric": "t", "value": 21.5}),
    ("/api/users", {"username": "ann", "password": "secret-7-words", "role": "user"}),
)
KNOWN = {
    "device_id": "boiler",
    "device_type": "heater",
    "username": "ann",
    "extension_id": "devices",
    "section": "timezone",
    "name": "t",
    "metric": "t",
    "command": "on",
}


@attrs.frozen
class Served:
    url: str
    principal: str
    document: dict[str, Any]

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["x-test-principal"] = self.principal
        return session

    def fill(self) -> None:
        """Add what is known, as far as the plugins for it are there."""
        with self.session() as session:
            for path, body in SEED:
                if path in self.document["paths"]:
                    answer = session.post(self.url + path.format(**KNOWN), json=body, timeout=TIMEOUT_S)
                    assert answer.ok, (path, answer.text)


class Server(threading.Thread):
    """A host in a loop of its own, for clients that block."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(name="served")
        self._data_dir = data_dir
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self.ready = threading.Event()
        self.found: Served | None = None

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                more = {"clock": SystemClock(), "egress": FakeEgress(), "data_dir": self._data_dir}
                host = await stack.enter_async_context(make_host(*plugins(), settings=SETTINGS, **more))
                url = await stack.enter_async_context(host.served())
                self.found = Served(url, host.principal("admin"), host.host.api.openapi())
                self.ready.set()
                await self._over.wait()
        finally:
            self.ready.set()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self.join()


def plugins() -> list[Any]:
    points = entry_points(group="neomind.plugins")
    return [point.load() for point in points if point.dist is not None and point.dist.name == FIRST_PARTY]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Server(tmp_path_factory.mktemp("data"))
    server.start()
    server.ready.wait(60)
    try:
        assert server.found is not None, "the host did not start"
        server.found.fill()
        yield server.found
    finally:
        server.end()


# ---- what is checked ----


def in_the_envelope(_ctx: Any, response: Any, case: Any) -> None:
    """Under ``/api`` there is JSON in one shape, or what a successful route says it produces instead."""
    kind = response.headers.get("content-type", [""])[0].partition(";")[0]
    declared = case.operation.definition.raw["responses"].get(str(response.status_code), {}).get("content", {})
    if response.status_code < 400 and kind in declared and kind != "application/json":
        return
    assert kind == "application/json", f"{case.method} {case.path}: {kind or 'nothing'}"
    if case.method != "HEAD":
        body = json.loads(response.content)
        wanted = {"success", "meta"} if body["success"] else {"success", "error"}
        assert wanted <= set(body), body


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    in_the_envelope,
]


def streams(operation: Any) -> bool:
    """Whether the answer has no end."""
    return "text/event-stream" in json.dumps(operation.definition.raw["responses"])


def ask(served: Served, operation: Any, session: requests.Session, examples: int, **known: Any) -> str | None:
    """What is wrong with one operation; ``None`` when nothing was found."""
    strategy = operation.as_strategy(**known)

    @hypothesis.seed(20_240_229)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
    )
    @hypothesis.given(case=strategy)
    def run(case: Any) -> None:
        answer = case.call(base_url=served.url, session=session, headers=headers, timeout=TIMEOUT_S)
        case.validate_response(answer, checks=CHECKS)

    headers = {"x-test-principal": served.principal}
    try:
        run_steadily(run)
    except hypothesis.errors.Unsatisfiable:
        return None  # there is nothing that does not fit
    except (Exception, BaseExceptionGroup) as error:  # the library's failures are a group of its own kind
        return f"{operation.label}\n{error}"
    return None


def run_steadily(run: Callable[[], None]) -> None:
    """What fails once and not again (the platform is one for all, and works meanwhile) must not do so twice."""
    try:
        run()
    except hypothesis.errors.FlakyFailure as flaky:
        try:
            run()
        except hypothesis.errors.FlakyFailure as again:
            raise AssertionError([*map(repr, flaky.exceptions), *map(repr, again.exceptions)]) from again


def runs_of(operation: Any, misfits: bool) -> Iterator[dict[str, Any]]:
    """Anything that fits, the same about what is there, and what does not fit."""
    yield {}
    names = {parameter.name for parameter in operation.path_parameters}
    if names and names <= set(KNOWN) and operation.method.upper() != "DELETE":
        yield {"path_parameters": KNOWN}
    if misfits:
        yield {"generation_mode": schemathesis.GenerationMode.NEGATIVE}


def found_wrong(served: Served, examples: int, *, misfits: bool = False) -> list[str]:
    schema = schemathesis.openapi.from_dict(served.document)
    operations = [result.ok() for result in schema.get_all_operations()]
    asked = [one for one in operations if not streams(one) and not any(word in one.path for word in NEVER_SENT)]
    assert asked
    with served.session() as session:
        problems = [ask(served, one, session, examples, **run) for one in asked for run in runs_of(one, misfits)]
    return [problem for problem in problems if problem is not None]


def test_the_description_is_valid(served: Served) -> None:
    schemathesis.openapi.from_dict(served.document).validate()


def test_a_slice(served: Served) -> None:
    problems = found_wrong(served, 4)
    assert not problems, "\n\n".join(problems)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_more(served: Served) -> None:
    problems = found_wrong(served, 100, misfits=True)
    assert not problems, "\n\n".join(problems)
