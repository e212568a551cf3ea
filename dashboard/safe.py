"""What strangers wrote, made fit for a screen and a spreadsheet: masked, stripped, capped, never interpreted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

LONGEST = 20_000
# A format character can turn a line around or hide in it; joiners (200C, 200D) stay, since emoji and scripts need them.
UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,5}[A-Za-z]{2,24}")
HANDLE = re.compile(r"(?<![\w@.])@(\w[\w.-]{0,63})(@[\w-]+(?:\.[\w-]+)+)?", re.UNICODE)
PROFILE = re.compile(
    r"\b((?:www\.|mobile\.|old\.|m\.)?(?:twitter|x|instagram|facebook|threads|tiktok|reddit)\.(?:com|net)/(?:user/|u/)?)(?!r/)[\w.-]+",
    re.IGNORECASE,
)
REDDITOR = re.compile(r"(?<![\w/])/?u/[\w-]{3,20}\b")
_MARKS = re.compile(r"[!-,/:-@\[-`{-~]")  # ASCII punctuation but for "." and "-"
HIDDEN_NAME, HIDDEN_EMAIL = "@•••", "•••@•••"


def strip_text(text: str) -> str:
    """The text without control, direction-turning and lone surrogate characters, at most 20,000 characters."""
    whole = text[:LONGEST].encode("utf-8", "replace").decode("utf-8")
    return UNSEEN.sub("", unicodedata.normalize("NFC", whole))


def mask_text(text: str, own_handles: Iterable[str] = ()) -> str:
    """The stripped text with e-mail addresses and names of accounts hidden, but for the force's own handles."""
    own = {handle.lstrip("@").casefold() for handle in own_handles}

    def hide(match: re.Match[str]) -> str:
        name = match[1].rstrip(".-")
        shown = name.casefold() in own or (name + (match[2] or "")).casefold() in own
        return match[0] if shown else HIDDEN_NAME + match[1][len(name) :]

    text = EMAIL.sub(HIDDEN_EMAIL, HANDLE.sub(hide, strip_text(text)))
    return REDDITOR.sub("u/•••", PROFILE.sub(lambda match: match[1] + "•••", text))


def shorten(text: str, length: int) -> str:
    """One line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def check_link(link: str) -> tuple[str, str] | None:
    """A link that may be offered and the host to show for it; None for anything but plain http and https."""
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or parts.username or UNSEEN.search(link):
        return None
    return link.strip(), host


def escape_label(text: str) -> str:
    """Text for a label that would be read as Markdown, so that it shows as it is."""
    return _MARKS.sub(r"\\\g<0>", text)


def neutralise_cell(text: str) -> str:
    """A spreadsheet cell that cannot start a formula."""
    text = strip_text(text).replace("\x00", "")
    return "'" + text if text[:1] in {"=", "+", "-", "@", "\t", "\r", "|"} else text
