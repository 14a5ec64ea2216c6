"""Analyse: how Ukrainian text becomes terms.

The same chain reads articles and queries:

1. `tokenize`   finds the words and where they stand
2. `normalize`  gives each one spelling: case, apostrophes, stress marks, look-alikes
3. a compound adds its parts, so that онлайн-переговорів is found by переговори
4. `fold`       writes ґ as г: that is a form
5. `lemmatize`  looks up every dictionary word that it may be a form of, with ґ or г

A token is one position with several terms: its lemmas, by which it is found, and its forms,
by which `=переговорів` finds that very form. `ukrainian` holds the letters and word lists.
"""

from functools import partial
from itertools import chain
from typing import NamedTuple, Protocol

from searchkit.analysis.dictionary import dictionary_version
from searchkit.analysis.lemmatize import adjective, half_of, lemmas
from searchkit.analysis.normalize import fold, normalize
from searchkit.analysis.tokenize import parts, spans
from searchkit.analysis.ukrainian import (
    CARDINAL_ENDINGS,
    EUPHONY,
    FUNCTION_WORDS,
    ORDINAL_ENDINGS,
)

__all__ = [
    "CHAIN",
    "NO_WORDS",
    "Listed",
    "Token",
    "analyze",
    "dictionary_version",
    "half_of",
    "is_function_word",
    "terms",
]

# Stored in every index; it changes whenever the same text would get other terms.
CHAIN = "4"

_REMEMBERED = 500_000  # distinct words kept with their terms: about 200 MB at the worst

Terms = tuple[tuple[str, ...], tuple[str, ...], int]


class Listed(Protocol):
    """Words whose terms are known without the dictionary: a `dict`, say."""

    def get(self, form: str, /) -> tuple[str, ...] | None:
        """Return the terms of a folded form; None if it is not there."""


NO_WORDS: Listed = {}


class Token(NamedTuple):
    """One word of a text.

    Attributes:
        text: the word as written, `original[start:end]`.
        start, end: half-open code-point offsets into the original.
        lemmas: every term that it is found by, the likeliest first; a compound's own lemmas
            stand before those of its parts.
        forms: its spelling in lower case, and those of a compound's parts.
        own: how many of the lemmas are those of the whole word.
    """

    text: str
    start: int
    end: int
    lemmas: tuple[str, ...]
    forms: tuple[str, ...]
    own: int


def analyze(text: str, words: Listed = NO_WORDS) -> list[Token]:
    """Return the words of any text; a token's index is its position.

    Args:
        text: as written.
        words: the terms of the forms on the user's list (`searchkit.words`); here and below they
            come before what the dictionary says.
    """
    remember = partial(terms, words=words) if words else _remember
    tokens = []
    for start, end in spans(text):
        word = text[start:end]
        tokens.append(Token(word, start, end, *remember(word)))
    return tokens


def word_pairs(word: str, words: Listed = NO_WORDS) -> list[tuple[str, str]]:
    """Return each (lemma, form) that a word is indexed by; a compound's parts have their own.

    >>> word_pairs("Києві"), word_pairs("36-й")
    ([('київ', 'києві'), ('кий', 'києві')], [('36-й', '36-й'), ('36', '36')])
    """
    return form_pairs(normalize(word), words)


def form_pairs(form: str, words: Listed = NO_WORDS) -> list[tuple[str, str]]:
    """Return the pairs of a word that is normalised."""
    readings = _readings(form, words)
    pairs = [(lemma, spelled) for spelled, found in readings for lemma in found]
    return list(dict.fromkeys(pairs)) if len(readings) > 1 else pairs


def terms(word: str, words: Listed = NO_WORDS) -> Terms:
    """Return a word's lemmas, its forms, and how many of the lemmas are the whole word's.

    >>> terms("Онлайн-переговорів")[1]
    ('онлайн-переговорів', 'онлайн', 'переговорів')
    """
    forms, lemmas = zip(*_readings(normalize(word), words), strict=True)
    return tuple(dict.fromkeys(chain(*lemmas))), tuple(dict.fromkeys(forms)), len(lemmas[0])


def form_terms(form: str, words: Listed = NO_WORDS) -> tuple[str, ...]:
    """Return the lemmas of a folded form, as terms; a compound is looked up as a whole."""
    return words.get(form) or tuple(dict.fromkeys(map(fold, lemmas(form))))


def _readings(whole: str, words: Listed) -> list[tuple[str, tuple[str, ...]]]:
    """Return a normalised word and, if it is a compound, its parts: each folded, with its terms."""
    spelled = fold(whole)
    readings = [(spelled, form_terms(spelled, words))]
    if whole.isalpha() and not whole.startswith("пів"):
        return readings
    if rest := half_of(whole):
        return readings + [(part, form_terms(part, words)) for part in ("пів", fold(rest))]
    pieces = [fold(part) for part in parts(whole)]
    for i, piece in enumerate(pieces):
        if i and piece in _NUMBER_ENDINGS and pieces[i - 1][-1].isdigit():
            continue  # 36-й
        found = form_terms(piece, words)
        if i < len(pieces) - 1:  # військово-морський
            found = tuple(dict.fromkeys((*found, *map(fold, adjective(piece)))))
        readings.append((piece, found))
    return readings


_NUMBER_ENDINGS = ORDINAL_ENDINGS | CARDINAL_ENDINGS


def is_function_word(form: str) -> bool:
    """Tell whether a word only ties a sentence together: в, та, не."""
    return EUPHONY.get(form, form) in FUNCTION_WORDS


_known: dict[str, Terms] = {}


def _remember(word: str) -> Terms:
    found = _known.get(word)
    if found is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        found = _known[word] = terms(word)
    return found
