"""The real connectors against the exercise's real server: every post arrives once, as what it was."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import requests
from mastodon import Mastodon

from listener.connector import Connector, SourceInfo, Tools
from listener.connectors import build_connector
from listener.fetch import Fetcher, FetchSettings
from listener.rehearsal.posts import Posts, load_posts
from listener.rehearsal.process import Rehearsal
from mentions.failures import UserError
from mentions.mention import Mention, Reach, Voice

ROOT = Path(__file__).parent.parent.parent
SCENARIO = ROOT / "config" / "defaults" / "exercise.jsonl"
START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
TICK = timedelta(minutes=2)

ROWS: list[dict[str, object]] = [
    {"id": "a1", "platform": "twitter", "text": "Sirens on <Mill Lane> & a #RedBus\nstuck", "followers": 150_000},
    {"id": "a2", "platform": "twitter", "text": "Same second, another voice", "author": "otter_tea", "followers": 20},
    {"id": "a3", "platform": "reddit", "title": "What is it?", "text": "Asking for a friend 🚓 https://a.example/x?y=1&z=2"},
    {"id": "n1", "platform": "rss", "feed": "wex_news", "title": "Salt & battery <charged>", "text": "A & B < C",
     "link": "https://www.wexnews.example/1?a=1&b=2"},
    {"id": "n2", "platform": "headline", "source": "wex_news", "title": "Title only"},
    {"id": "b1", "platform": "blog", "source": "Pepper's blog", "text": "First line.\nAnd more.", "voice": "official"},
    {"id": "f1", "platform": "forum", "site": "wextalk.example", "title": "Bins & cats", "text": "Missed <again>",
     "link": "https://www.wextalk.example/t/1", "author": "heron_wex"},
    {"id": "f2", "platform": "forum", "site": "wextalk.example", "title": "Bins & cats", "text": "Same here"},
]  # fmt: skip


def write_rows(path: Path, rows: Sequence[dict[str, object]], gap: timedelta = TICK) -> Path:
    lines = [json.dumps({**row, "time": (START + gap * place).isoformat()}) for place, row in enumerate(rows)]
    path.write_text("\n".join(lines), "utf-8")
    return path


@contextmanager
def stage(
    files: Sequence[Path], since: datetime | None = None, until: datetime | None = None
) -> Iterator[tuple[Posts, Rehearsal]]:
    posts = load_posts(files, since, until)
    with Rehearsal(posts, files, since, until) as rehearsal:
        yield posts, rehearsal


class Desk:
    """Polls a rehearsal's sources by the real connectors, as the daemon would."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.now = START
        self.heard: list[Mention] = []
        fetch = Fetcher(FetchSettings(allow=(rehearsal.address,), host_gap=0), self.clock)
        tools = Tools(fetch, self.clock, lambda platform, author: f"{platform}/{author}", lambda name: None)
        self.connectors: dict[str, Connector] = {}
        self.cursors: dict[str, str | None] = {}
        for spec in rehearsal.sources:
            info = SourceInfo(spec.name, spec.voice, spec.publisher)
            self.connectors[spec.name] = build_connector(spec.kind, info, spec.options, tools)
            self.cursors[spec.name] = None
        self._stack = ExitStack()
        self._stack.callback(fetch.close)
        for connector in self.connectors.values():
            self._stack.callback(connector.close)

    def clock(self) -> datetime:
        return self.now

    def poll(self) -> None:
        for name, connector in self.connectors.items():
            more = True
            while more:
                page = connector.poll(self.cursors[name])
                self.heard += page.mentions
                self.cursors[name], more = page.cursor, page.more
                assert not page.left_out, page.sample

    def close(self) -> None:
        self._stack.close()


def listen(posts: Posts, rehearsal: Rehearsal, tick: timedelta = TICK) -> list[Mention]:
    """Poll once before the first post, then at every tick until the last is out."""
    assert posts.first_at
    assert posts.last_at
    desk = Desk(rehearsal)
    desk.now = posts.first_at - tick
    while desk.now < posts.last_at + tick:
        rehearsal.move_to(desk.now)
        desk.poll()
        desk.now += tick
    desk.close()
    return desk.heard


