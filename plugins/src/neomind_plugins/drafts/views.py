"""Drafts as they are answered."""

from __future__ import annotations

from collections.abc import Sequence

from .findings import Analysis, FoundMetric
from .models import DraftView, GeneratedType, MetricView, Suggestion, Suggestions, Summary
from .proposals import Typist, title
from .records import Draft
from .signatures import Likeness


def draft_view(draft: Draft, typist: Typist, max_samples: int) -> DraftView:
    analysis = draft.analysis
    return DraftView(
        id=draft.id,
        device_id=draft.device_id,
        source=draft.source,
        original_topic=draft.original_topic,
        status=draft.status,
        sample_count=draft.samples,
        max_samples=max_samples,
        generated_type=generated(draft, analysis, typist) if analysis and analysis.usable else None,
        discovered_at=draft.discovered_ms // 1000,
        updated_at=draft.updated_ms // 1000,
        error_message=draft.error_message,
        user_name=draft.user_name,
    )


def generated(draft: Draft, analysis: Analysis, typist: Typist) -> GeneratedType:
    proposed = typist.proposal(draft, analysis)
    return GeneratedType(
        device_type=proposed.device_type,
        name=proposed.name,
        description=draft.description or proposed.description,
        category=analysis.category,
        metrics=[metric_view(metric) for metric in analysis.metrics],
        summary=summary(analysis),
    )


def metric_view(metric: FoundMetric) -> MetricView:
    return MetricView(
        name=metric.path.rpartition(".")[2] or metric.path,
        path=metric.path,
        semantic_type=metric.semantic,
        display_name=title(metric.path),
        data_type=metric.data_type,
        unit=metric.unit,
    )


def summary(analysis: Analysis) -> Summary:
    return Summary(
        samples_analyzed=analysis.samples,
        fields_discovered=analysis.fields,
        metrics_generated=len(analysis.metrics),
        inferred_category=analysis.category,
        insights=list(analysis.insights),
        warnings=list(analysis.warnings),
        recommendations=list(analysis.recommendations),
    )


def suggestions(found: Sequence[Likeness]) -> Suggestions:
    rows = [
        Suggestion(
            device_type=item.device_type.device_type,
            name=item.device_type.name,
            description=item.device_type.description,
            match_score=item.score,
            is_exact_match=item.exact,
            metric_count=len(item.device_type.metrics),
        )
        for item in found
    ]
    exact = next((row.device_type for row in rows if row.is_exact_match), None)
    return Suggestions(suggestions=rows, exact_match=exact)
