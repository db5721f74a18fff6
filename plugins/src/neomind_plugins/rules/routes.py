"""Routes of rules."""

from __future__ import annotations

from typing import Any

from neomind_sdk import BadRequest, Clock, DeviceDirectory, Reply, Request, Route

from . import dryrun, tables, views
from .forms import parts_of
from .kept import Issue
from .models import DAY_MS, CheckBody, EnableBody, HistoryQuery, RuleBody, RuleQuery, TestQuery
from .service import Rules
from .triggers import MANUAL, Trigger
from .unfit import Unfit

STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
UNKNOWN = "RULE_NOT_FOUND"
DETAIL_HISTORY = 100


async def list_rules(request: Request) -> Reply:
    rules, query = request.services[Rules], request.query
    found = rules.matching(query)
    end = None if query.limit is None else query.offset + query.limit
    page = found[query.offset : end]
    rows = [views.rule_view(live, rules.parts.types, detail=False) for live in page]
    data = {"rules": rows, "count": len(rows), "total": len(found)}
    paging = {"limit": query.limit, "offset": query.offset, "total": len(found), "total_count": len(found)}
    return Reply(data=data, meta={"count": len(rows), "pagination": paging})


async def add_rule(request: Request) -> dict[str, Any]:
    rules = request.services[Rules]
    live, warnings = await rules.create(request.body)
    return {"rule": views.rule_view(live, rules.parts.types), "warnings": views.issue_views(warnings)}


async def show_rule(request: Request) -> dict[str, Any]:
    rules, rule_id = request.services[Rules], request.params["rule_id"]
    found = await rules.history(rule_id, DETAIL_HISTORY)
    history = [views.execution_view(raised) for raised in reversed(found)]
    return {"rule": views.rule_view(rules.get(rule_id), rules.parts.types), "history": history}


async def change_rule(request: Request) -> dict[str, Any]:
    rules = request.services[Rules]
    live, warnings = await rules.update(request.params["rule_id"], request.body)
    found = views.rule_view(live, rules.parts.types)
    return {"rule": found, "updated": True, "warnings": views.issue_views(warnings)}


async def delete_rule(request: Request) -> dict[str, Any]:
    rule_id = request.params["rule_id"]
    await request.services[Rules].delete(rule_id)
    return {"rule_id": rule_id, "deleted": True}


async def enable_rule(request: Request) -> dict[str, Any]:
    live = await request.services[Rules].enable(request.params["rule_id"], request.body.enabled)
    return {"rule_id": live.id, "enabled": live.rule.enabled}


async def trigger_rule(request: Request) -> dict[str, Any]:
    rule_id = request.params["rule_id"]
    return {"rule_id": rule_id, **views.result_view(await request.services[Rules].trigger(rule_id))}


async def test_rule(request: Request) -> dict[str, Any]:
    question, execute = dryrun.read(request.body), request.query.execute
    answer = await request.services[dryrun.DryRun].run(request.params["rule_id"], question, execute=execute)
    return dryrun.view(answer, execute=execute)


async def show_history(request: Request) -> dict[str, Any]:
    rule_id, query = request.params["rule_id"], request.query
    found = await request.services[Rules].history(rule_id, query.limit, query.offset)
    return {"rule_id": rule_id, "executions": [views.execution_view(raised) for raised in found]}


async def show_trace(request: Request) -> dict[str, Any]:
    live = request.services[Rules].get(request.params["rule_id"])
    entries = [views.entry_view(entry) for entry in live.trace]
    return {"rule_id": live.id, "state": views.state_word(live), "entries": entries, "count": len(entries)}


async def check_rule(request: Request) -> dict[str, Any]:
    rules, body = request.services[Rules], request.body
    parts = RuleBody(trigger=body.trigger, condition=body.condition)
    read = parts_of(parts, rules.parts.types)
    # What is checked alone is no rule about changes of data that lacks its condition.
    trigger = read.get("trigger", Trigger(kind=MANUAL))
    issues = shape_issues(rules, body.actions or [])
    if not issues:
        issues = rules.parts.checker.issues(trigger, read.get("condition"), body.actions or [], body.cooldown)
    errors = views.issue_views(issues, "error")
    return {"valid": not errors, "errors": errors, "warnings": views.issue_views(issues, "warning", "info")}


def shape_issues(rules: Rules, actions: list[Any]) -> list[Issue]:
    try:
        rules.parts.types.check_shape(actions)
    except Unfit as error:
        return [Issue(code=error.code, message=error.problem, field=error.path, severity="error")]
    return []


async def show_resources(request: Request) -> dict[str, Any]:
    return views.resources_view(request.services[DeviceDirectory], request.services[Rules].parts.types)


