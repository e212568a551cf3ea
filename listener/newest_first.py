"""Walks a listing that a platform shows newest first, a page a poll, down to what is known; remembers what it saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from listener.feed_memory import sift
from listener.feeds import short_hash
from mentions.mention import Mention

VERSION = 1
LONGEST_LOOK = 100  # pages; a source that was away for longer than that has a gap
ODD = "odd"
DIGEST = 8


class LeftOut(ValueError):
    """An entry that is no post for us, and why, in words that name nobody. `key` is its native id, where it has one;
    `closed` where it is not public, or no longer: what we kept of it goes."""

    def __init__(self, why: str, key: str = "", closed: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.key = key
        self.closed = closed


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a listing: a mention, or why there is none."""

    key: str
    mention: Mention | None = None
    odd: str = ""
    closed: bool = False

    @property
    def digest(self) -> str:
        """Another one means that its words changed."""
        return short_hash(f"{self.mention.title}\n{self.mention.text}", DIGEST) if self.mention else ODD


@dataclass(frozen=True, slots=True)
class Listing:
    """What one request gave. `next` is the platform's own mark of the page after, "" at the end; `whole` where the
    page is all there is, so that what is missing from it was taken away."""

    entries: tuple[Entry, ...] = ()
    next: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What of a page is new to us. `gone` are native ids."""

    mentions: tuple[Mention, ...] = ()
    left_out: int = 0
    sample: str = ""
    gone: tuple[str, ...] = ()
    gap: str = ""


def read_entries(rows: Iterable[Any], build: Callable[[Any], Mention]) -> tuple[Entry, ...]:
    """A listing's rows, each once; a row that cannot be read costs its neighbours nothing."""
    entries: dict[str, Entry] = {}
    for row in rows:
        try:
            mention = build(row)
            entry = Entry(mention.native_id, mention)
        except LeftOut as left:
            entry = Entry(left.key or _name(row), odd=left.why, closed=left.closed)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            entry = Entry(_name(row), odd=f"an entry that cannot be read ({type(error).__name__})")
        entries.setdefault(entry.key, entry)
    return tuple(entries.values())


def _name(row: Any) -> str:
    """What an entry that is none goes by: its id, or all of it."""
    given = row.get("id") if isinstance(row, Mapping) else None
    return "?" + short_hash(json.dumps(given or row, sort_keys=True, default=str))


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a source stands. `seen` is what it knew before this look at it, `found` what this look has brought so far:
    only once a look has come to its end does it count as known, so that one broken off leaves no gap. `first` while
    nothing was known before, `emptied` after a whole listing that was empty all at once."""

    of: str
    seen: Mapping[str, str] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)
    next: str = ""
    read: int = 0
    first: bool = True
    emptied: bool = False

    @staticmethod
    def from_note(note: Mapping[str, Any], of: str) -> Walk:
        """What `note` wrote of the same listing, else a fresh start."""
        if note.get("v") != VERSION or note.get("of") != of:
            return Walk(of)
        return Walk(of, note["seen"], note["found"], note["next"], note["read"], note["first"],
                    note.get("emptied", False))  # fmt: skip

    def note(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "v": VERSION,
            "of": self.of,
            "seen": dict(self.seen),
            "found": dict(self.found),
            "next": self.next,
            "read": self.read,
            "first": self.first,
            "emptied": self.emptied,
        }

    def restart(self) -> Walk:
        """The same look from its beginning, at the next poll: the platform no longer knows the page it was to go on
        with. What the look has brought so far comes again."""
        return replace(self, found={}, next="", read=0)

    def take(self, listing: Listing, pages: int) -> tuple[Walk, Taken]:
        """The page's news. A look ends at a page that shows something known or nothing new, and where it is the first
        after so many pages. A whole listing that shows nothing of several entries is believed once it says so twice
        running: what is gone is lost for good, and an answer may be empty by mistake."""
        known = {**self.seen, **self.found}
        page = {entry.key: entry.digest for entry in listing.entries}
        reached = any(key in self.seen for key in page)
        read, most = self.read + 1, pages if self.first else LONGEST_LOOK
        more = bool(listing.next) and not reached and any(key not in known for key in page)
        gap = ""
        if not self.first and self.seen and not reached and (more or read > 1):
            gap = _gap(more, read, most)
        taken = replace(self._news(listing.entries, known), gap=gap)
        if listing.whole:
            lost = tuple(key for key, digest in known.items() if key not in page and digest != ODD)
            if not page and len(lost) > 1 and not self.emptied:
                return replace(self, emptied=True), taken
            taken = replace(taken, gone=taken.gone + lost)
            return Walk(self.of, page, first=not page), taken
        found = older_first(self.found, page)
        if more and read < most:
            return replace(self, found=found, next=listing.next, read=read, emptied=False), taken
        kept = sift(self.seen, found)[1]
        return Walk(self.of, kept, first=not kept), taken  # an answer empty by mistake teaches nothing

    def add(self, entries: Iterable[Entry]) -> tuple[Walk, Taken]:
        """The news among entries that stand beside the listing, such as further replies."""
        entries = tuple(entries)
        taken = self._news(entries, {**self.seen, **self.found})
        return self.mark({entry.key: entry.digest for entry in entries}), taken

    def mark(self, marks: Mapping[str, str]) -> Walk:
        """Remember these beside what the listing shows, as long as entries are remembered."""
        if self.next:
            return replace(self, found={**self.found, **marks})
        return replace(self, seen=sift(self.seen, marks)[1])

    def marked(self, key: str) -> str:
        """What was remembered under this key; "" for nothing."""
        return self.found.get(key) or self.seen.get(key, "")

    def _news(self, entries: Iterable[Entry], known: Mapping[str, str]) -> Taken:
        fresh = [entry for entry in entries if known.get(entry.key) != entry.digest]
        odd = [entry for entry in fresh if entry.mention is None]
        return Taken(
            mentions=tuple(entry.mention for entry in fresh if entry.mention is not None),
            left_out=len(odd),
            sample=odd[-1].odd if odd else "",
            gone=tuple(entry.key for entry in odd if entry.closed and entry.key in known),
        )


def older_first(found: Mapping[str, str], page: Mapping[str, str]) -> dict[str, str]:
    """What a look has found so far with its next, older page: the oldest stand first, which is where the memory
    forgets."""
    return {**dict(reversed(list(page.items()))), **{key: page.get(key, digest) for key, digest in found.items()}}


def _gap(more: bool, read: int, most: int) -> str:
    if not more:
        return "the listing ended before anything known to us"
    return f"more than {most} pages since the last look" if read >= most else ""
