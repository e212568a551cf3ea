"""The single rule over a real store: one red item of wide reach, risks to life, publishers that agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from alerts.rules import RULES, AlertSettings, Single, SingleSettings, SurgeSettings, build_rules
from mentions.mention import Assessed, Assessment, Mention, Rag, Reach, Voice
from mentions.records import Finding, Level
from mentions.store import MentionStore
from mentions.stores import open_store

NOW = datetime(2024, 5, 20, 15, 0, tzinfo=UTC)
CONDUCT = Assessment(relevant=True, rag=Rag.RED, topic="conduct")
LIFE = replace(CONDUCT, topic="danger", risk_to_life=True)
SERIAL = count()
REVIEW = ("Harbour review finds force failed families", "Force failed families, Harbour review concludes")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MentionStore]:
    opened = open_store(f"sqlite:{tmp_path / 'mentions.db'}")
    yield opened
    opened.close()


def item(title: str, publisher: str = "", opinion: Assessment = CONDUCT, *, ago: int = 5, **facts: object) -> Assessed:
    """An item `ago` minutes old: of the press where a publisher is named, else of the public."""
    at = NOW - timedelta(minutes=ago)
    mention = Mention(
        id=f"rss:{next(SERIAL)}",
        platform="rss" if publisher else "mastodon",
        source=publisher or "example",
        published_at=at,
        first_seen_at=at,
        title=title,
        text="",
        publisher=publisher,
        voice=Voice.PRESS if publisher else Voice.PUBLIC,
        reach=Reach.WIDE if publisher else Reach.LOCAL,
    )
    return Assessed(replace(mention, **facts), opinion)  # type: ignore[arg-type]


def check(store: MentionStore, *items: Assessed, now: datetime = NOW) -> list[Finding]:
    store.save(items)
    return Single().check(now, store)


def test_one_red_item_of_the_press_is_a_warning(store: MentionStore) -> None:
    only = item(REVIEW[0], "first.example", replace(CONDUCT, boroughs=("Camden",)))
    (finding,) = check(store, only)
    assert (finding.level, finding.colour, finding.key, finding.topic) == (
        Level.WARNING,
        Rag.RED,
        "single:conduct",
        "conduct",
    )
    assert (finding.evidence, finding.boroughs) == ((only.mention.id,), ("Camden",))
    assert finding.first_evidence_at == finding.last_evidence_at == only.mention.counts_at


def test_a_red_post_of_wide_reach_is_a_warning_and_one_of_small_reach_is_not(store: MentionStore) -> None:
    assert check(store, item(REVIEW[0])) == []
    assert len(check(store, item(REVIEW[0], reach=Reach.WIDE))) == 1


@pytest.mark.parametrize("opinion", [replace(CONDUCT, rag=Rag.AMBER), replace(CONDUCT, relevant=False)])
def test_what_is_not_red_or_not_relevant_is_nothing(store: MentionStore, opinion: Assessment) -> None:
    assert check(store, item(REVIEW[0], "first.example", opinion)) == []


def test_history_and_our_own_words_never_ring(store: MentionStore) -> None:
    assert check(store, item(REVIEW[0], "first.example", history=True)) == []
    assert check(store, item(REVIEW[0], "ours.example", voice=Voice.OWN)) == []


def test_a_warning_holds_for_an_hour_after_its_last_item(store: MentionStore) -> None:
    assert check(store, item(REVIEW[0], "first.example", ago=59))
    assert not check(store, now=NOW + timedelta(minutes=2))


def test_what_is_found_late_still_rings_for_an_hour_after_it_was_found(store: MentionStore) -> None:
    just_now = NOW - timedelta(seconds=5)
    late = item("Gunman at harbour", opinion=LIFE, ago=75, reach=Reach.WIDE, first_seen_at=just_now)
    assert [finding.level for finding in check(store, late)] == [Level.CRISIS]
    assert check(store, now=NOW + timedelta(minutes=59))
    assert not check(store, now=NOW + timedelta(minutes=61))
    ancient = item("Bus lane quarrel", "a.example", ago=60 * 72, first_seen_at=NOW + timedelta(hours=2))
    assert check(store, ancient, now=NOW + timedelta(hours=2.5)) == [], "what was old when it was found is no news"


def test_publishers_found_at_once_that_published_an_hour_apart_are_a_warning(store: MentionStore) -> None:
    found = check(store, *(item(REVIEW[0], f"{at}.example", ago=180 - 60 * at, first_seen_at=NOW) for at in range(3)))
    assert [finding.level for finding in found] == [Level.WARNING]


def test_history_of_the_last_day_that_is_found_now_never_rings(store: MentionStore) -> None:
    past = item("Gunman at harbour", opinion=LIFE, ago=75, reach=Reach.WIDE, first_seen_at=NOW, history=True)
    assert check(store, past) == []


def test_a_risk_to_life_is_found_among_the_many_posts_of_a_busy_hour(store: MentionStore) -> None:
    chatter = replace(CONDUCT, rag=Rag.GREEN, topic="")
    crowd = [item("Busy at the harbour tonight", opinion=chatter, ago=1, author_key=f"{at}") for at in range(400)]
    found = check(store, item("Gunman at harbour", opinion=LIFE, reach=Reach.WIDE, ago=2), *crowd)
    assert [finding.level for finding in found] == [Level.CRISIS]


def test_items_on_one_topic_are_one_finding(store: MentionStore) -> None:
    (finding,) = check(
        store, item("Harbour review published", "a.example"), item("Bus lane quarrel", "b.example", ago=9)
    )
    assert (finding.count, finding.publishers, finding.level) == (2, 2, Level.WARNING)


def test_three_publishers_on_one_matter_are_a_crisis(store: MentionStore) -> None:
    items = [
        item(title, f"{at}.example", ago=20 - at) for at, title in enumerate([*REVIEW, "Harbour families were failed"])
    ]
    (finding,) = check(store, *items)
    assert finding.level is Level.CRISIS
    assert finding.evidence == tuple(each.mention.id for each in items)
    assert finding.summary == "3 independent publishers bring red items on the same matter within 30 minutes"


def test_one_publisher_three_times_is_a_warning(store: MentionStore) -> None:
    assert [found.level for found in check(store, *(item(title, "a.example") for title in [*REVIEW, *REVIEW]))] == [
        Level.WARNING
    ]


def test_three_posts_by_the_public_are_no_three_publishers(store: MentionStore) -> None:
    assert check(store, *(item(REVIEW[0], author_key=f"key {at}") for at in range(3))) == []


def test_three_publishers_on_three_matters_are_a_warning(store: MentionStore) -> None:
    titles = [
        "Harbour review finds force failed families",
        "Sergeant sold raffle prizes",
        "Kennel roof was never mended",
    ]
    found = check(store, *(item(title, f"{at}.example") for at, title in enumerate(titles)))
    assert [finding.level for finding in found] == [Level.WARNING]


def test_three_publishers_over_an_hour_are_a_warning(store: MentionStore) -> None:
    found = check(store, *(item(REVIEW[0], f"{at}.example", ago=50 - 20 * at) for at in range(3)))
    assert [finding.level for finding in found] == [Level.WARNING]


def test_a_matter_that_was_judged_under_two_topics_is_one_when_its_words_are(store: MentionStore) -> None:
    title = "Harbour review: sergeants mocked grieving families"
    other = replace(CONDUCT, topic="leadership")
    found = check(store, *(item(title, f"{at}.example", [CONDUCT, other, CONDUCT][at]) for at in range(3)))
    assert [finding.level for finding in found if finding.topic == "conduct"] == [Level.CRISIS]


def test_a_risk_to_life_told_by_an_account_of_wide_reach_is_a_crisis_at_once(store: MentionStore) -> None:
    found = check(store, item("Gunman at harbour", opinion=LIFE, reach=Reach.WIDE))
    assert [finding.level for finding in found] == [Level.CRISIS]
    assert found[0].summary.startswith("Tell the control room first")


def test_a_risk_to_life_told_by_the_press_takes_a_second_publisher(store: MentionStore) -> None:
    one = item("Gunman holds harbour ferry passengers", "a.example", LIFE)
    assert [finding.level for finding in check(store, one)] == [Level.WARNING]
    again = item("Harbour ferry: gunman still holds passengers", "a.example", LIFE)
    assert [finding.level for finding in check(store, again)] == [Level.WARNING]
    other = item("Harbour ferry passengers held by gunman", "b.example", LIFE)
    assert [finding.level for finding in check(store, other)] == [Level.CRISIS]


def test_a_risk_to_life_counts_whatever_its_colour(store: MentionStore) -> None:
    unrated = Assessment(relevant=True, risk_to_life=True)
    items = [item("Boy on the harbour bridge railing, crying", opinion=unrated, author_key=f"{at}") for at in range(2)]
    assert [finding.level for finding in check(store, *items)] == [Level.CRISIS]


def test_two_risks_that_have_nothing_in_common_are_no_crisis(store: MentionStore) -> None:
    one = item("Boy on the harbour bridge railing, crying", opinion=LIFE, author_key="one")
    assert check(store, one, item("Overdose outside number nine, medics here", opinion=LIFE, author_key="two")) == []


def test_a_risk_to_life_told_by_the_public_takes_two_voices(store: MentionStore) -> None:
    one = item("Man with rifle on harbour bridge", opinion=LIFE, author_key="one")
    assert check(store, one) == []
    again = item("Somebody on the harbour bridge with a rifle", opinion=LIFE, author_key="one")
    assert check(store, again) == []
    other = item("harbour bridge, a rifle, stay away", opinion=LIFE, author_key="two")
    assert [finding.level for finding in check(store, other)] == [Level.CRISIS]


def test_more_publishers_score_higher(store: MentionStore) -> None:
    scores = [check(store, item(REVIEW[0], f"{at}.example"))[0].score for at in range(4)]
    assert scores == sorted(set(scores))
    assert scores[0] == 0.5


def test_what_was_counted_after_now_is_not_judged(store: MentionStore) -> None:
    assert check(store, item(REVIEW[0], "a.example", ago=-5)) == []


def test_every_rule_of_the_registry_is_built_and_tells_when_it_fires() -> None:
    settings = AlertSettings(single=SingleSettings(publishers=4), surge=SurgeSettings(posts=9))
    rules = build_rules(settings)
    assert [rule.name for rule in rules] == list(RULES)
    assert "4 independent publishers" in rules[1].describe()
    assert "9 posts" in rules[0].describe()