async def export_rules(request: Request) -> dict[str, Any]:
    rules = request.services[Rules]
    return views.export_view(rules.all(), rules.parts.clock.now_ms())


async def import_rules(request: Request) -> dict[str, Any]:
    if not isinstance(request.body, dict) or not isinstance(request.body.get("rules"), list):
        raise BadRequest("rules: must be an array of rules")
    entries = request.body["rules"]
    imported, errors = await request.services[Rules].take_in(entries)
    return {"imported": imported, "skipped": len(entries) - imported, "errors": errors}


async def show_stats(request: Request) -> dict[str, Any]:
    rules = request.services[Rules]
    clock: Clock = rules.parts.clock
    midnight = clock.now_ms() // DAY_MS * DAY_MS
    today = await rules.parts.database.read(lambda: tables.fired_since(midnight))
    return {"stats": views.stats_view(rules, today)}


def routes() -> list[Route]:
    return [*reading(), *writing(), *doing()]


def reading() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": "rules:read"}
    stored = (UNKNOWN, "SERVICE_UNAVAILABLE")
    return [
        Route(**common, path="/rules", handler=list_rules, summary="List rules", query=RuleQuery),
        Route(
            **common,
            path="/rules/{rule_id}",
            handler=show_rule,
            summary="Show a rule and its latest firings",
            errors=stored,
        ),
        Route(
            **common,
            path="/rules/{rule_id}/history",
            handler=show_history,
            summary="List the firings of a rule, newest first",
            query=HistoryQuery,
            errors=stored,
        ),
        Route(
            **common,
            path="/rules/{rule_id}/trace",
            handler=show_trace,
            summary="Tell why a rule fired, or did not, newest first",
            errors=(UNKNOWN,),
        ),
        Route(**common, path="/rules/resources", handler=show_resources, summary="List what rules may name"),
        Route(**common, path="/rules/export", handler=export_rules, summary="Export all rules"),
        Route(
            **common,
            path="/stats/rules",
            handler=show_stats,
            summary="Count rules",
            errors=("SERVICE_UNAVAILABLE",),
        ),
    ]


def writing() -> list[Route]:
    common: dict[str, Any] = {"scope": "rules:write", "body_required": True}
    wrong = ("BAD_REQUEST", "VALIDATION_ERROR", "CONFLICT", *STORAGE_ERRORS)
    return [
        Route(
            **common,
            method="POST",
            path="/rules",
            handler=add_rule,
            summary="Add a rule",
            description="Devices that are not registered are accepted and named in `warnings`.",
            body=RuleBody,
            errors=wrong,
        ),
        Route(
            **common,
            method="PUT",
            path="/rules/{rule_id}",
            handler=change_rule,
            summary="Change a rule; what is absent stays",
            body=RuleBody,
            errors=(UNKNOWN, *wrong),
        ),
        Route(
            **common,
            method="POST",
            path="/rules/import",
            handler=import_rules,
            summary="Import rules of an export",
            description='The body is `{"rules": […]}`. A rule whose id is taken gets a new one.',
            errors=wrong,
        ),
        Route(
            method="DELETE",
            scope="rules:write",
            path="/rules/{rule_id}",
            handler=delete_rule,
            summary="Delete a rule, its history and what it still had to do",
            errors=(UNKNOWN, *STORAGE_ERRORS),
        ),
    ]


def doing() -> list[Route]:
    common: dict[str, Any] = {"method": "POST", "scope": "rules:write"}
    return [
        Route(
            **common,
            path="/rules/{rule_id}/enable",
            handler=enable_rule,
            summary="Enable or disable a rule; enabling lets a paused one go on",
            body=EnableBody,
            errors=(UNKNOWN, *STORAGE_ERRORS),
        ),
        Route(
            **common,
            path="/rules/{rule_id}/trigger",
            handler=trigger_rule,
            summary="Fire a rule by hand, if its condition holds and no cooldown runs",
            errors=(UNKNOWN, *STORAGE_ERRORS),
        ),
        Route(
            **common,
            path="/rules/{rule_id}/test",
            handler=test_rule,
            summary="Dry-run a rule; its actions run only with execute=true",
            description=(
                'Without a body the last stored values count. The body may be a number or text, `{"value": …}`, '
                '`{"values": {<source>: …}}`, `{"at": <epoch seconds>}`, or `{"history": {"start", "end"}}`.'
            ),
            query=TestQuery,
            errors=(UNKNOWN, "BAD_REQUEST", *STORAGE_ERRORS),
        ),
        Route(
            method="POST",
            scope="rules:read",
            path="/rules/validate",
            handler=check_rule,
            summary="Check a condition, a trigger or actions without saving them",
            body=CheckBody,
            body_required=True,
            errors=("BAD_REQUEST",),
        ),
    ]
