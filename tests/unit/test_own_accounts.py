"""The settings' own accounts reach whoever takes posts in."""

from __future__ import annotations

import json
from pathlib import Path

from config.load import load
from config.settings import Settings
from listener.importing import open_reader
from listener.outfit import open_connectors
from mentions.mention import Voice
from tests.faulty_server import NOON, Clock, FaultyServer, Reply, item, reach, rss

PARTS = """
data = "{folder}"
own_handles = ["@ExampleDesk"]
[[sources]]
name = "a"
kind = "feed"
url = "{url}"
"""
BOTH = [Voice.OWN, Voice.PUBLIC]


def settings(folder: Path, url: str) -> Settings:
    (folder / "earshot.toml").write_text(PARTS.format(folder=folder, url=url))
    return load(folder / "earshot.toml", {})


def test_what_our_own_account_posts_at_a_source_is_ours(tmp_path: Path) -> None:
    entries = [
        item(name, f"Road shut, says {name}").replace("</item>", f"<author>{name}</author></item>")
        for name in ("exampledesk", "lou")
    ]
    with FaultyServer() as server:
        fetch = reach(server)
        given = settings(tmp_path, server.serve("/feed", Reply(rss(*entries))))
        connectors = open_connectors(given, fetch, Clock())
        assert [mention.voice for mention in connectors["a"].poll(None).mentions] == BOTH
        fetch.close()


def test_what_our_own_account_posted_is_ours_in_an_import(tmp_path: Path) -> None:
    rows = [{"id": name, "platform": "x", "text": "Road shut.", "author": name} for name in ("@exampledesk", "lou")]
    reader = open_reader(settings(tmp_path, "https://a.example/feed"), NOON)
    judged = reader.read(("f.jsonl", 1, [json.dumps(row).encode() for row in rows]))
    assert [each.mention.voice for each in judged.good] == BOTH
