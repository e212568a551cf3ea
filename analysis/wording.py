"""How a text is written for the model: the same in training and in use, or the model reads another language."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

Span = tuple[int, int]

_HANDLE = re.compile(r"(?<![\w@])@\w{1,30}(?:@[\w.-]+)?")
_LINK = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_INVISIBLE = re.compile(
    r"[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe0e\ufe0f\ufeff\U000e0000-\U000e007f\ud800-\udfff]|[\x00-\x08\x0e-\x1b\x7f]"
)
_TONES = re.compile(r"[\U0001f3fb-\U0001f3ff]")
# What the shipped tokeniser has no piece for; an emoji is told by the range it lies in.
_PICTURE = re.compile(r"[\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]\u200d?")


def written(text: str, *, say_emoji: bool = True) -> str:
    """The text as the model reads it: entities undone, `@user`, `http`, emoji in words, nothing invisible, one line.

    Without `say_emoji` they stay as they are, for a model that knows them.
    """
    text = unicodedata.normalize("NFC", html.unescape(text) if "&" in text else text)
    if "@" in text:
        text = _HANDLE.sub("@user", text)
    if "http" in text or "www." in text:
        text = _LINK.sub("http", text)
    if say_emoji and not text.isascii():
        text = _PICTURE.sub(_say, _TONES.sub("", text))
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    return " ".join(text.split())


def marked(text: str, targets: Sequence[Span]) -> tuple[str, list[Span]]:
    """The written text with, of each target (a span of `text`, in order, none in another), its span there.

    A target that is a handle is written without its @, so that the model reads who it is; one in a link is no target.
    """
    links = [found.span() for found in _LINK.finditer(text)]
    targets = [span for span in targets if not any(a < span[1] and span[0] < b for a, b in links)]
    parts: list[str] = []
    spans: list[Span] = []
    done = length = 0
    for start, end in targets:
        for piece, is_target in ((text[done:start].rstrip("@#"), False), (text[start:end].lstrip("@#"), True)):
            if said := written(piece):
                parts.append(said)
                if is_target:
                    spans.append((length, length + len(said)))
                length += len(said) + 1
        done = end
    parts.append(written(text[done:]))
    return " ".join(filter(None, parts)), spans


def _say(picture: re.Match[str]) -> str:
    return f" {_emoji().get(picture[0].rstrip(chr(0x200D)), '')} "


@cache
def _emoji() -> dict[str, str]:
    """Each emoji with its name in words, from the table that comes with VADER."""
    lines = files("vaderSentiment").joinpath("emoji_utf8_lexicon.txt").read_text("utf-8").splitlines()
    pairs = (line.split("\t")[:2] for line in lines if "\t" in line)
    return {emoji: name for emoji, name in pairs if len(emoji) == 1}
