"""The Bluesky connector on a real Bluesky network, data server and view: `make bluesky` installs it and runs these."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.connector import Locator
from listener.connectors.bluesky import BlueskyConnector, BlueskyOptions
from listener.fetch import Fetcher, FetchSettings
from listener.sessions import Sessions
from mentions.clock import utc_now
from mentions.mention import Mention, Voice
from tests.bluesky_network import PASSWORD, BlueskyNetwork, find_network
from tests.faulty_server import source, tools
from tests.postgres import postgres  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow

CREATE, REFRESH = "com.atproto.server.createSession", "com.atproto.server.refreshSession"
TOKEN_KEY = b"jwt-secret"  # dev-env's own

Build = Callable[..., BlueskyConnector]


@pytest.fixture(scope="module")
def network(request: pytest.FixtureRequest) -> Iterator[BlueskyNetwork]:
    installed = find_network()
    if installed is None:
        pytest.skip("no bluesky network here: `make bluesky` installs one (ten minutes, 750 MB)")
    with BlueskyNetwork(installed, request.getfixturevalue("postgres")()) as running:
        yield running


@pytest.fixture
def build(network: BlueskyNetwork, tmp_path: Path) -> Iterator[Build]:
    """Makes a connector as a new process would, with nothing but what lies in the folder."""
    hosts = tuple(url.removeprefix("http://") for url in (network.pds, network.view))
    fetch = Fetcher(FetchSettings(user_agent="EarshotTest/1", allow=hosts), utc_now)
    made: list[BlueskyConnector] = []

    def make(handle: str, root: str = "", **options: Any) -> BlueskyConnector:
        secrets = {"EARSHOT_BLUESKY_HANDLE": handle, "EARSHOT_BLUESKY_APP_PASSWORD": PASSWORD}
        given = replace(tools(fetch, utc_now, secrets), sessions=Sessions(tmp_path / "sessions"))  # type: ignore[arg-type]
        options = {"api_root": root or network.pds, **options}
        made.append(BlueskyConnector(source(), BlueskyOptions(**options), given))
        return made[-1]

    with closing(fetch):
        yield make
        for each in made:
            each.close()


def drain(connector: BlueskyConnector, cursor: str | None) -> tuple[list[Mention], str | None]:
    """Poll until there is no more, as the daemon does."""
    found: list[Mention] = []
    for _ in range(50):
        page = connector.poll(cursor)
        assert not page.gap
        found += page.mentions
        cursor = page.cursor
        if not page.more:
            return found, cursor
    raise AssertionError("never came to an end")


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "waited too long"
        time.sleep(0.2)


def test_every_post_of_a_busy_search_is_brought_once_though_the_index_lags(
    network: BlueskyNetwork, build: Build
) -> None:
    lou = network.join("lou")
    posts: list[str] = []

    def write(text: str) -> None:
        posts.append(lou.client.send_post(text, profile_identify=lou.did).uri)

    write("sirens in larkfield 0")
    first = build(lou.handle, query="larkfield")
    found: list[Mention] = []
    cursor: str | None = None

    def look(connector: BlueskyConnector) -> None:
        nonlocal cursor
        fresh, cursor = drain(connector, cursor)
        found.extend(fresh)

    def has_one() -> bool:
        look(first)
        return bool(found)

    until(has_one)
    writer = threading.Thread(target=lambda: [write(f"sirens in larkfield {n}") for n in range(1, 350)])
    writer.start()
    time.sleep(2)  # more than a page waits at the first look
    while writer.is_alive():
        look(first)
        time.sleep(0.3)
    writer.join()

    def all_there() -> bool:
        look(first)
        return len({mention.native_id for mention in found}) == len(posts)

    until(all_there)
    assert Counter(mention.native_id for mention in found) == Counter(posts)
    assert {mention.text for mention in found} == {f"sirens in larkfield {n}" for n in range(350)}
    look(first)
    assert len(found) == len(posts)
    past = first.backfill(utc_now() - timedelta(hours=1), utc_now() + timedelta(hours=1), None)
    held = list(past.mentions)
    while past.more:
        past = first.backfill(utc_now() - timedelta(hours=1), utc_now() + timedelta(hours=1), past.cursor)
        held += past.mentions
    assert {mention.native_id for mention in held} == set(posts)


def test_one_log_in_does_for_many_polls_and_restarts_and_a_worn_out_session_is_renewed(
    network: BlueskyNetwork, build: Build, tmp_path: Path
) -> None:
    ana = network.join("ana")
    logins, renewals = network.asked(CREATE), network.asked(REFRESH)
    cursor = None
    for _ in range(5):
        connector = build(ana.handle, query="larkfield")
        for _ in range(4):
            cursor = connector.poll(cursor).cursor
        build(ana.handle, read="mentions").poll(None)
        assert cursor is not None
        assert "eyJ" not in cursor
    assert network.asked(CREATE) - logins == 1
    (kept,) = (tmp_path / "sessions").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    session = json.loads(kept.read_text("utf-8"))
    kept.write_text(json.dumps({**session, "access": worn(session["access"])}), "utf-8")
    build(ana.handle, query="larkfield").poll(cursor)
    assert (network.asked(CREATE) - logins, network.asked(REFRESH) - renewals) == (1, 1)
    renewed = json.loads(kept.read_text("utf-8"))
    assert renewed["refresh"] != session["refresh"]
    kept.write_text(json.dumps({**renewed, **{name: worn(session[name]) for name in ("access", "refresh")}}), "utf-8")
    build(ana.handle, query="larkfield").poll(cursor)
    assert network.asked(CREATE) - logins == 2


def worn(token: str) -> str:
    """The same token, had it run out an hour ago: signed with the network's own key."""
    head, body, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["iat"], claims["exp"] = int(time.time()) - 7200, int(time.time()) - 3600
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    signature = hmac.digest(TOKEN_KEY, f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_what_its_author_deletes_is_seen_to_be_gone(network: BlueskyNetwork, build: Build) -> None:
    sam = network.join("sam")
    uris = [sam.client.send_post(f"heath fire {n}", profile_identify=sam.did).uri for n in range(30)]
    connector = build(sam.handle, query="heath")
    found: dict[str, Mention] = {}
    cursor: str | None = None

    def look() -> bool:
        nonlocal cursor
        fresh, cursor = drain(connector, cursor)
        found.update({mention.native_id: mention for mention in fresh})
        return len(found) == len(uris)

    until(look)
    assert all(mention.voice is Voice.OWN for mention in found.values())
    deleted = set(uris[::3])
    for uri in deleted:
        sam.client.delete_post(uri)
    locators = [Locator(mention.id, uri) for uri, mention in found.items()]
    gone: set[str] = set()

    def seen_gone() -> bool:
        for at in (0, 25):
            looked = connector.recheck(locators[at : at + 25])
            gone.update(looked.gone)
            for mention in looked.found:
                assert mention.words == found[mention.native_id].words
        return len(gone) == len(deleted)

    until(seen_gone)
    assert gone == {found[uri].id for uri in deleted}
    one = next(iter(deleted))
    assert connector.thread(Locator(found[one].id, one)).gone == (found[one].id,)
    assert {mention.native_id for mention in connector.own_posts().mentions} == set(uris) - deleted


def test_mentions_answers_and_quotes_come_and_likes_do_not(network: BlueskyNetwork, build: Build) -> None:
    from atproto_client import models
    from atproto_client.utils import TextBuilder

    press, joe = network.join("larkforce"), network.join("joe")
    ours: Any = press.client
    theirs: Any = joe.client
    own = ours.send_post("A road is shut.", profile_identify=press.did)
    words = TextBuilder().text("👏 ").mention("@larkforce.test", press.did).text(" which road?")
    theirs.send_post(words, profile_identify=joe.did)
    parent = models.ComAtprotoRepoStrongRef.Main(uri=own.uri, cid=own.cid)
    answer = models.AppBskyFeedPost.ReplyRef(parent=parent, root=parent)
    reply = theirs.send_post("How long for?", profile_identify=joe.did, reply_to=answer)
    quote = models.AppBskyEmbedRecord.Main(record=parent)
    theirs.send_post("Again!", profile_identify=joe.did, embed=quote)
    theirs.app.bsky.feed.like.create(joe.did, models.AppBskyFeedLike.Record(
        subject=parent, created_at=theirs.get_current_time_iso()))  # fmt: skip
    connector = build(press.handle, read="mentions")
    found: dict[str, Mention] = {}
    cursor: str | None = None

    def look() -> bool:
        nonlocal cursor
        fresh, cursor = drain(connector, cursor)
        found.update({mention.text: mention for mention in fresh})
        return len(found) >= 3

    until(look)
    assert set(found) == {"👏 @larkforce.test which road?", "How long for?", "Again!"}
    thread = connector.thread(Locator("x", reply.uri)).mentions
    assert [mention.text for mention in thread] == ["A road is shut.", "How long for?"]
    assert thread[0].voice is Voice.OWN
    assert found["How long for?"].thread == thread[0].id == thread[0].thread


def test_the_public_view_is_read_without_a_log_in(network: BlueskyNetwork, build: Build) -> None:
    kim = network.join("kim")
    kim.client.send_post("quiet at the weir", profile_identify=kim.did)
    connector = build(kim.handle, network.view, query="weir")
    until(lambda: len(drain(connector, None)[0]) == 1)
