"""Which language a post is in: the platform's word, else everyday words; only the doubtful go to lingua, later."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from analysis.draft import Draft
from analysis.vocabulary import read_toml
from mentions.normalise import tokens

if TYPE_CHECKING:
    from lingua import LanguageDetector

_TOO_SHORT = 4  # words: any detector tosses a coin below this
_SURE = 0.5
_LAST_LATIN = 0x24F
_UNTAGGED = frozenset(("", "und", "zxx", "qme", "qst", "qht", "art"))


class Language:
    """Inline: settles English for most posts without a model. Leaves `lang` blank, and `language` pending, in doubt."""

    name: ClassVar[str] = "language"
    version: ClassVar[int] = 1

    def judge(self, draft: Draft) -> None:
        """Keep a language that is known already; else English or in doubt."""
        if draft.lang:
            return
        tag = draft.mention.lang.lower().replace("_", "-").split("-")[0]
        if tag not in _UNTAGGED:
            draft.lang = tag
            return
        if len(draft.tokens) < _TOO_SHORT:
            return
        if not _is_foreign_script(draft.norm) and _reads_as_english(set(draft.tokens)):
            draft.lang = "en"
        elif draft.deep:
            draft.lang = detect(draft.words)
        else:
            draft.pending = (*draft.pending, self.name)


def _reads_as_english(words: set[str]) -> bool:
    known = _everyday_words()
    hits = len(words & known.english)
    if hits < 2 or hits < 0.12 * len(words):
        return False
    foreign = words & known.foreign
    return hits > len(foreign) or hits > max(len(foreign & other) for other in known.others)


def _is_foreign_script(normalised: str) -> bool:
    if normalised.isascii():
        return False
    letters = [char for char in normalised if char.isalpha()]
    return 3 * sum(ord(char) > _LAST_LATIN for char in letters) > len(letters)


@dataclass(frozen=True, slots=True)
class _Everyday:
    """The commonest words: of English, of each other language without the English ones, and of those together."""

    english: frozenset[str]
    others: tuple[frozenset[str], ...]
    foreign: frozenset[str]


@cache
def _everyday_words() -> _Everyday:
    lists = read_toml("languages.toml")
    english = frozenset(tokens(lists["english"]))
    others = tuple(frozenset(tokens(words)) - english for words in lists["others"].values())
    return _Everyday(english, others, frozenset[str]().union(*others))


def detect(text: str) -> str:
    """The two-letter code of the likeliest of London's languages; "und" for a text too short or too odd to say."""
    if len(tokens(text)) < _TOO_SHORT:
        return "und"
    values = _detector().compute_language_confidence_values(text)
    if not values or values[0].value < _SURE:
        return "und"
    return str(values[0].language.iso_code_639_1.name).lower()


@cache
def _detector() -> LanguageDetector:
    """Loaded by the first doubtful post only; the low-accuracy models are a third of the memory and twice as fast."""
    from lingua import Language as Known
    from lingua import LanguageDetectorBuilder

    known = (
        Known.ENGLISH, Known.POLISH, Known.ROMANIAN, Known.BENGALI, Known.GUJARATI, Known.PUNJABI, Known.URDU,
        Known.ARABIC, Known.TAMIL, Known.TURKISH, Known.FRENCH, Known.PORTUGUESE, Known.SPANISH, Known.ITALIAN,
        Known.SOMALI,
    )  # fmt: skip
    return LanguageDetectorBuilder.from_languages(*known).with_low_accuracy_mode().build()
