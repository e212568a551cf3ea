"""Figures in, Vega-Lite specification out. Times are drawn as London reads them, in every browser's zone alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dashboard.usual import HOUR, Counts, Range
from dashboard.wording import LONDON
from mentions.records import Incident, Level
from mentions.shares import Share

INKS = {
    "light": {
        "Red": "#b10e1e",
        "Amber": "#f08c00",
        "Green": "#5a9e6f",
        "None": "#b8bfc4",
        "ink": "#0b0c0c",
        "usual": "#1d70b8",
    },
    "dark": {
        "Red": "#ff6b5e",
        "Amber": "#ffb454",
        "Green": "#6fbf8b",
        "None": "#6b747b",
        "ink": "#f3f2f1",
        "usual": "#8ab8e6",
    },
}
COLOURS = ("Red", "Amber", "Green", "None")
Spec = dict[str, object]


def draw_hours(
    hours: Sequence[tuple[datetime, Counts, Range | None]],
    incidents: Iterable[Incident],
    *,
    dark: bool,
    until: datetime,
) -> Spec:
    """Mentions per full hour, stacked by colour, the usual range as two lines and a rule for each incident opened."""
    inks = INKS["dark" if dark else "light"]
    days = len(hours) > 48
    layers = [_bars(hours, until, inks, days=days), _usual(hours, until, inks), _marks(incidents, until, inks)]
    return {
        "height": 260,
        "layer": [layer for layer in layers if layer],
        "config": {"view": {"stroke": None}, "axis": {"labelColor": inks["ink"], "titleColor": inks["ink"]}},
    }


def _bars(
    hours: Sequence[tuple[datetime, Counts, Range | None]], until: datetime, inks: dict[str, str], *, days: bool
) -> Spec:
    values = [
        {"at": _local(at, until), "Colour": word, "rank": rank, "Mentions": count}
        for at, counts, _ in hours
        for rank, (word, count) in enumerate(
            zip(COLOURS, (counts.red, counts.amber, counts.green, counts.none), strict=True)
        )
        if count
    ]
    shown = [word for word in COLOURS if any(row["Colour"] == word for row in values)]
    band = {"band": 1.0 if days else 0.85}
    return {
        "data": {"values": values},
        "mark": {"type": "bar", "width": band, "cornerRadius": 0},
        "encoding": {
            "x": _time_axis(hours, until, days=days),
            "y": {
                "field": "Mentions",
                "type": "quantitative",
                "axis": {"title": None, "tickMinStep": 1, "grid": True, "tickCount": 5},
            },
            "color": {
                "field": "Colour",
                "type": "nominal",
                "scale": {"domain": shown, "range": [inks[word] for word in shown]},
                "legend": {"orient": "top", "title": None, "labelColor": inks["ink"], "symbolType": "square"},
            },
            "order": {"field": "rank", "type": "quantitative"},
            "tooltip": [
                {"field": "at", "type": "temporal", "format": "%a %H:%M", "title": "Hour from"},
                {"field": "Colour", "type": "nominal"},
                {"field": "Mentions", "type": "quantitative"},
            ],
        },
    }


def _usual(
    hours: Sequence[tuple[datetime, Counts, Range | None]], until: datetime, inks: dict[str, str]
) -> Spec | None:
    values = [{"at": _local(at, until), "high": usual.high} for at, _, usual in hours if usual]
    if not values:
        return None
    return {
        "data": {"values": values},
        "mark": {
            "type": "line",
            "interpolate": "step",
            "color": inks["usual"],
            "strokeWidth": 1.5,
            "strokeDash": [4, 3],
        },
        "encoding": {
            "x": {"field": "at", "type": "temporal", "timeUnit": "yearmonthdatehours"},
            "y": {"field": "high", "type": "quantitative"},
        },
    }


def _marks(incidents: Iterable[Incident], until: datetime, inks: dict[str, str]) -> Spec | None:
    values = [
        {
            "at": _local(found.opened_at, until),
            "row": number % 4 * 15,
            "label": f"{'■' if found.level is Level.CRISIS else '▲'} alert {found.id}",
        }
        for number, found in enumerate(sorted(incidents, key=lambda one: one.opened_at))
    ]
    if not values:
        return None
    place = {"x": {"field": "at", "type": "temporal"}}
    return {
        "data": {"values": values},
        "layer": [
            {"mark": {"type": "rule", "color": inks["ink"], "strokeWidth": 1.5}, "encoding": place},
            {
                "mark": {
                    "type": "text",
                    "align": "right",
                    "baseline": "top",
                    "dx": -5,
                    "color": inks["ink"],
                    "fontWeight": "bold",
                },
                "encoding": {
                    **place,
                    "y": {"field": "row", "type": "quantitative", "scale": None},
                    "text": {"field": "label", "type": "nominal"},
                },
            },
        ],
    }


def _time_axis(hours: Sequence[tuple[datetime, Counts, Range | None]], until: datetime, *, days: bool) -> Spec:
    edges = [_local(hours[0][0], until), _local(until + HOUR, until)] if hours else []
    form = "%a %d" if days else "%H:%M"
    return {
        "field": "at",
        "type": "temporal",
        "timeUnit": "yearmonthdatehours",
        "scale": {"domain": edges} if edges else {},
        "axis": {"title": None, "format": form, "grid": False, "labelOverlap": True, "tickCount": 7 if days else 8},
    }


def _local(at: datetime, until: datetime) -> str:
    """London time without a zone, so that every browser draws the same label. One offset, that of the chart's end, for
    all of it: in the night the clocks go back two hours must not fall on each other."""
    offset = until.astimezone(LONDON).utcoffset()
    naive = at.replace(tzinfo=None) + offset if offset else at.replace(tzinfo=None)
    return naive.isoformat(timespec="minutes")


def describe_hours(hours: Sequence[tuple[datetime, Counts, Range | None]]) -> str:
    """The chart in a sentence, for those who cannot see it."""
    total = sum((counts for _, counts, _ in hours), Counts())
    top = max(hours, key=lambda row: row[1].total, default=None)
    peak = f"; most in the hour from {top[0].astimezone(LONDON):%H:%M on %d %b} ({top[1].total:,})" if top else ""
    return f"Mentions per hour: {total.total:,} in all, {total.red:,} red, {total.amber:,} amber{peak}."


def draw_shares(shares: Sequence[tuple[str, Share]], *, dark: bool) -> Spec:
    """Shares as points with their 95 % intervals as lines, in the order given: what overlaps is not known to differ."""
    inks = INKS["dark" if dark else "light"]
    values = [{"Band": name, "Share": each.share, "low": each.low, "high": each.high} for name, each in shares]
    band = {"field": "Band", "type": "nominal", "sort": [name for name, _ in shares], "axis": {"title": None}}
    scale = {"domain": [0, 1]}
    axis = {"title": None, "format": ".0%", "tickCount": 5}
    line = {
        "mark": {"type": "rule", "color": inks["ink"], "strokeWidth": 2},
        "encoding": {
            "y": band,
            "x": {"field": "low", "type": "quantitative", "scale": scale, "axis": axis},
            "x2": {"field": "high"},
        },
    }
    point = {
        "mark": {"type": "point", "filled": True, "size": 70, "color": inks["usual"], "opacity": 1},
        "encoding": {"y": band, "x": {"field": "Share", "type": "quantitative", "scale": scale, "axis": axis}},
    }
    return {
        "height": {"step": 26},
        "data": {"values": values},
        "layer": [line, point],
        "config": {"view": {"stroke": None}, "axis": {"labelColor": inks["ink"], "labelLimit": 240}},
    }


def describe_shares(shares: Sequence[tuple[str, Share]]) -> str:
    """The same in a sentence, for those who cannot see it."""
    return "; ".join(f"{name} {tell_share(share)}" for name, share in shares) + "."


def tell_share(share: Share) -> str:
    """A share with its interval: "31 % (28 to 34 %)"."""
    return f"{share.share:.0%} ({share.low:.0%} to {share.high:.0%})"
