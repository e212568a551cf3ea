"""Every way of reading a source, by the name its `kind` has in the settings."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from listener.connector import Connector, SourceInfo, Tools
from listener.connectors.bluesky import BlueskyConnector
from listener.connectors.facebook import FacebookConnector
from listener.connectors.feed import FeedConnector
from listener.connectors.flickr import FlickrConnector
from listener.connectors.forum import ForumConnector
from listener.connectors.mastodon import MastodonConnector
from listener.connectors.reddit import RedditConnector
from listener.connectors.x import XConnector
from listener.connectors.youtube import YouTubeConnector
from mentions.failures import UserError

CONNECTORS: dict[str, type[Connector]] = {
    BlueskyConnector.kind: BlueskyConnector,
    FeedConnector.kind: FeedConnector,
    ForumConnector.kind: ForumConnector,
    MastodonConnector.kind: MastodonConnector,
    RedditConnector.kind: RedditConnector,
    XConnector.kind: XConnector,
    YouTubeConnector.kind: YouTubeConnector,
    FacebookConnector.kind: FacebookConnector,
    FlickrConnector.kind: FlickrConnector,
}


def build_connector(kind: str, source: SourceInfo, options: Mapping[str, object], tools: Tools) -> Connector:
    """The connector of a source; nothing is fetched yet. Raises `UserError` with every problem of its options."""
    if kind not in CONNECTORS:
        raise UserError(f"source {source.name}: kind {kind!r} is unknown; expected one of {', '.join(CONNECTORS)}")
    connector = CONNECTORS[kind]
    try:
        checked = connector.Options(**options)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc'])) or 'options'}: {each['msg']}" for each in error.errors()]
        raise UserError(f"source {source.name}: {'; '.join(problems)}") from error
    return connector(source, checked, tools)
