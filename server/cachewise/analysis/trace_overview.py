"""Steps of a trace and sums over logs as plain data for a report."""

from __future__ import annotations

from datetime import UTC, datetime

from cachewise.analysis.stats import Stats, Tally
from cachewise.analysis.steps import Summary, TraceStep
from cachewise.report.trace import (
    CallFigures,
    DivergenceReport,
    StatsReport,
    StepReport,
    TallyReport,
    TraceSummary,
)


def step_report(result: TraceStep) -> StepReport:
    """One step; its time in UTC."""
    step = result.step
    billed = step.billed
    actual = result.actual
    found = result.divergence
    return StepReport(
        index=step.call.index,
        at=_moment(step.call.at),
        model=step.call.model,
        predicted=CallFigures(
            billed.read, billed.write_5m, billed.write_1h, billed.input, step.cost
        ),
        actual=None
        if actual is None
        else CallFigures(
            actual.read,
            actual.write_5m,
            actual.write_1h,
            actual.input,
            result.actual_cost,
            actual.output,
        ),
        outcome=step.outcome,
        reason=step.reason,
        agrees=result.agrees,
        divergence=None
        if found is None
        else DivergenceReport(
            found.pointer, found.kind, found.before, found.after, found.character
        ),
        best_effort=step.best_effort,
        note=result.note,
    )


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.isoformat().replace("+00:00", "Z")


def summary_report(summary: Summary) -> TraceSummary:
    """The sums of a trace."""
    return TraceSummary(
        steps=summary.steps,
        with_usage=summary.with_usage,
        agree=summary.agree,
        warm=summary.warm,
        hit_rate=summary.hit_rate,
        spent=summary.spent,
        without_cache=summary.without_cache,
        saved=summary.saved,
        avoidable=summary.avoidable,
        unpriced=summary.unpriced,
        without_times=summary.without_times,
        unreadable=[(item.line, item.why) for item in summary.unreadable],
        unreadable_count=summary.unreadable_count,
    )


def stats_report(stats: Stats) -> StatsReport:
    """Sums over usage logs, each group in the order of its names."""
    return StatsReport(
        total=_tally("total", stats.total),
        groups={
            "by_model": [_tally(name, stats.models[name]) for name in sorted(stats.models)],
            "by_session": [_tally(name, stats.sessions[name]) for name in sorted(stats.sessions)],
            "by_day": [_tally(name, stats.days[name]) for name in sorted(stats.days)],
        },
        served_from_cache=stats.served_from_cache,
        notes=list(stats.notes),
        unreadable=[(name, item.line, item.why) for name, item in stats.unreadable],
        unreadable_count=stats.unreadable_count,
    )


def _tally(name: str, tally: Tally) -> TallyReport:
    return TallyReport(
        name=name,
        calls=tally.calls,
        input=tally.input,
        write=tally.write,
        read=tally.read,
        output=tally.output,
        hit_percent=tally.hit_percent,
        spent=tally.spent,
        without_cache=tally.without_cache,
        saved=tally.saved,
        unpriced=tally.unpriced,
    )
