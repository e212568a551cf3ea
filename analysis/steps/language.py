"""Which language a post is in: the platform's word, else everyday words; only the doubtful go to lingua, later."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar

from analysis.draft import Draft
from analysis.vocabulary import read_toml
from mentions.normalise import normalise

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
        words = draft.norm.split()
        if len(words) < _TOO_SHORT:
            return
        if _is_foreign_script(draft.norm) or not _reads_as_english(words):
            draft.pending = (*draft.pending, self.name)
        else:
            draft.lang = "en"


def _reads_as_english(words: list[str]) -> bool:
    english, others = _everyday_words()
    distinct = set(words)
    hits = len(distinct & english)
    rivals = max(len(distinct & other) for other in others)
    return hits >= 2 and hits > rivals and hits >= 0.12 * len(distinct)


def _is_foreign_script(normalised: str) -> bool:
    if normalised.isascii():
        return False
    letters = [char for char in normalised if char.isalpha()]
    return 3 * sum(ord(char) > _LAST_LATIN for char in letters) > len(letters)


@cache
def _everyday_words() -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    lists = read_toml("languages.toml")
    english = frozenset(normalise(lists["english"]).split())
    others = (frozenset(normalise(words).split()) for words in lists["others"].values())
    return english, tuple(other - english for other in others)


def detect(text: str) -> str:
    """The two-letter code of the likeliest of London's languages; "und" for a text too short or too odd to say."""
    if len(normalise(text).split()) < _TOO_SHORT:
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
