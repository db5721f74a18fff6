"""Routes of drafts. A draft is named by its device's id or by its own."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import Reply, Request, Route

from . import views
from .models import (
    ApproveBody,
    Approved,
    Cleaned,
    ConfigChange,
    Done,
    DraftChange,
    DraftList,
    DraftSettings,
    DraftView,
    EnhancedDraft,
    RejectBody,
    SignatureList,
    Suggestions,
    UploadBody,
    Wish,
)
from .proposals import Typist
from .records import Draft
from .service import Drafts
from .signatures import Signatures

ONE = "/devices/drafts/{device_id}"
STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
NO_MODEL = "No language model is configured: the type is named after its fields"


async def list_drafts(request: Request) -> Reply:
    rows = [view(request, draft) for draft in request.services[Drafts].all()]
    return Reply(data=DraftList(items=rows, count=len(rows)), meta={"count": len(rows)})


async def show_draft(request: Request) -> DraftView:
    return view(request, named(request))


async def change_draft(request: Request) -> Done:
    await request.services[Drafts].change(request.params["device_id"], request.body)
    return Done(message="The draft was changed")


async def approve_draft(request: Request) -> Approved:
    body = request.body or ApproveBody()
    wish = Wish(
        existing_type=body.existing_type or body.device_type,
        new_type=body.new_type,
        device_name=body.device_name or body.name,
    )
    device_id, device_type = await request.services[Drafts].approve(request.params["device_id"], wish)
    return Approved(
        original_device_id=device_id,
        system_device_id=device_id,
        device_type=device_type,
        recommended_topic=f"device/{device_type}/{device_id}/uplink",
        message=f"The device '{device_id}' is registered; its samples are in its history",
    )


async def reject_draft(request: Request) -> Done:
    body = request.body or RejectBody()
    await request.services[Drafts].reject(request.params["device_id"], body.reason or "")
    return Done(message="The draft was dropped; the device is found again when it sends again")


async def analyze_draft(request: Request) -> Done:
    request.services[Drafts].analyze(request.params["device_id"])
    return Done(message="The samples are being analyzed")


async def enhance_draft(request: Request) -> EnhancedDraft:
    draft = await request.services[Drafts].analyzed(request.params["device_id"])
    return EnhancedDraft(**attrs.asdict(view(request, draft), recurse=False), enhanced=False, message=NO_MODEL)


async def suggest_types(request: Request) -> Suggestions:
    return views.suggestions(await request.services[Drafts].suggest(request.params["device_id"]))


async def clean_up(request: Request) -> Cleaned:
    count = await request.services[Drafts].cleanup()
    return Cleaned(cleaned=count, message=f"{count} draft{'' if count == 1 else 's'} dropped")


async def show_signatures(request: Request) -> SignatureList:
    found = dict(request.services[Signatures].all())
    return SignatureList(signatures=found, count=str(len(found)))


async def show_config(request: Request) -> DraftSettings:
    return request.services[Drafts].settings()


async def change_config(request: Request) -> Done:
    changes = attrs.asdict(request.body, filter=lambda _field, value: value is not None)
    await request.services[Drafts].configure(changes)
    return Done(message="The settings were changed")


async def upload_samples(request: Request) -> Done:
    device_id, kept = await request.services[Drafts].upload(request.body)
    return Done(message=f"{kept} of {len(request.body.data)} samples are kept in the draft of '{device_id}'")


def named(request: Request) -> Draft:
    return request.services[Drafts].require(request.params["device_id"])


def view(request: Request, draft: Draft) -> DraftView:
    max_samples = request.services[Drafts].settings().max_samples
    return views.draft_view(draft, request.services[Typist], max_samples)


def routes() -> list[Route]:
    return [*reading(), *settings(), *changing(), *deciding()]


def reading() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": "devices:read"}
    return [
        Route(
            **common,
            path="/devices/drafts",
            handler=list_drafts,
            summary="List the devices that nobody registered yet",
            response=DraftList,
        ),
        Route(
            **common,
            path=ONE,
            handler=show_draft,
            summary="Show a draft",
            response=DraftView,
            errors=("DRAFT_NOT_FOUND",),
        ),
        Route(
            **common,
            path=f"{ONE}/suggest-types",
            handler=suggest_types,
            summary="List registered types that are like what the device sends",
            response=Suggestions,
            errors=("DRAFT_NOT_FOUND", "BAD_REQUEST", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            path="/devices/drafts/type-signatures",
            handler=show_signatures,
            summary="Show the registered types by the hash of what they measure",
            response=SignatureList,
        ),
    ]


def settings() -> list[Route]:
    path = "/devices/drafts/config"
    return [
        Route(
            method="GET",
            path=path,
            scope="devices:read",
            handler=show_config,
            summary="Show the settings of drafts",
            response=DraftSettings,
        ),
        Route(
            method="PUT",
            path=path,
            scope="devices:write",
            handler=change_config,
            summary="Change the settings of drafts; what is absent stays",
            body=ConfigChange,
            body_required=True,
            response=Done,
            errors=STORAGE_ERRORS,
        ),
    ]


def changing() -> list[Route]:
    common: dict[str, Any] = {"scope": "devices:write"}
    return [
        Route(
            **common,
            method="PUT",
            path=ONE,
            handler=change_draft,
            summary="Name a draft's device, or describe its type",
            body=DraftChange,
            body_required=True,
            response=Done,
            errors=("DRAFT_NOT_FOUND", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="POST",
            path=f"{ONE}/analyze",
            handler=analyze_draft,
            summary="Analyze the samples of a draft again",
            response=Done,
            errors=("DRAFT_NOT_FOUND", "CONFLICT"),
        ),
        Route(
            **common,
            method="POST",
            path=f"{ONE}/enhance",
            handler=enhance_draft,
            summary="Have a language model improve the names, where there is one",
            response=EnhancedDraft,
            errors=("DRAFT_NOT_FOUND", "BAD_REQUEST", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="POST",
            path="/devices/drafts/upload",
            handler=upload_samples,
            summary="Make a draft from samples, or add samples to one",
            description="As far as the draft has room; `device_id` defaults to a new one.",
            body=UploadBody,
            body_required=True,
            response=Done,
            errors=("BAD_REQUEST", "CONFLICT", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="POST",
            path="/devices/drafts/cleanup",
            handler=clean_up,
            summary="Drop the drafts that are older than the retention",
            response=Cleaned,
            errors=STORAGE_ERRORS,
        ),
    ]


def deciding() -> list[Route]:
    common: dict[str, Any] = {"scope": "devices:write", "method": "POST"}
    return [
        Route(
            **common,
            path=f"{ONE}/approve",
            handler=approve_draft,
            summary="Register a draft's device; its samples become history",
            description=(
                "With `existing_type` (or `device_type`), with the generated type under the name in `new_type`, or "
                "with what `generated_type` of the draft says. `device_name` (or `name`) names the device."
            ),
            body=ApproveBody,
            response=Approved,
            errors=("DRAFT_NOT_FOUND", "DEVICE_TYPE_NOT_FOUND", "BAD_REQUEST", "CONFLICT", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            path=f"{ONE}/reject",
            handler=reject_draft,
            summary="Drop a draft",
            body=RejectBody,
            response=Done,
            errors=("DRAFT_NOT_FOUND", "CONFLICT", *STORAGE_ERRORS),
        ),
    ]
