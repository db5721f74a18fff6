"""An agent on a real model that calls no functions: it answers once, in words, about what was collected for it."""

import time

import pytest

from neomind_core.host.clock import SystemClock
from neomind_llm_openai import plugin as llm_openai
from neomind_plugins.agents import plugin as agents
from neomind_plugins.devices import plugin as devices
from neomind_plugins.llm import plugin as llm
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import Device, DeviceDirectory, DeviceType, Ingest, MetricDef, Point
from neomind_sdk.testing import make_host
from neomind_sdk.testing.sink import real_egress

pytestmark = [pytest.mark.llm, pytest.mark.timeout(300)]


@pytest.fixture
async def house(tmp_path):
    plugins = (storage_sqlite, devices, telemetry, llm, agents, llm_openai)
    async with (
        real_egress() as egress,
        make_host(*plugins, data_dir=tmp_path, clock=SystemClock(), egress=egress) as host,
    ):
        directory = host.services[DeviceDirectory]
        await directory.register_type(DeviceType(device_type="room", name="Room", metrics=(MetricDef(name="t"),)))
        await directory.register(Device(device_id="kitchen", name="Kitchen", device_type="room"))
        now_ms = int(time.time() * 1000)
        await host.services[Ingest].write([Point("device:kitchen:t", now_ms, 21.5)], source="test")
        yield host


def data(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_an_agent_run(house, model_server):
    api = house.client("admin")
    backend = {"name": "Small", "backend_type": "llamacpp", "endpoint": model_server.url, "model": model_server.model}
    backend_id = data(await api.post("/api/llm-backends", json=backend))["id"]
    assert data(await api.post(f"/api/llm-backends/{backend_id}/test"))["result"]["success"]
    data(await api.post(f"/api/llm-backends/{backend_id}/activate"))
    agent = {
        "user_prompt": "Say in one short sentence whether the kitchen is warm.",
        "schedule": {"schedule_type": "manual"},
        "resources": [{"resource_id": "kitchen:t", "resource_type": "metric"}],
    }
    agent_id = data(await api.post("/api/agents", json=agent))["id"]
    run = data(await api.post(f"/api/agents/{agent_id}/invoke", json={}, timeout=120))
    assert (run["status"], run["has_error"]) == ("Completed", False)
    assert run["conclusion"].strip()
    record = data(await api.get(f"/api/agents/{agent_id}/executions/{run['execution_id']}"))
    assert record["token_usage"]["completion_tokens"] > 0
    assert "21.5" in str(record["decision_process"]["data_collected"])
