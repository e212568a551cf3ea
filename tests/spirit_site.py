"""A real django-spirit forum on loopback: `python tests/spirit_site.py FOLDER`.

Says `ready URL`, then does what each line of standard input asks (`topic AUTHOR TITLE`, `reply TOPIC AUTHOR TEXT`,
`edit COMMENT TEXT`, `remove COMMENT`, `remove-topic TOPIC`) and answers each with `done NUMBER`, the number of what was
made. Ends when standard input does.
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


def configure(folder: Path) -> None:
    from spirit.extra.project_template.project_name.settings import base

    given = {name: getattr(base, name) for name in dir(base) if name.isupper()}
    settings.configure(
        **{
            **given,
            "SECRET_KEY": "only for tests",
            "DEBUG": False,
            "ALLOWED_HOSTS": ["127.0.0.1"],
            "ROOT_URLCONF": __name__,
            "ST_SITE_URL": "http://127.0.0.1/",
            "ST_TASK_MANAGER": None,
            "TIME_ZONE": "UTC",
            "DEFAULT_AUTO_FIELD": "django.db.models.AutoField",
            "STATIC_ROOT": str(folder / "static"),
            "MEDIA_ROOT": str(folder / "media"),
            "STORAGES": {
                "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
                "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
            },
            "DATABASES": {
                "default": {
                    "ENGINE": "django.db.backends.sqlite3",
                    "NAME": str(folder / "spirit.db"),
                    "OPTIONS": {"timeout": 20},
                }
            },
            "CACHES": {
                name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}
                for name in ("default", "st_rate_limit")
            },
            "HAYSTACK_CONNECTIONS": {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
            "HAYSTACK_SIGNAL_PROCESSOR": "haystack.signals.BaseSignalProcessor",
        }
    )
    django.setup()


def urls() -> list[Any]:
    import spirit.urls
    from django.urls import include, path

    return [path("", include(spirit.urls))]


class Forum:
    """The board's contents."""

    def __init__(self) -> None:
        from django.contrib.auth import get_user_model
        from spirit.category.models import Category
        from spirit.comment.models import Comment
        from spirit.topic.models import Topic

        self.comments, self.topics, self.users = Comment, Topic, get_user_model()
        self.category = Category.objects.create(title="Larkfield")
        for title in ("Sirens on Larkfield Road", "Lost cat near the park"):
            self.begin("alice", title)

    def user(self, name: str) -> Any:
        user, made = self.users.objects.get_or_create(username=name)
        if made:
            user.st.nickname = name
            user.st.save()
        return user

    def begin(self, author: str, title: str) -> int:
        topic = self.topics.objects.create(user=self.user(author), category=self.category, title=title)
        self.write(topic, author, f"First words about: {title}")
        return int(topic.pk)

    def write(self, topic: Any, author: str, text: str) -> int:
        comment = self.comments.objects.create(
            user=self.user(author), topic=topic, comment=text, comment_html=f"<p>{text}</p>"
        )
        topic.increase_comment_count()
        return int(comment.pk)

    def obey(self, line: str) -> int:
        act, first, *rest = line.split(" ", 2)
        if act == "topic":
            return self.begin(first, rest[0])
        if act == "reply":
            author, _, text = rest[0].partition(" ")
            return self.write(self.topics.objects.get(pk=int(first)), author, text)
        if act == "edit":
            self.comments.objects.filter(pk=int(first)).update(comment=rest[0], comment_html=f"<p>{rest[0]}</p>")
        elif act == "remove":
            self.comments.objects.filter(pk=int(first)).update(is_removed=True)
        elif act == "remove-topic":
            self.topics.objects.filter(pk=int(first)).update(is_removed=True)
        return int(first)


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
    print(f"ready http://127.0.0.1:{server.server_port}/", flush=True)  # noqa: T201
    for line in sys.stdin:
        print(f"done {forum.obey(line.strip())}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
