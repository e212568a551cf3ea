"""A connector of a platform that nobody has, for tests: lists posts as JSON, and can look at them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import BaseModel

from listener.connector import Locator, Page, Rechecked, SourceInfo, Terms, Tools
from mentions.mention import Mention

KIND = "flickr"  # a platform whose posts are looked at again daily


class ToyOptions(BaseModel):
    """Where it is."""

    url: str


class ToyConnector:
    """`GET /posts` gives [{id, at, text, title, likes}], with {id, gone: true} for what is deleted; `GET /look?ids=`
    the same of those that still stand."""

    kind: ClassVar[str] = KIND
    Options: ClassVar[type[BaseModel]] = ToyOptions
    terms: ClassVar[Terms] = Terms()
    most_at_once: ClassVar[int] = 2

    def __init__(self, source: SourceInfo, options: ToyOptions, tools: Tools) -> None:
        self._source, self._url, self._tools = source, options.url, tools

    def poll(self, cursor: str | None) -> Page:
        """All of them."""
        posts = self._ask("/posts")
        gone = tuple(f"{self.kind}:{each['id']}" for each in posts if each.get("gone"))
        return Page(tuple(self._mention(each) for each in posts if not each.get("gone")), cursor="1", gone=gone)

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """What is missing is gone; one that is said to be `hidden` cannot be told."""
        ids = {each.native_id: each.id for each in locators}
        self._tools.budget(self.kind).take(recheck=True)
        posts = {str(each["id"]): each for each in self._ask(f"/look?{urlencode({'ids': ','.join(ids)})}")}
        there = tuple(self._mention(each) for each in posts.values() if not each.get("hidden"))
        return Rechecked(there, tuple(mention_id for native, mention_id in ids.items() if native not in posts))

    def close(self) -> None:
        """Nothing to give back."""

    def _ask(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._tools.fetch.get(f"{self._url}{path}").body)
        return found

    def _mention(self, post: dict[str, Any]) -> Mention:
        return Mention(
            id=f"{self.kind}:{post['id']}",
            platform=self.kind,
            source=self._source.name,
            published_at=datetime.fromisoformat(post["at"]),
            first_seen_at=self._tools.clock(),
            text=post["text"],
            title=post.get("title", ""),
            link=f"https://photos.example/{post['id']}/{post.get('title', '').replace(' ', '-').lower()}",
            native_id=str(post["id"]),
            author_key="ab" * 8,
            likes=post.get("likes"),
        )


class ToyOfX(ToyConnector):
    """The same of a platform whose words must go where nobody looked for a day."""

    kind = "x"
