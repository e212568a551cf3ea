"""Hostile bytes and markup into plain text: characters, tags, controls, links."""

from __future__ import annotations

import codecs
import html
import re
from urllib.parse import urljoin, urlsplit

TITLE_LIMIT = 500  # characters
TEXT_LIMIT = 100_000  # characters
MARKUP_LIMIT = 1_000_000  # characters of markup looked at for one text

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_STATEFUL = ("iso2022", "iso-2022", "hz", "utf_7", "utf-7")  # look like ASCII, so that "valid utf-8" proves nothing
_NOT_CHARSETS = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7")
# Read as browsers read them: the label of a smaller set is used for the larger one that grew from it.
_WIDER = {
    **{"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874"},
    **{"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"},
}
FEW = 200  # one unreadable sign in so many is damage, more is another charset
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)[^<>]*>|<!--|<[!?][^<>]*>")
_SILENT = frozenset({"script", "style", "template", "noscript", "iframe", "svg", "object", "select"})
_BREAKS = re.compile(
    r"address|article|aside|blockquote|br|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|li|main|nav|ol|p|pre"
    r"|section|table|td|th|tr|ul"
)
# Controls but for tab and line feed, lone surrogates, and the invisible signs that turn or hide words. The
# joiners U+200C and U+200D and the break U+200B stay: emoji and several scripts need them; matching passes over them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u180e\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_WIDTHLESS = "\u200b\u200c\u200d"
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos);", re.IGNORECASE)  # never the © of "&copy=1"
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")


def decode(body: bytes, label: str | None = None) -> str:
    """Text of bytes that may lie about themselves; never fails.

    A byte-order mark decides, else valid UTF-8 is UTF-8 whatever the label, then the HTTP label, then the XML
    declaration, then UTF-8 in which what is none is windows-1252: a page that mixes the two is read whole.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    for start, name in ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be")):
        if body.startswith(start):
            return body.decode(name, "replace")
    declared = _DECLARED.search(body[:1000])
    labels = [known for given in (label, declared and declared[1].decode("ascii")) if (known := charset(given))]
    if not (labels and labels[0].startswith(_STATEFUL)):
        labels.insert(0, "utf-8")
    for name in labels:
        try:
            return body.decode(name)
        except UnicodeError:
            continue
    for name in labels:
        if name != "utf-8" and (text := body.decode(name, "replace")).count("\ufffd") * FEW <= len(text):
            return text
    return body.decode("utf-8", "windows-1252 between")


def _read_as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 as windows-1252 has them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("windows-1252 between", _read_as_windows)


def charset(label: str | None) -> str | None:
    """The codec for a label, latin-1 read as windows-1252 as browsers do; None for none that we know or trust."""
    try:
        name = codecs.lookup(label or "").name
        "".encode(name)
    except (LookupError, ValueError):
        return None
    if name.replace("-", "_") in _NOT_CHARSETS:
        return None
    return _WIDER.get(name, name)


def drop_unseen(text: str) -> str:
    """Without controls (carriage returns become line feeds), bidi switches and most zero-width signs."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def strip_tags(markup: str) -> str:
    """The words between tags, entities still in place; block tags become line ends, scripts and styles vanish."""
    words: list[str] = []
    at, end = 0, min(len(markup), MARKUP_LIMIT)
    while found := _TAG.search(markup, at, end):
        words.append(markup[at : found.start()])
        at = found.end()
        name = (found[2] or "").lower()
        if found[0] == "<!--":
            at = _after(markup, re.escape("-->"), at, end)
        elif name in _SILENT and not found[1] and not found[0].endswith("/>"):
            at = _after(markup, f"</{re.escape(name)}[^<>]*>?", at, end)
        elif _BREAKS.fullmatch(name):
            words.append("\n")
    words.append(markup[at:end])
    return "".join(words)


def _after(markup: str, closing: str, at: int, end: int) -> int:
    """Past the closing pattern, or the end where it never comes."""
    found = re.compile(closing, re.IGNORECASE).search(markup, at, end)
    return found.end() if found else end


def plain_text(markup: str, limit: int = TEXT_LIMIT) -> str:
    """What a reader sees of HTML: at most `limit` characters, lines kept, blank ones not."""
    text = drop_unseen(html.unescape(strip_tags(markup)))
    text = _LINES.sub("\n", _SPACES.sub(" ", text)).strip()[:limit].rstrip()
    return text if text.strip(_WIDTHLESS + " \n") else ""


def plain_line(markup: str, limit: int = TITLE_LIMIT) -> str:
    """The same in one line, for titles and names."""
    return " ".join(plain_text(markup, 4 * limit).split())[:limit].rstrip()


def safe_link(link: str, base: str = "") -> str:
    """An absolute http or https address, else ""."""
    text = drop_unseen(_ENTITY.sub(lambda found: html.unescape(found[0]), link)).replace("\u200b", "")
    text = "".join(text.split())
    try:
        absolute = urljoin(base, text) if text else ""
        parts = urlsplit(absolute)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return ""
    return absolute[:2000] if good else ""


_PASSWORD_FIELD = re.compile(r"""<input\b[^<>]*\btype\s*=\s*["']?password""", re.IGNORECASE)
_SIGN_IN_TITLE = re.compile(r"<title[^<>]*>[^<]*\b(?:log|sign)[ -]?(?:in|on)\b", re.IGNORECASE)


def looks_like_sign_in(page: str) -> bool:
    """Whether an HTML page asks for a name and a password."""
    head = page[:300_000]
    return bool(_PASSWORD_FIELD.search(head) or _SIGN_IN_TITLE.search(head))