def test_every_kind_of_row_arrives_once_as_what_it_was(tmp_path: Path) -> None:
    with stage([write_rows(tmp_path / "rows.jsonl", ROWS)]) as (posts, rehearsal):
        heard = {mention.id: mention for mention in listen(posts, rehearsal)}
        by_row = {post.row.id: heard[i] for post, i in zip(posts.posts, rehearsal.expected_ids(), strict=True)}
    assert len(heard) == len(ROWS)
    for place, post in enumerate(posts.posts):
        assert by_row[post.row.id].published_at == START + TICK * place
    said = {row_id: mention.words for row_id, mention in by_row.items()}
    assert said["x:a1"] == "Sirens on <Mill Lane> & a #RedBus\nstuck"
    assert " ".join(said["reddit:a3"].split()) == "What is it? Asking for a friend 🚓 https://a.example/x?y=1&z=2"
    assert said["rss:n1"] == "Salt & battery <charged>\nA & B < C"
    assert said["headline:n2"] == "Title only"
    assert " ".join(said["blog:b1"].split()) == "First line. And more."
    assert said["forum:f1"] == "Bins & cats\nMissed <again>"
    assert (by_row["x:a1"].reach, by_row["x:a2"].reach, by_row["reddit:a3"].reach) == (
        Reach.WIDE,
        Reach.LOCAL,
        Reach.UNKNOWN,
    )
    assert (by_row["rss:n1"].voice, by_row["rss:n1"].publisher) == (Voice.PRESS, "wexnews.example")
    assert by_row["rss:n1"].link == "https://www.wexnews.example/1?a=1&b=2"
    assert by_row["blog:b1"].voice is Voice.OFFICIAL
    assert by_row["forum:f1"].publisher == "wextalk.example"
    assert by_row["forum:f1"].thread == by_row["forum:f2"].thread


def test_who_is_not_named_counts_each_time_as_somebody_else(tmp_path: Path) -> None:
    rows = [{"id": str(n), "platform": p, "text": f"Post {n}"} for n, p in enumerate(["x"] * 4 + ["forum"] * 4)]
    with stage([write_rows(tmp_path / "rows.jsonl", rows)]) as (posts, rehearsal):
        heard = listen(posts, rehearsal)
    assert len({mention.author_key for mention in heard}) == len(rows)


def test_an_hour_of_five_hundred_posts_is_heard_whole_even_after_a_break(tmp_path: Path) -> None:
    kinds = [("x", {}), ("forum", {"site": "f"}), ("rss", {"feed": "r"})]
    rows = [
        {"id": str(n), "platform": kinds[n % 3][0], "text": f"Post number {n}", **kinds[n % 3][1]} for n in range(500)
    ]
    with stage([write_rows(tmp_path / "rows.jsonl", rows, timedelta(seconds=7))]) as (_, rehearsal):
        desk = Desk(rehearsal)
        for minutes in (-2, 0, 2, 55, 60):
            desk.now = START + timedelta(minutes=minutes)
            rehearsal.move_to(desk.now)
            desk.poll()
        desk.close()
        counts = Counter(mention.id for mention in desk.heard)
        assert counts == Counter(rehearsal.expected_ids())


def test_the_built_in_scenario_is_heard_whole_and_once() -> None:
    with stage([SCENARIO]) as (posts, rehearsal):
        heard = Counter(mention.id for mention in listen(posts, rehearsal, timedelta(hours=2)))
        assert heard == Counter(rehearsal.expected_ids())
        assert {spec.name: spec.kind for spec in rehearsal.sources} == {
            "met-newsroom": "feed",
            "morning-ledger": "feed",
            "wexmoor-post": "feed",
            "wexmoor-talk": "forum",
            "wexmoor-social": "mastodon",
        }
        assert {spec.name: spec.boroughs for spec in rehearsal.sources}["wexmoor-talk"] == ("Wexmoor",)
        assert rehearsal.places["Old Quay"] == ("Wexmoor",)


CORPORA = {
    "crisislex_glasgow_2013/2013_glasgow_helicopter_crash_labelled.jsonl": (None, datetime(2013, 11, 30, tzinfo=UTC)),
    "uk_news_rss/2021-03_everard_vigil.jsonl": (
        datetime(2021, 3, 13, tzinfo=UTC),
        datetime(2021, 3, 14, 6, tzinfo=UTC),
    ),
    "heresay_london_forums_2012/forum_posts_dev.jsonl": (datetime(2012, 9, 13, 12, tzinfo=UTC), None),
}


@pytest.mark.parametrize("name", CORPORA)
def test_recorded_posts_are_heard_whole_and_once(shared: Path, name: str) -> None:
    with stage([shared / "corpora" / name], *CORPORA[name]) as (posts, rehearsal):
        assert len(posts.posts) > 20
        heard = Counter(mention.id for mention in listen(posts, rehearsal, timedelta(minutes=40)))
        assert heard == Counter(rehearsal.expected_ids())


# -- manners of the server --------------------------------------------------------------------------------------------


def test_nothing_is_out_before_its_time(tmp_path: Path) -> None:
    with stage([write_rows(tmp_path / "rows.jsonl", ROWS)]) as (_, rehearsal):
        assert rehearsal.published()["ids"] == []
        rehearsal.move_to(START + TICK)
        told = rehearsal.published()
    assert told["ids"] == ["x:a1", "x:a2"]
    assert (told["published"], told["boards"]["mastodon/x"], told["boards"]["feed/wex-news"]) == (2, 2, 0)


