"""The one tokeniser: what is searched, matched and judged is cut into the same words everywhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_APOSTROPHES = frozenset("'’‘‛ʼ′")
_SKIN_TONES = frozenset(chr(point) for point in range(0x1F3FB, 0x1F400))
_PICTURES = ((0x2190, 0x21FF), (0x2300, 0x23FF), (0x25A0, 0x27BF), (0x2B00, 0x2BFF), (0x1F000, 0x1FAFF))
_WORD = re.compile(r"[^\W_]+(?:[_'][^\W_]+)*|[^\s\w']")  # over folded text: a word or a picture


class _Folding(dict[int, str]):
    """What each character becomes, worked out once a character: letters folded, marks gone, the rest a blank."""

    def __missing__(self, point: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(point))
        self[point] = folded = "".join(map(_fold, decomposed))
        return folded


def _says_nothing(char: str) -> bool:
    """Whether it is an accent, a joiner, a variation selector, a soft hyphen or a skin tone."""
    return char in _SKIN_TONES or unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf")


def _fold(char: str) -> str:
    if char in _APOSTROPHES:
        return "'"
    if _says_nothing(char):
        return ""
    if char.isalnum():
        return char.casefold()
    if any(first <= ord(char) <= last for first, last in _PICTURES):
        return f" {char} "
    return "_" if char == "_" else " "


_FOLDING = _Folding()
_ASCII = bytes(ord(_FOLDING[point]) if point < 128 else 0 for point in range(256))  # one character for each
LONGEST_WORD = 100  # characters; every store cuts what is longer somewhere, so all cut it here
_TOO_LONG = re.compile(rf"(\S{{{LONGEST_WORD}}})\S+")
TAG = re.compile(r"(?<![\w&/])[#＃](\w+)")
HANDLE = re.compile(r"(?<![\w@＠/.])[@＠](\w+)((?:[.-]\w+)*(?:@\w+(?:[.-]\w+)*)?)")
_POSSESSIVE = re.compile(r"(?<!'s)(?:'s)+ ")
_LOOSE = re.compile(r"['_](?:(?![^\W_])|(?<![^\W_].))")  # a joint without a letter or digit on both sides


def _folded(text: str) -> str:
    """The text with each character folded; ASCII, which most posts are, by the quicker way."""
    return text.encode().translate(_ASCII).decode() if text.isascii() else text.translate(_FOLDING)


def normalise(text: str) -> str:
    """The words of `text` in order, joined by one blank: case, accents, quotes, joiners and skin tones folded away.

    A word is letters and digits, held together by single `_` or `'`; a final 's is cut off; each emoji is a word.
    """
    folded = _folded(text)
    if "'" not in folded and "_" not in folded:
        return " ".join(folded.split())
    joined = " ".join(_LOOSE.sub(" ", folded).split()) + " "
    return _POSSESSIVE.sub(" ", joined)[:-1]


def index_text(text: str, norm: str = "") -> str:
    """What stores index and watchlists are matched against: the words of `text` (`norm`, where they have been worked
    out already), then its #tags and @handles once more as marks of their own, so that `riot` finds #riot too but
    `#riot` only the tag. Words are cut at 100 characters."""
    words = norm or normalise(text)
    if len(words) > LONGEST_WORD:
        words = _TOO_LONG.sub(r"\1", words)
    marks: Iterable[str] = ()
    if not _MARKS.isdisjoint(text):
        bare = without_joiners(text)
        marks = dict.fromkeys((*_tags(bare), *_handles(bare)))
    return " ".join((words, *marks)) if words and marks else words or " ".join(marks)


_MARKS = frozenset("#＃@＠")


class _Bare(dict[int, str]):
    """Each character, but for those that only change the one before or join two."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        self[point] = kept = "" if _says_nothing(char) else char
        return kept


_BARE = _Bare()


def without_joiners(text: str) -> str:
    """The text without accents of their own, joiners and the like, which would end a #tag or @handle amid its word."""
    return text if text.isascii() else text.translate(_BARE)


def _tags(text: str) -> Iterator[str]:
    for found in TAG.finditer(text):
        if mark := tag_mark(found[1]):
            yield mark


def _handles(text: str) -> Iterator[str]:
    """Each handle whole, and its first part alone: `@name@server` is also found as @name, and so is `@name.Then`."""
    for found in HANDLE.finditer(text):
        for handle in (found[1] + found[2], found[1]):
            if mark := handle_mark(handle):
                yield mark


def tag_mark(tag: str) -> str:
    """The mark of a tag written without its #; "" where no letter or digit is in it."""
    word = "_".join(tokens(tag))
    return f"#{word}"[:LONGEST_WORD] if word else ""


def handle_mark(handle: str) -> str:
    """The mark of a handle written without its first @; "" where no letter or digit is in it."""
    parts = [".".join(tokens(part)) for part in handle.split("@")]
    return f"@{'@'.join(parts)}"[:LONGEST_WORD] if all(parts) else ""


def tokens(text: str) -> list[str]:
    """The words of `text`, in order."""
    return normalise(text).split()


def tokens_with_spans(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of `text` in order, each with the span of `text` it was read from; a cut-off 's is left out of it.
    Read only as far as is asked for."""
    if text.isascii():
        yield from _with_spans(_folded(text))
        return
    pieces = [_FOLDING[ord(char)] for char in text]
    origin = [at for at, piece in enumerate(pieces) for _ in piece]
    for word, start, end in _with_spans("".join(pieces)):
        yield word, origin[start], origin[end - 1] + 1


def _with_spans(folded: str) -> Iterator[tuple[str, int, int]]:
    for match in _WORD.finditer(folded):
        start, end = match.span()
        while folded.endswith("'s", start, end):
            end -= 2
        yield folded[start:end], start, end
