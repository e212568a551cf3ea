"""Permissions: what terms or a robots.txt close stays off until a named person records why it may be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.settings import SourceSettings
from listener.connector import Terms
from listener.connectors import CONNECTORS
from listener.homes import is_home
from mentions.failures import NotConfigured
from mentions.state import State


@dataclass(frozen=True, slots=True)
class Approvals:
    """Which sources may read what would otherwise be closed to us, as the state has it at this moment; without a state
    none may."""

    state: State | None
    subjects: Mapping[str, str]  # what each source reads, by its name

    def permitted(self, source: str) -> bool:
        """Whether a permission stands for that source and for what it reads now."""
        what = self.subjects.get(source)
        return self.state is not None and any(
            each.source == source and each.what == what for each in self.state.permissions()
        )


def open_approvals(sources: Iterable[SourceSettings], state: State | None) -> Approvals:
    """Over the sources of the settings."""
    return Approvals(state, {each.name: subject_of(each.kind, each.options) for each in sources})


def open_admission(sources: Iterable[SourceSettings], approvals: Approvals) -> Callable[[str], None]:
    """What is asked before every poll: see `require_approval`."""
    tables = {each.name: each for each in sources}

    def admit(name: str) -> None:
        require_approval(name, tables[name].kind, tables[name].options, approvals.permitted)

    return admit


def require_approval(source: str, kind: str, options: Mapping[str, object], permitted: Callable[[str], bool]) -> None:
    """Raise `NotConfigured` where the platform's terms want a permission and none is recorded. It says what to do."""
    terms = CONNECTORS[kind].terms
    if terms.approval and asks_home(options, terms) and not permitted(source):
        raise NotConfigured(f"{kind}: not configured; {terms.approval} ({terms.link}); {how_to_permit(source)}")


def how_to_permit(source: str) -> str:
    """What a person has to do, as part of a sentence; "" stands for a source that the settings do not name yet."""
    if not source:
        return (
            "once that is settled, put it into the settings, then: earshot sources permit NAME --by WHO --because WHY"
        )
    return f'once that is settled: earshot sources permit "{source}" --by WHO --because WHY'


def asks_home(options: Mapping[str, object], terms: Terms) -> bool:
    """Whether a source asks the platform itself, not a stand-in for it."""
    return is_home(str(options.get("api_root") or ""), terms.home, terms.domains)


def subject_of(kind: str, options: Mapping[str, object]) -> str:
    """What a permission is for: the kind, and the host that is asked; the platform's own is always told as its home."""
    terms = CONNECTORS[kind].terms if kind in CONNECTORS else Terms()
    place = str(options.get("api_root") or options.get("url") or "")
    if terms.home and asks_home(options, terms):
        place = terms.home
    try:
        host = urlsplit(place).netloc.lower()
    except ValueError:
        host = ""
    return f"{kind} {host}".strip()
