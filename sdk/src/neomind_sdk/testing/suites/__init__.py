"""Contract suites: inherit the one of your extension point, override ``make``, and run pytest.

    class TestPager(ChannelContract):
        config = {"url": "https://pager.example/in", "token": "t0ken"}

        def make(self):
            return PagerChannel()

They check what the contracts and hook specs promise to the host and to users; every failure says what to do.
"""

from __future__ import annotations

from .actions import AgentToolContract, CommandContract, RuleActionContract
from .auth import AuthSchemeContract
from .base import FromHook
from .data import SettingsContract, TablesContract
from .edge import CliContract, DashboardComponentContract, RouteContract
from .ingest import IngestContract
from .llm import LLMBackendContract
from .sending import ChannelContract, PushTargetContract
from .storage import StorageContract
from .work import HealthContract, JobContract, ListenerContract, ServiceContract, TransportContract

__all__ = [
    "AgentToolContract",
    "AuthSchemeContract",
    "ChannelContract",
    "CliContract",
    "CommandContract",
    "DashboardComponentContract",
    "FromHook",
    "HealthContract",
    "IngestContract",
    "JobContract",
    "LLMBackendContract",
    "ListenerContract",
    "PushTargetContract",
    "RouteContract",
    "RuleActionContract",
    "ServiceContract",
    "SettingsContract",
    "StorageContract",
    "TablesContract",
    "TransportContract",
]
