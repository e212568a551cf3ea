"""What to do next when an edge of the house fails: a source, a store, a channel.

    Failure
    ├── TemporaryFailure   try again at the next due time
    │   ├── NoSpace        the same, though only a person can make it work
    │   └── NotAsked       the same, and nothing was asked, so that nothing can have been charged
    │       └── NotItsTurn nobody's fault: others of ours hold the host
    ├── RateLimited        not before `until`
    ├── NeedsAttention     pause until a person resumes it
    ├── NotConfigured      no fault: off until somebody gives what is missing
    └── Unsavable          leave this one out, and go on with the others

Anything else that is raised is a bug: it is logged with its trace and never another source's problem.
"""

from __future__ import annotations

from datetime import datetime


class Failure(Exception):
    """An edge failed. The message is shown to people: what, where, what to do next; never a secret or a post's text."""


class TemporaryFailure(Failure):
    """It may work the next time it is due; not before `until` (aware UTC) where the other side named a time."""

    def __init__(self, message: str = "", until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class NoSpace(TemporaryFailure):
    """The disk is full: it may work the next time it is due, but whoever sits and waits should be told instead."""


class NotAsked(TemporaryFailure):
    """No request went out: there was no connection, or the host is left alone for a while."""


class NotItsTurn(NotAsked):
    """Other requests of ours hold the host; nothing was asked."""


class RateLimited(Failure):
    """The other side asked us to wait until `until` (aware UTC); `told` where it named that time itself."""

    def __init__(self, message: str, until: datetime, *, told: bool = True) -> None:
        super().__init__(message)
        self.until = until
        self.told = told


class NeedsAttention(Failure):
    """It will not work until a person does something; the message says what."""


class NotConfigured(Failure):
    """Credentials or a permission are missing: nothing is wrong, nothing is tried; the message says what is needed."""


class Unsavable(Failure):
    """The store is well, but refuses one mention for what is in it, now and later."""


class UserError(Exception):
    """The command cannot start or go on, for a reason the user can mend: printed as one line, exit code 2."""
