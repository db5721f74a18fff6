"""How fast the outbox gets rid of what waits, against a receiver on loopback that answers at once."""

from __future__ import annotations

import time
from pathlib import Path

from orders import Sink, add_orderer, sink
from processes import Server, platform, running, set_up
from table import Row

ORDERS = 2_000
LANES = (1, 20)


def benchmark(folder: Path) -> list[Row]:
    """Deliveries per second, from the request that puts them in until the last one came."""
    with sink(folder / "drain.log", 0.0) as receiver:
        add_orderer(folder / "drain")
        # The rate of a lane is what protects receivers; here it would be what is measured.
        server = platform(folder / "drain", SINK_URL=receiver.url, NEOMIND_OUTBOX__LANE_RATE="1000000")
        with running(server):
            token, came = set_up(server), 0
            rows = []
            for lanes in LANES:
                rows.append(drained(server, token, receiver, lanes, came))
                came += ORDERS
    return rows


def drained(server: Server, token: str, receiver: Sink, lanes: int, before: int) -> Row:
    began = time.perf_counter()
    server.call("POST", "/api/orderer", {"count": ORDERS, "lanes": lanes}, token)
    receiver.until(before + ORDERS)
    rate = ORDERS / (time.perf_counter() - began)
    return Row(what=f"outbox, {lanes} lane{'s' * (lanes > 1)}", value=rate, unit="per s", note=f"{ORDERS:,} deliveries")
