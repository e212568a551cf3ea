"""What Flickr's answers say: its XML as rows, its errors as ours, its photos and comments as mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from xml.etree import ElementTree

import httpx

from listener.connector import SourceInfo, Tools
from listener.dates import believable
from listener.feed_xml import Tangle, mend_xml, root_name
from listener.fetch import Answer
from listener.fetch_status import place
from listener.markup import decode, plain_line, plain_text, safe_link
from listener.newest_first import LeftOut
from listener.platform_pages import digits
from mentions.failures import NeedsAttention, TemporaryFailure
from mentions.mention import Mention

PLATFORM = "flickr"
Row = Mapping[str, str]
OF_A_PHOTO = ("flickr.photos.getInfo", "flickr.photos.comments.getList")
GONE = (1, 2)  # where one photo was asked for: no such photo; not for us to see
THEIR_FAULT = (0, 10, 105, 106)  # these, and all that Flickr's documents do not list
DOCUMENTED = range(1, 200)
_DECLARES = re.compile(r"<!(?:DOCTYPE|ENTITY)")


class NotThere(NeedsAttention):
    """Flickr has no such photo, or not for us."""


def is_rsp(answer: Answer) -> bool:
    """Whether an answer is Flickr's own, good or not: a photo's title may look like a sign-in page's."""
    return answer.status == 200 and root_name(decode(answer.body[:1000], None)) == "rsp"


def read_rsp(answer: Answer, method: str) -> ElementTree.Element:
    """The answer to a call. Stray signs are mended; raises what its errors mean, and `TemporaryFailure` for what is no
    whole XML: Flickr gives such answers now and then."""
    where = place(httpx.URL(answer.url))
    text = decode(answer.body, None)
    try:
        mended = None if _DECLARES.search(text) else mend_xml(text)
        root = ElementTree.fromstring(mended.xml) if mended and mended.whole else None
    except (Tangle, ElementTree.ParseError):
        root = None
    if root is None or root.tag != "rsp":
        raise TemporaryFailure(f"{where}: answered with something that is no whole answer; it will be tried again")
    if root.get("stat") != "ok":
        raise_error(root, method, where)
    return root


def raise_error(root: ElementTree.Element, method: str, where: str) -> None:
    """What Flickr's error means; the HTTP status is 200 for all of them."""
    told = root.find("err")
    given = (told.get("code") if told is not None else None) or ""
    code = int(given) if re.fullmatch(r"\d{1,6}", given) else 0
    if method in OF_A_PHOTO and code in GONE:
        raise NotThere(f"{where}: Flickr has no such photo, or not for everybody to see; check photo_id")
    if code in THEIR_FAULT or code not in DOCUMENTED:
        raise TemporaryFailure(f"{where}: could not do it this time (Flickr's error {code}); it will be tried again")
    raise NeedsAttention(f"{where}: refuses {method} (Flickr's error {code}); check the key and the source's ids")


def photos_of(root: ElementTree.Element) -> Iterator[Row]:
    """The photos of a list."""
    for photo in root.iterfind("photos/photo"):
        yield {**photo.attrib, "description": photo.findtext("description") or ""}


def photo_of(root: ElementTree.Element) -> Row:
    """One photo looked up by its id, told as lists tell it."""
    photo = root.find("photo")
    if photo is None:
        raise TemporaryFailure("Flickr answered without the photo it was asked for; it will be tried again")
    owner, seen = photo.find("owner"), photo.find("visibility")
    who = owner.attrib if owner is not None else {}
    return {
        "id": photo.get("id", ""),
        "owner": who.get("nsid", ""),
        "pathalias": who.get("path_alias", ""),
        "title": photo.findtext("title") or "",
        "description": photo.findtext("description") or "",
        "dateupload": photo.get("dateuploaded", ""),
        "ispublic": seen.get("ispublic", "1") if seen is not None else "1",
        "count_comments": photo.findtext("comments") or "",
    }


def comments_of(root: ElementTree.Element) -> Iterator[Row]:
    """The comments of a photo."""
    for comment in root.iterfind("comments/comment"):
        yield {**comment.attrib, "text": "".join(comment.itertext())}


def page_after(root: ElementTree.Element, page: int, most: int) -> str:
    """The number of the page after this one; "" for the last, and for one that would lie beyond `most`."""
    photos = root.find("photos")
    if photos is None:
        raise TemporaryFailure("Flickr answered without the list it was asked for; it will be tried again")
    pages = photos.get("pages", "")
    return str(page + 1) if pages.isdecimal() and page < min(int(pages[:9]), most) else ""


def photo_of_comment(comment: str) -> str:
    """The id of the photo that a comment stands under: the middle of the comment's own."""
    parts = comment.split("-")
    return parts[1] if len(parts) == 3 else ""


class FlickrPosts:
    """Makes mentions of what Flickr gives."""

    def __init__(self, source: SourceInfo, tools: Tools) -> None:
        self._source = source
        self._tools = tools

    def from_photo(self, row: Row) -> Mention:
        """A photo with its title and description, either of which may be empty."""
        photo, owner, alias = row["id"], row.get("owner", ""), row.get("pathalias", "")
        if not photo.isdecimal():
            raise ValueError("no photo's id")
        if row.get("ispublic", "1") != "1":
            raise LeftOut("a photo that is not public", photo, closed=True)
        return self._mention(
            photo,
            row.get("dateupload", ""),
            owner,
            alias,
            title=plain_line(row.get("title", "")),
            text=plain_text(row.get("description", "")),
            link=f"https://www.flickr.com/photos/{alias or owner}/{photo}/",
            thread=f"{PLATFORM}:{photo}",
            likes=digits(row.get("count_faves")),
            replies=digits(row.get("count_comments")),
        )

    def from_comment(self, row: Row, photo: str = "") -> Mention:
        """A comment under a photo."""
        comment, text = row["id"], row["text"]
        if not comment or not text.strip():
            raise ValueError("nothing said")
        photo = photo or photo_of_comment(comment)
        return self._mention(
            comment,
            row.get("datecreate", ""),
            row.get("author", ""),
            row.get("path_alias", ""),
            text=plain_text(text),
            link=safe_link(row.get("permalink", "")) or f"https://www.flickr.com/photo.gne?id={photo}",
            thread=f"{PLATFORM}:{photo}",
        )

    def _mention(self, native: str, seconds: str, author: str, alias: str, **facts: object) -> Mention:
        now = self._tools.clock()
        told = datetime.fromtimestamp(int(seconds), UTC) if seconds else None
        return Mention(
            id=f"{PLATFORM}:{native}",
            platform=PLATFORM,
            source=self._source.name,
            published_at=believable(told, now) or now,
            first_seen_at=now,
            native_id=native,
            author_key=self._tools.pseudonym(PLATFORM, author) if author else "",
            publisher=self._source.publisher,
            voice=self._tools.voice(self._source, author, alias),
            **facts,  # type: ignore[arg-type]
        )
