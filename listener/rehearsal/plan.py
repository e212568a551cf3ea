"""Which sources a daemon needs to hear an exercise, and which mention each of its posts should become."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from listener.domains import registrable_domain
from listener.feeds import identify, short_hash
from listener.rehearsal.posts import Board, Post, Shape, board_tag, boards
from listener.rehearsal.published import forum_post_ids
from listener.rehearsal.shapes import status_uri
from mentions.failures import UserError
from mentions.mention import Voice


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One `[[sources]]` table of the exercise."""

    name: str
    kind: str
    options: dict[str, object]
    voice: Voice
    publisher: str = ""
    boroughs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What a scenario says of its invented world: places by name, and the patch of each board, as boroughs."""

    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    patches: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_setting(files: Sequence[Path]) -> Setting:
    """Join what stands in FILE.toml beside each FILE.jsonl; a scenario of real places needs none."""
    places: dict[str, tuple[str, ...]] = {}
    patches: dict[str, tuple[str, ...]] = {}
    for file in files:
        beside = file.with_suffix(".toml")
        if beside != file and beside.exists():
            told = _read_toml(beside)
            places |= _boroughs_by_name(told, "places", beside)
            patches |= _boroughs_by_name(told, "patches", beside)
    return Setting(places, patches)


def _read_toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as TOML: {error}") from error


def _boroughs_by_name(told: Mapping[str, object], key: str, file: Path) -> dict[str, tuple[str, ...]]:
    table = told.get(key, {})
    if not isinstance(table, dict) or not all(isinstance(names, list) for names in table.values()):
        raise UserError(f'{file}: [{key}]: expected lines such as "Tanners Row" = ["Wexmoor"]')
    return {name: tuple(map(str, boroughs)) for name, boroughs in table.items()}


def plan(posts: Sequence[Post], url: str, patches: Mapping[str, Sequence[str]] | None = None) -> list[SourceSpec]:
    """The sources that together bring every post once, from a server at `url`; in a fixed order, names unique."""
    held = boards(posts)
    names = Counter(board.name for board in held)
    return [_spec(board, source_name(board, names), url, (patches or {}).get(board.name, ())) for board in held]


def source_name(board: Board, names: Mapping[str, int]) -> str:
    """The board's own name; its shape joins it where two boards share the name."""
    return board.name if names[board.name] == 1 else f"{board.name}-{board.shape}"


def _spec(board: Board, name: str, url: str, boroughs: Sequence[str]) -> SourceSpec:
    options: dict[Shape, dict[str, object]] = {
        Shape.FEED: {"url": f"{url}/feeds/{board.name}.xml"},
        Shape.FORUM: {"url": f"{url}/forums/{board.name}", "software": "discourse"},
        Shape.MASTODON: {"api_root": url, "read": "tag", "tag": board_tag(board.name)},
    }
    publisher = _publisher(board) if board.shape is Shape.FORUM else ""  # of news, each item's own link tells
    return SourceSpec(name, board.shape.value, options[board.shape], board.voice, publisher, tuple(boroughs))


def _publisher(board: Board) -> str:
    """Whose house the board is: where most of its links lead, else its own name."""
    domains = Counter(registrable_domain(post.row.link) for post in board.posts)
    return domains.most_common(1)[0][0] or board.name


def expected_ids(posts: Sequence[Post], url: str) -> list[str]:
    """The id of the mention that our connectors make of each post published at `url`, in the order of `posts`."""
    held = boards(posts)
    names = Counter(board.name for board in held)
    ids: dict[str, str] = {}
    for board in held:
        ids |= _ids_of(board, source_name(board, names), url)
    return [ids[post.row.id] for post in posts]


def _ids_of(board: Board, source: str, url: str) -> dict[str, str]:
    if board.shape is Shape.FEED:
        return {
            row.id: f"rss:{short_hash(identify(row.id, row.link, row.title or row.text, set(), source))}"
            for row in (post.row for post in board.posts)
        }
    if board.shape is Shape.FORUM:
        base = f"{url}/forums/{board.name}"
        numbers = forum_post_ids(board.posts)
        return {row_id: f"forum:{short_hash(f'{base}/p/{number}')}" for row_id, number in numbers.items()}
    return {post.row.id: f"mastodon:{short_hash(status_uri(post))}" for post in board.posts}
