"""``kill -9`` while deliveries go out: none is lost, and at most one of each lane comes twice, under the same id.

The platform is the real one in a process of its own, with a stranger's extension that puts orders in; the receiver is
another process, which writes down what it gets before it answers.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from neomind_sdk.testing import needs

from ..bench.orders import add_orderer, sink
from ..bench.processes import Server, log_in, platform, set_up

ORDERS, LANES = 1000, 20
A_FEW = 200
ALL_S = 60.0
POLL_S = 0.005
pytestmark = needs("accounts", "outbox", "storage_sqlite", "system")


def ordering_platform(data_dir: Path, url: str) -> Server:
    """The platform with the extension, not started yet."""
    add_orderer(data_dir)
    return platform(data_dir, SINK_URL=url)


def put_orders(server: Server, token: str, count: int) -> list[str]:
    answer = server.call("POST", "/api/orderer", {"count": count, "lanes": LANES}, token)
    return list(answer["data"]["ids"])


def check(got: list[list[str]], ids: list[str], kills: int) -> None:
    """None is lost, none is got too often, and in each lane they came in order."""
    times = Counter(row[0] for row in got)
    assert set(times) == set(ids)
    assert max(times.values()) <= 1 + kills
    assert sum(times.values()) - len(times) <= kills * LANES
    for lane in {row[1] for row in got}:
        numbers = [int(number) for _, name, number in got if name == lane]
        assert numbers == sorted(numbers)


def run(tmp_path: Path, kills: int, orders: int = ORDERS) -> None:
    with sink(tmp_path / "sink.log", 0.01) as receiver:
        server = ordering_platform(tmp_path / "data", receiver.url)
        try:
            server.start()
            ids = put_orders(server, set_up(server), orders)
            assert len(set(ids)) == orders
            for kill in range(1, kills + 1):
                before = receiver.until(kill * orders // (kills + 2) + random.randint(0, 50))
                server.kill()
                assert len(before) < orders  # else nothing was left to lose
                server.start()
            check(receiver.until(orders), ids, kills)
            until_empty(server, orders)
            check(receiver.got(), ids, kills)
        finally:
            server.kill()


def until_empty(server: Server, orders: int) -> None:
    """Wait until the platform itself knows that everything is delivered."""
    token = log_in(server)
    end = time.perf_counter() + ALL_S
    while server.call("GET", "/api/outbox?state=delivered&limit=1", token=token)["data"]["total"] < orders:
        assert time.perf_counter() < end, server.output()
        time.sleep(POLL_S)
    assert server.call("GET", "/api/outbox/lanes", token=token)["data"]["lanes"] == []


def test_a_kill_loses_nothing_and_repeats_little(tmp_path: Path) -> None:
    run(tmp_path, 1, A_FEW)


@pytest.mark.chaos
def test_a_kill_loses_none_of_a_thousand(tmp_path: Path) -> None:
    run(tmp_path, 1, 1000)


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_many_kills_lose_nothing(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / str(number)).mkdir()
        run(tmp_path / str(number), 2)  # a third crash so soon would have it start without strangers' extensions


def test_the_check_finds_what_is_lost_doubled_or_out_of_order() -> None:
    good = [[f"id{n}", "lane", str(n)] for n in range(5)]
    ids = [row[0] for row in good]
    check(good, ids, 1)
    check([*good[:3], good[2], *good[3:]], ids, 1)
    for bad in (good[1:], [*good, good[-1], good[-1]], [good[1], good[0], *good[2:]], [*good, good[0]]):
        with pytest.raises(AssertionError):
            check(bad, ids, 1)
