"""Boards full of hostile words, as the daemon and `earshot evaluate` keep them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analysis.evaluate import Labelled
from analysis.scoreboard import make_board
from config.settings import Settings
from listener.boards import Boards
from mentions.boards import write_board
from mentions.mention import Assessment, Mood, Rag, Verdict, Voice
from tests import seeding
from tests.seeding import HOSTILE, Seeded


def seed_boards(seeded: Seeded) -> None:
    """Every board: made of a campaign of hostile posts, or written with markup where words are put in by hand."""
    public = {"voice": Voice.PUBLIC, "publisher": ""}
    rows = []
    for number in range(8):
        at = seeded.now - timedelta(minutes=1 + number)
        row = seeding.make_row(19_000 + number, at, Rag.RED, text=HOSTILE, author_key=f"a{number}", **public)
        rows.append(replace(row, assessment=replace(row.assessment, sentiment=Verdict(Mood.NEGATIVE, -0.7))))
    seeded.store.save(rows)
    Boards(seeded.store, seeded.state, lambda: seeded.now, Settings()).work()
    _keep_debates(seeded)
    _keep_evaluation(seeded)


def _keep_debates(seeded: Seeded) -> None:
    reason = {"points": 30, "says": "asks something <b>an officer</b> could answer", "post": "test:19000"}
    row = {
        "boroughs": ["Camden"],
        "score": 83,
        "clearance": "green",
        "reasons": [{**reason, "start": 0, "end": len(HOSTILE)}],
        "posts": 7,
        "voices": 4,
        "last_at": seeded.now.isoformat(),
        "force_in_it": False,
        "account": "@mpscamden",
        "ids": ["test:19000"],
    }
    written = write_board({"found": 2, "debates": [row, row | {"boroughs": []}]}, seeded.now, timedelta(minutes=5))
    seeded.state.keep_board("debates", seeded.now + timedelta(seconds=1), written)


def _keep_evaluation(seeded: Seeded) -> None:
    opinion = Assessment(relevant=True, rag=Rag.RED, sentiment=Verdict(Mood.NEGATIVE, -0.8), made_by=("rating/1",))
    labels = {"relevant": True, "rag": "red", "sentiment": "neg", "topic": None}
    rows = [Labelled(opinion, labels, platform="x", dialect="<i>mle</i>")] * 9
    measured = make_board(rows, "Two <b>readers</b>", "<img src=http://evil.example/p.png>.jsonl")
    body = write_board({"at": seeded.now.isoformat(), "rejected": 2, **measured}, seeded.now)
    seeded.state.keep_board("evaluation", seeded.now, body)
