"""What a mention tells, made comparable: its words without links and handles, what it quotes, what it links to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from sys import intern
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from analysis.vocabulary import DEFAULTS, police_words, spell_out
from mentions.mention import Mention, Voice
from mentions.normalise import normalise

if TYPE_CHECKING:
    from datasketch import LeanMinHash, MinHash  # else only where it is used: it loads scipy, a third of a start

LONGEST = 2_000  # characters read: a story is told in its first sentences
PERMUTATIONS = 64
_LEAST_QUOTED = 4  # words; with fewer, what is around a quotation tells the story

_LINK = re.compile(r"\bhttps?:(?://\S*)?|\bwww\.\S+|\bpic\.twitter\.com/\S+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@])[.]?@\w[\w.-]*(?:@[\w.-]+)?")
# A retweet by hand (RT @name: ..., MT "@name: ...") and a quotation of a post (“@name: ...”).
_REPOST = re.compile(r"\b(?:RT|MT)\b\s*:?\s*[\"“”']?\s*@\w+\s*:?\s*|[\"“”]\s*@\w+\s*:?\s*")
_REPLY = re.compile(r"\s*[.]?@\w")
_QUOTE_END = re.compile(r"[\"”“]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TAG = re.compile(r"#(\w+)")
TRIVIAL = frozenset(
    """
    a an the and or but nor of in on at to for from by with as into onto over under after before about against
    between during without within through up down out off is are was were be been being am do does did doing done
    has have had having will would can could should may might must shall it its this that these those there here he
    him his she her hers they them their theirs we us our ours you your yours i me my mine who whom whose what which
    when where why how if then than so not no yes all any some each more most other such only just also very too now
    new one two says say said saying told tell tells via rt mt amp breaking update live video watch news latest
    report reports reported reportedly get got getting go going gone make made it'd i'm i've you're they're it's
    that's don't can't didn't isn't wasn't won't today yesterday tonight still even like photo photos picture
    pictures pictured editors highlights podcast app email emails newsletter blog liveblog updates quiz cartoon
    follow
    """.split()
)
_ENDINGS = re.compile(r"(?:ing|ed|es|s|er|ers)$")


@dataclass(frozen=True, slots=True, eq=False)
class Telling:
    """One mention as stories see it. `words` are all the words of what it tells, `gist` those of them that mean
    something, by their stems; `headline` those of the title (all of them where it has none), `tagged` those that are
    only in #tags. `links` are what it points to. `reposts` says that it passes on another's post, `replies` that it
    answers somebody; `sign` is the MinHash of `words`."""

    words: frozenset[str]
    gist: frozenset[str]
    headline: frozenset[str]
    tagged: frozenset[str]
    links: frozenset[str]
    reposts: bool
    replies: bool
    sign: LeanMinHash


def read_telling(mention: Mention) -> Telling:
    """What the mention tells, from itself alone. Where it quotes another post, that is the quoted one."""
    text = mention.words[:LONGEST]
    reposts, told = _told(text)
    cited = {_canonical(found[0]) for found in _LINK.finditer(text)}
    if mention.link and mention.voice is not Voice.PUBLIC:  # a forum post's own link is its whole thread's
        cited.add(_canonical(mention.link))
    words = frozenset(normalise(_bare(told)).split())
    gist = _gist(words)
    headline = _gist(normalise(_bare(mention.title)).split()) & gist
    tagged = gist - _gist(normalise(_TAG.sub(" ", told)).split())
    replies = not reposts and _REPLY.match(text) is not None
    return Telling(
        words, gist, headline or gist, tagged, frozenset(filter(None, cited)), reposts, replies, _sign(words)
    )


def _sign(words: frozenset[str]) -> LeanMinHash:
    from datasketch import LeanMinHash

    sign = _blank().copy()
    sign.update_batch([word.encode() for word in words])
    return LeanMinHash(sign)


@cache
def _blank() -> MinHash:
    from datasketch import MinHash

    return MinHash(num_perm=PERMUTATIONS)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A telling in a tenth of its room: words as one line each, and a digest of what it was read from."""

    read_from: bytes
    words: str
    gist: str
    headline: str
    tagged: str
    links: frozenset[str]
    reposts: bool
    replies: bool
    sign: LeanMinHash

    def unpack(self) -> Telling:
        """The telling; words that many have are held once."""
        words, gist, headline, tagged = map(_apart, (self.words, self.gist, self.headline, self.tagged))
        return Telling(words, gist, headline, tagged, self.links, self.reposts, self.replies, self.sign)


