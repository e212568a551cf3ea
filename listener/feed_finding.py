"""Looks for the feed of a web page, and reads it."""

from __future__ import annotations

from listener.discovery import feed_addresses, linked_feeds
from listener.feed_memory import FeedMemory
from listener.feed_reader import FeedReader, Reading
from listener.feeds import NoFeed, SignInInstead
from listener.markup import decode
from mentions.failures import Failure, NeedsAttention, NotConfigured, NotItsTurn, RateLimited, TemporaryFailure


def find_feed(page: NoFeed | SignInInstead, reader: FeedReader) -> Reading:
    """The first feed that a page leads to. Raises what stood in the way: that it is a page, unless a feed which the
    page names told us more; that robots.txt closes one only where no other failed otherwise. A page with a sign-in is
    only taken at its own word, never searched behind."""
    if page.got is None:
        raise page
    text, url = decode(page.got.body, page.got.charset), page.got.url
    named = linked_feeds(text, url)
    refusal: Failure = page
    for address in named if isinstance(page, SignInInstead) else feed_addresses(text, url):
        try:
            return reader.read(address, FeedMemory(address))
        except (RateLimited, NotItsTurn):
            raise
        except NotConfigured as failure:
            if address in named and refusal is page:
                refusal = failure
        except (NeedsAttention, TemporaryFailure) as failure:
            if address in named:
                refusal = failure
    raise refusal