def test_what_has_not_changed_is_answered_304(tmp_path: Path) -> None:
    with stage([write_rows(tmp_path / "rows.jsonl", ROWS)]) as (_, rehearsal), httpx.Client() as client:
        for path in (
            "/feeds/wex-news.xml",
            "/forums/wextalk-example/posts.json",
            "/mastodon/x/api/v1/timelines/public",
        ):
            rehearsal.move_to(START + TICK * 6)
            first = client.get(rehearsal.url + path)
            again = client.get(rehearsal.url + path, headers={"If-None-Match": first.headers["etag"]})
            assert (first.status_code, again.status_code, again.content) == (200, 304, b""), path
        feed = client.get(f"{rehearsal.url}/feeds/wex-news.xml")
        since = {"If-Modified-Since": feed.headers["last-modified"]}
        assert client.get(f"{rehearsal.url}/feeds/wex-news.xml", headers=since).status_code == 304
        forum = f"{rehearsal.url}/forums/wextalk-example/posts.json"
        before = client.get(forum).headers["etag"]
        rehearsal.move_to(START + TICK * 7)
        assert client.get(forum, headers={"If-None-Match": before}).status_code == 200


def test_a_timeline_pages_as_mastodon_does(tmp_path: Path) -> None:
    rows = [{"id": str(n), "platform": "x", "text": f"Number {n} #bus"} for n in range(100)]
    with stage([write_rows(tmp_path / "rows.jsonl", rows, timedelta(seconds=0))]) as (_, rehearsal):
        rehearsal.move_to(START)
        session = requests.Session()
        api = Mastodon(
            session=session,
            api_base_url=f"{rehearsal.url}/mastodon/x",
            mastodon_version="4.4.0",
            version_check_mode="none",
            ratelimit_method="throw",
        )

        def numbers(page: Sequence[object]) -> list[int]:
            return [int(status["content"].split("Number ")[1].split()[0]) for status in page]  # type: ignore[index]

        newest = api.timeline("public", limit=3)
        assert numbers(newest) == [99, 98, 97]
        assert numbers(api.fetch_next(newest)) == [96, 95, 94]
        oldest = api.timeline("public", min_id=0, limit=3)
        assert numbers(oldest) == [2, 1, 0]
        assert numbers(api.fetch_previous(oldest)) == [5, 4, 3]
        assert numbers(api.timeline("public", since_id=newest[1]["id"])) == [99]
        assert numbers(api.timeline("public", max_id=oldest[0]["id"])) == [1, 0]
        assert len(api.timeline("public")) == 20
        assert len(api.timeline("public", limit=400)) == 40
        assert numbers(api.timeline_hashtag("BUS", limit=2)) == [99, 98]
        assert api.timeline_hashtag("tram") == []
        assert api.instance().title == "EXERCISE"
        session.close()


def test_the_sink_accepts_every_notice_and_keeps_it(tmp_path: Path) -> None:
    with stage([write_rows(tmp_path / "rows.jsonl", ROWS)]) as (_, rehearsal):
        rehearsal.move_to(START)
        answer = httpx.post(rehearsal.sink_url, content=b'{"key": "1:1:sink"}', headers={"Idempotency-Key": "1:1:sink"})
        assert answer.status_code == 204
        assert rehearsal.notices() == [{"at": START.isoformat(), "key": "1:1:sink", "body": '{"key": "1:1:sink"}'}]


@pytest.mark.parametrize("path", ["/", "/feeds/no.xml", "/forums/no/posts.json", "/forums/wextalk-example/latest.json"])
def test_what_is_not_there_is_404(tmp_path: Path, path: str) -> None:
    with stage([write_rows(tmp_path / "rows.jsonl", ROWS)]) as (_, rehearsal):
        assert httpx.get(rehearsal.url + path).status_code == 404


def test_the_clock_can_run_by_itself(tmp_path: Path) -> None:
    files = [write_rows(tmp_path / "rows.jsonl", ROWS)]
    with Rehearsal(load_posts(files), files, start_at=START - timedelta(minutes=1), speed=3600) as rehearsal:
        wait_until(lambda: rehearsal.published()["published"] == len(ROWS))
        with pytest.raises(RuntimeError, match="409"):
            rehearsal.move_to(START)


def test_the_server_ends_when_the_exercise_is_killed(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.jsonl", ROWS)
    script = (
        "import sys, time; from pathlib import Path\n"
        "from listener.rehearsal.posts import load_posts; from listener.rehearsal.process import Rehearsal\n"
        "files = [Path(sys.argv[1])]; print(Rehearsal(load_posts(files), files).url, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout
        url = parent.stdout.readline().strip()
        assert httpx.get(f"{url}/robots.txt").status_code == 200
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not answers(url))


def test_a_server_that_cannot_start_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did not start"):
        Rehearsal(Posts((), ()), [tmp_path / "gone.jsonl"])


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/robots.txt").status_code == 200
    except httpx.TransportError:
        return False


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "waited ten seconds in vain"
        time.sleep(0.05)