def _pack(telling: Telling, read_from: bytes) -> _Packed:
    words, gist, headline, tagged = map(" ".join, (telling.words, telling.gist, telling.headline, telling.tagged))
    links, reposts, replies = telling.links, telling.reposts, telling.replies
    return _Packed(read_from, words, gist, headline, tagged, links, reposts, replies, telling.sign)


def _apart(line: str) -> frozenset[str]:
    return frozenset(map(intern, line.split(" "))) if line else frozenset()


class Tellings:
    """Reads tellings, and need not read those of the last call again. Keeps about 7 kB of a long one in between."""

    def __init__(self) -> None:
        self._kept: dict[str, _Packed] = {}

    def of(self, mentions: Sequence[Mention]) -> list[Telling]:
        """The telling of each, in the order given."""
        kept: dict[str, _Packed] = {}
        for mention in mentions:
            found = self._kept.get(mention.id)
            digest = _digest(mention)  # an edited mention tells something else
            kept[mention.id] = found if found and found.read_from == digest else _pack(read_telling(mention), digest)
        self._kept = kept
        return [kept[mention.id].unpack() for mention in mentions]


def _digest(mention: Mention) -> bytes:
    told = (mention.title, mention.text, mention.link)
    return sha256("\0".join(told).encode("utf-8", "replace")).digest()


def _gist(words: Iterable[str]) -> frozenset[str]:
    return frozenset(stem(word) for word in words if word not in TRIVIAL and (len(word) > 1 or not word.isascii()))


def _told(text: str) -> tuple[bool, str]:
    """Whether it passes on another's post, and the words of the post passed on; the whole where they are few."""
    marks = list(_REPOST.finditer(text))
    if not marks:
        return False, text
    quoted = _QUOTE_END.split(text[marks[-1].end() :], maxsplit=1)[0]
    return True, quoted if len(normalise(_bare(quoted)).split()) >= _LEAST_QUOTED else text


def _bare(text: str) -> str:
    """Without links and accounts, and with the words of a #TagLikeThis apart."""
    text = _HANDLE.sub(" ", _LINK.sub(" ", text))
    return _TAG.sub(lambda tag: _CAMEL.sub(" ", tag[1]), text)


def stem(word: str) -> str:
    """The word without the commonest endings of English: enough to compare by, not to read."""
    return _ENDINGS.sub("", word) if len(word) > 4 and word.isascii() else word


def _canonical(link: str) -> str:
    """The address of one page, spelt one way; "" for a front page or a page of forms, which tell no story."""
    try:
        parts = urlsplit(link if "//" in link else f"//{link}")
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("amp.")
    except ValueError:
        return ""
    path = parts.path.rstrip("/.,:;!?…)”\"'")
    short = host in SHORTENERS and bool(path)
    tells = short or len(path) >= _LONG_PATH or any(map(str.isdigit, path))
    return f"{host}{path}" if host and tells else ""


_LONG_PATH = 24  # characters of an article's path
# Hosts each of whose addresses, however short, stands for one page.
SHORTENERS = frozenset(
    "bit.ly t.co tinyurl.com ow.ly is.gd v.gd buff.ly dlvr.it trib.al fb.me goo.gl wp.me ift.tt lnkd.in cutt.ly rb.gy "
    "shorturl.at tiny.cc j.mp bbc.in gu.com dailym.ai redd.it t.ly youtu.be".split()
)


@cache
def expected_shares() -> dict[str, float]:
    """How usual a stem is before anything was counted: talk of police most, other English words some; a word that is
    in no list, most often a name, not at all."""
    shares = dict.fromkeys(map(stem, (DEFAULTS / "english_words.txt").read_text("utf-8").split()), _USUAL)
    phrases = (
        spelt
        for tag, notations in police_words().items()
        if not tag.startswith("against.")
        for each in notations
        for spelt in spell_out(each)
    )
    talk = {stem(word) for phrase in phrases for word in phrase.split()}
    return shares | dict.fromkeys(talk | {"london", "man", "woman", "peopl"}, _VERY_USUAL)


_USUAL, _VERY_USUAL = 0.004, 0.04
