"""An evaluation as plain values, for files and pages, and as lines for people: every number with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.evaluate import Calibration, Field, Labelled, Report, Score, evaluate, evaluate_by, interval
from mentions.shares import Share, wilson

MOST_ANSWERS = 6  # more are not told one by one
MOST_ERRORS = 12
COSTS = (
    ("red shown green", "red", "green"),
    ("red shown none", "red", "none"),
    ("red recall", "red", "red"),
)  # what is told, label, opinion
KINDS = ("platforms", "dialects")


def make_board(rows: Sequence[Labelled], labelled_by: str, found_in: str) -> dict[str, Any]:
    """All of it: over all rows, by platform, and by dialect where rows say one."""
    report = evaluate(rows)
    return {
        "labelled_by": labelled_by,
        "found_in": found_in,
        "made_by": sorted({step for row in rows for step in row.assessment.made_by}),
        "rows": report.rows,
        **_fields(report),
        "costs": {says: _share(report.fields["rag"].shown(label, shown)) for says, label, shown in COSTS},
        "calibration": _calibration(report.calibration),
        "platforms": _each(evaluate_by(rows, lambda row: row.platform)),
        "dialects": _each(evaluate_by(rows, lambda row: row.dialect)),
    }


def _each(reports: Mapping[str, Report]) -> dict[str, Any]:
    return {name: {"rows": report.rows, **_fields(report)} for name, report in reports.items()}


def _fields(report: Report) -> dict[str, Any]:
    return {"fields": {name: _field(found) for name, found in report.fields.items() if found.total}}


def _field(found: Field) -> dict[str, Any]:
    redrawn = found.redrawn()
    board: dict[str, Any] = {
        "rows": found.total,
        "accuracy": _share(wilson(found.right, found.total)),
        "macro_f1": _ratio(found.macro_f1, (each.macro_f1 for each in redrawn)),
    }
    pairs = sorted(found.confusion.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(found.answers) > MOST_ANSWERS:
        wrong = [(*pair, count) for pair, count in pairs if pair[0] != pair[1]]
        return board | {"errors": [list(each) for each in wrong[:MOST_ERRORS]]}
    board["answers"] = {answer: _answer(found, redrawn, answer) for answer in found.answers}
    return board | {"confusion": [[*pair, count] for pair, count in pairs]}


def _answer(found: Field, redrawn: Sequence[Field], answer: str) -> dict[str, Any]:
    score: Score = found.score(answer)
    return {
        "precision": _share(wilson(score.right, score.claimed)),
        "recall": _share(wilson(score.right, score.true)),
        "f1": _ratio(score.f1, (each.score(answer).f1 for each in redrawn)),
    }


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {"is": round(share.share, 4), "low": round(share.low, 4), "high": round(share.high, 4), "of": share.n}


def _ratio(value: float, drawn: Iterable[float]) -> dict[str, Any]:
    low, high = interval(drawn) or (value, value)
    return {"is": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def _calibration(found: Calibration) -> dict[str, Any]:
    bins = [
        {"from": each.low, "to": each.high, "confidence": round(each.confidence, 4), "right": _share(each.right)}
        for each in found.bins
    ]
    return {"of": "sentiment", "claims": found.claims, "error": round(found.error, 4), "bins": bins}


# -- for people -------------------------------------------------------------------------------------------------------


def tell_board(board: Mapping[str, Any]) -> list[str]:
    """The board as lines."""
    by = board["labelled_by"] or "nobody says who"
    lines = [f"{board['rows']} rows of {board['found_in']}, labelled by {by}; judged by {', '.join(board['made_by'])}"]
    lines += [line for name, found in board["fields"].items() for line in _tell_field(name, found)]
    lines += [f"{says}: {_tell(share)}" for says, share in board["costs"].items()]
    sure = board["calibration"]
    lines.append(f"calibration of the sentiment: error {sure['error']:.3f} over {sure['claims']} claims for or against")
    lines += [
        f"  {each['from']:.1f} to {each['to']:.1f}: sure {each['confidence']:.2f}, right {_tell(each['right'])}"
        for each in sure["bins"]
    ]
    for kind in KINDS:
        for name, part in board[kind].items():
            told = ", ".join(f"{field} {_tell(found['macro_f1'])}" for field, found in part["fields"].items())
            lines.append(f"{kind.removesuffix('s')} {name}, {part['rows']} rows, macro F1: {told}")
    lines.append("in brackets 95 % intervals: Wilson's for shares, bootstrap (threads drawn whole) for F1")
    return lines


def _tell_field(name: str, found: Mapping[str, Any]) -> list[str]:
    lines = [f"{name}: {found['rows']} rows, accuracy {_tell(found['accuracy'])}, macro F1 {_tell(found['macro_f1'])}"]
    for answer, told in found.get("answers", {}).items():
        parts = (f"{what} {_tell(told[what])}" for what in ("precision", "recall", "f1"))
        lines.append(f"  {answer}: {', '.join(parts)}")
    pairs = [(label, shown, count) for label, shown, count in found.get("confusion", found.get("errors"))]
    wrong = [f"{label} as {shown} {count}" for label, shown, count in pairs if label != shown]
    return [*lines, f"  confused: {', '.join(wrong)}"] if wrong else lines


def _tell(value: Mapping[str, Any] | None) -> str:
    return f"{value['is']:.3f} ({value['low']:.3f} to {value['high']:.3f})" if value else "none to say"
