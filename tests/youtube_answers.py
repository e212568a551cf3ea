"""Answers as YouTube gives them, about people and places that do not exist."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tests.recorded_traffic import Exchange

CHANNEL = "UClarkfield0000000000001"
VIDEO = "lark0000001"


def api(path: str, *items: Any, after: str = "", status: int = 200, **query: str) -> Exchange:
    body = {"items": list(items), **({"nextPageToken": after} if after else {})}
    return Exchange("GET", f"/youtube/v3/{path}?{urlencode(query)}", status, json.dumps(body).encode())


def error(path: str, status: int, reason: str, **query: str) -> Exchange:
    body = {"error": {"code": status, "message": "m", "errors": [{"reason": reason, "domain": "youtube"}]}}
    return Exchange("GET", f"/youtube/v3/{path}?{urlencode(query)}", status, json.dumps(body).encode())


def result(video: str, title: str = "Sirens", **snippet: str) -> dict[str, Any]:
    told = {"title": title, "description": "All night", "publishedAt": "2026-10-30T10:00:00Z", "channelId": CHANNEL}
    return {"id": {"kind": "youtube#video", "videoId": video}, "snippet": {**told, **snippet}}


def upload(video: str, title: str = "Open day", **more: Any) -> dict[str, Any]:
    snippet = {**result(video, title)["snippet"], "resourceId": {"kind": "youtube#video", "videoId": video}}
    return {"id": f"item-{video}", "snippet": {**snippet, "thumbnails": {"default": {}}}, **more}


def comment(key: str, text: str = "", author: str = "UCauthor", **snippet: Any) -> dict[str, Any]:
    told = {
        "textDisplay": text or f"Comment {key}",
        "authorDisplayName": "@lou",
        "authorChannelId": {"value": author},
        "publishedAt": "2026-10-30T10:00:00Z",
        "updatedAt": "2026-10-30T10:00:00Z",
        "likeCount": 2,
    }
    return {"id": key, "snippet": {**told, **snippet}}


def thread(key: str, *replies: str, total: int | None = None, text: str = "") -> dict[str, Any]:
    snippet = {"videoId": VIDEO, "topLevelComment": comment(key, text), "totalReplyCount": total or len(replies)}
    came = {"replies": {"comments": [comment(f"{key}.{each}", parentId=key) for each in replies]}} if replies else {}
    return {"id": key, "snippet": snippet, **came}
