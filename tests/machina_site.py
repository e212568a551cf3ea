"""A real django-machina forum on loopback: `python tests/machina_site.py FOLDER`.

Says `ready URL`, then does what each line of standard input asks (`reply TOPIC AUTHOR TEXT`, `edit TOPIC TEXT` for its
last post, `edit-first TOPIC TEXT`, `delete TOPIC` for its last post, `delete-topic TOPIC`), each answered with `done`.
Ends when standard input does.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from machina import MACHINA_MAIN_STATIC_DIR, MACHINA_MAIN_TEMPLATE_DIR

TOPICS = ("Sirens on Larkfield Road", "Lost cat near the park", "Who fixed the crossing?")


def configure(folder: Path) -> None:
    settings.configure(
        SECRET_KEY="only for tests",
        DEBUG=True,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        TIME_ZONE="Europe/London",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        STATIC_URL="/static/",
        STATICFILES_DIRS=[MACHINA_MAIN_STATIC_DIR],
        MEDIA_ROOT=str(folder),
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "forum.db"),
                               "OPTIONS": {"timeout": 20}}},
        CACHES={name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}
                for name in ("default", "machina_attachments")},
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        INSTALLED_APPS=[
            *("django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"),
            *("django.contrib.messages", "django.contrib.staticfiles", "mptt", "haystack", "widget_tweaks", "machina"),
            *(f"machina.apps.{app}" for app in (
                "forum", "forum_conversation", "forum_conversation.forum_attachments",
                "forum_conversation.forum_polls", "forum_feeds", "forum_moderation", "forum_search",
                "forum_tracking", "forum_member", "forum_permission")),
        ],
        MIDDLEWARE=[
            "django.middleware.http.ConditionalGetMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "machina.apps.forum_permission.middleware.ForumPermissionMiddleware",
        ],
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [MACHINA_MAIN_TEMPLATE_DIR],
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": [
                "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages", "machina.core.context_processors.metadata"]},
        }],
    )  # fmt: skip
    django.setup()


def urls() -> list[Any]:
    from django.urls import include, path

    return [path("forum/", include("machina.urls"))]


class Forum:
    """The board's contents."""

    def __init__(self) -> None:
        from django.contrib.auth import get_user_model
        from machina.apps.forum.models import Forum as Board
        from machina.apps.forum_conversation.models import Post, Topic
        from machina.apps.forum_permission.models import ForumPermission, UserForumPermission

        self.posts, self.topics, self.users = Post, Topic, get_user_model()
        for codename in ("can_see_forum", "can_read_forum"):
            permission = ForumPermission.objects.get(codename=codename)
            UserForumPermission.objects.create(permission=permission, has_perm=True, anonymous_user=True)
        self.board = Board.objects.create(name="Larkfield", type=Board.FORUM_POST)
        for title in TOPICS:
            topic = Topic(
                forum=self.board, subject=title, poster=self.user("alice"), type=Topic.TOPIC_POST,
                status=Topic.TOPIC_UNLOCKED, approved=True)  # fmt: skip
            topic.save()
            self.write(topic, "alice", f"First words about: {title}")

    def user(self, name: str) -> Any:
        return self.users.objects.get_or_create(username=name)[0]

    def write(self, topic: Any, author: str, text: str) -> None:
        self.posts(topic=topic, poster=self.user(author), subject=topic.subject, content=text, approved=True).save()

    def obey(self, line: str) -> None:
        act, number, *rest = line.split(" ", 2)
        topic = self.topics.objects.get(pk=int(number))
        if act == "reply":
            author, _, text = rest[0].partition(" ")
            self.write(topic, author, text)
        elif act == "edit":
            post = topic.last_post
            post.content = rest[0]
            post.save()
        elif act == "edit-first":
            post = topic.first_post
            post.content = rest[0]
            post.save()
        elif act == "delete":
            topic.last_post.delete()
        elif act == "delete-topic":
            topic.delete()


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


def main(folder: Path) -> None:
    configure(folder)
    call_command("migrate", verbosity=0)
    globals()["urlpatterns"] = urls()
    forum = Forum()
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"ready http://127.0.0.1:{server.server_port}/forum/", flush=True)  # noqa: T201
    for line in sys.stdin:
        forum.obey(line.strip())
        print("done", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
