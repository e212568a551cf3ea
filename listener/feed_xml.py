"""A feed's XML made whole: stray signs mended, a cut end closed, a tangle refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from xml.parsers import expat

DEEPEST = 100  # elements inside each other
MOST_TAGS = 200_000  # feedparser needs 40 microseconds a tag, far more where they are nested
MOST_ITEMS = 3000  # read of one feed, from its top; whole archives are published as feeds
MOST_ATTRIBUTES = 500  # of one tag; feedparser needs the square of their number

_DECLARATION = re.compile(r"<\?xml[^>]{0,300}\?>")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ILLEGAL_REFERENCE = re.compile(r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]));", re.IGNORECASE)
_STRAY_AMPERSAND = re.compile(r"&(?!#\d{1,7};|#x[0-9a-f]{1,6};|[a-z][a-z0-9]{1,31};)", re.IGNORECASE)
_ROOT = re.compile(r"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_ITEM = re.compile(r"<(?:item|entry)[\s>]")
_ITEM_END = re.compile(r"</(?:item|entry)\s*>")
_CLOSERS = {"rss": "</channel></rss>", "feed": "</feed>", "rdf": "</rdf:RDF>"}


class Tangle(Exception):
    """More tags, or deeper ones, than any feed needs."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A document as UTF-8 without XML declaration. `whole` where a strict parser reads it; `items` is how many it
    opens, `cut` how many of them were left out because the document broke off inside."""

    xml: bytes
    whole: bool
    items: int
    cut: int = 0


def root_name(text: str) -> str:
    """The local name of the first element in lower case; "" where there is none."""
    at = 0
    while (start := text.find("<", at)) >= 0:
        if text.startswith("<!--", start):
            at = text.find("-->", start)
        elif text.startswith(("<?", "<!"), start):
            at = _past_declaration(text, start)
        else:
            found = _ROOT.match(text, start)
            return found[2].lower() if found else ""
        if at < 0:
            break
    return ""


def _past_declaration(text: str, start: int) -> int:
    end = text.find(">", start)
    subset = text.find("[", start, end) if text.startswith("<!DOCTYPE", start) else -1
    return text.find("]", subset) if subset >= 0 else end


def mend_xml(text: str) -> Mended:
    """The document with what can be mended mended, down to its `MOST_ITEMS`th item. Raises `Tangle`."""
    text = first_items(_ILLEGAL.sub("", _DECLARATION.sub("", text, count=1)).lstrip())
    items = len(_ITEM.findall(text))
    for attempt, cut in ((text, 0), (better := mend_signs(text), 0), close_end(better)):
        xml = attempt.encode("utf-8")
        if is_well_formed(xml):
            return Mended(xml, True, items, cut)
    if better.count("<") > MOST_TAGS:
        raise Tangle
    return Mended(better.encode("utf-8"), False, items)


def is_well_formed(xml: bytes) -> bool:
    """Whether a strict parser reads it to the end. Raises `Tangle`."""
    depth = tags = 0

    def begin(_name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, tags
        depth, tags = depth + 1, tags + 1
        if depth > DEEPEST or tags > MOST_TAGS or len(attributes) > MOST_ATTRIBUTES:
            raise Tangle

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.UseForeignDTD(True)  # named entities such as &nbsp; are feedparser's to resolve
    try:
        parser.Parse(xml, True)
    except expat.ExpatError:
        return False
    return True


def first_items(text: str) -> str:
    """A document without what comes after as many items as we read."""
    last = next(islice(_ITEM_END.finditer(text), MOST_ITEMS - 1, MOST_ITEMS), None)
    closer = _CLOSERS.get(root_name(text), "")
    return text[: last.end()] + closer if last is not None and closer else text


def mend_signs(text: str) -> str:
    """Stray ampersands and references to forbidden characters, put right outside CDATA."""
    pieces: list[str] = []
    at = 0
    while at < len(text):
        start = text.find("<![CDATA[", at)
        end = text.find("]]>", start) + 3 if start >= 0 else -1
        start, end = (start, end) if end > 2 else (len(text), len(text))  # one that never ends is none
        pieces.append(_STRAY_AMPERSAND.sub("&amp;", _ILLEGAL_REFERENCE.sub("", text[at:start])))
        pieces.append(text[start:end])
        at = end
    return "".join(pieces)


def close_end(text: str) -> tuple[str, int]:
    """A document cut off in the middle, closed after its last whole item; and how many items that leaves out."""
    closer = _CLOSERS.get(root_name(text), "")
    ends = [found.end() for found in _ITEM_END.finditer(text)]
    if not closer:
        return text, 0
    if not ends:
        first = _ITEM.search(text)
        return (text[: first.start()] + closer, 1) if first else (text, 0)
    return text[: ends[-1]] + closer, len(_ITEM.findall(text, ends[-1]))
