"""What this plugin adds. Each hook returns a list of objects; imports stand inside, so that starting stays fast."""

from __future__ import annotations

from neomind_sdk import ChannelType, DashboardComponent, ExtensionCommand, PluginContext, RuleActionType, hookimpl


@hookimpl
def neomind_channels(ctx: PluginContext) -> list[ChannelType]:
    from .pager import PagerChannel

    return [PagerChannel()]


@hookimpl
def neomind_dashboard_components(ctx: PluginContext) -> list[DashboardComponent]:
    from .component import BIG_NUMBER

    return [BIG_NUMBER]


@hookimpl
def neomind_commands(ctx: PluginContext) -> list[ExtensionCommand]:
    from .dice import ROLL

    return [ROLL]


@hookimpl
def neomind_rule_actions(ctx: PluginContext) -> list[RuleActionType]:
    from .announce import AnnounceAction

    return [AnnounceAction(ctx.bus)]
