"""What the settings of every platform's sources have in common."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from listener.web import ZoneName

MOST_PAGES = 100


def _an_api_root(value: str) -> str:
    if not value.strip():
        return ""
    try:
        parts = urlsplit(value.strip())
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        good = good and parts.path in ("", "/") and not parts.query and not parts.fragment and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError("scheme, host and port, such as https://api.example or http://127.0.0.1:8080, without a path")
    return f"{parts.scheme}://{parts.netloc}".lower()


ApiRoot = Annotated[str, AfterValidator(_an_api_root)]
Pages = Annotated[
    int,
    Field(ge=1, le=MOST_PAGES, description="How many pages a first look reads; later ones go on to what is known"),
]


class PlatformOptions(BaseModel):
    """Keys that every platform's source may hold."""

    model_config = ConfigDict(extra="forbid")

    api_root: ApiRoot = Field(
        default="", description="Scheme, host and port of a stand-in for the platform: a proxy, a replay, an instance"
    )
    pages: Pages = 1
    timezone: ZoneName = Field(
        default=None, description="Zone of dates that name none, such as Europe/London; the settings' zone if left out"
    )
