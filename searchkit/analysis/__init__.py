"""Analyse: how Ukrainian text becomes terms.

The same chain reads articles and queries:

0. `language`   tells which language a text or a line of it is in; what follows is for Ukrainian
1. `tokenize`   finds the words and where they stand
2. `normalize`  gives each one spelling: case, apostrophes, stress marks, look-alikes
3. a compound adds its parts, so that онлайн-переговорів is found by переговори
4. `fold`       writes ґ as г: that is a form
5. `lemmatize`  looks up every dictionary word that it may be a form of, with ґ or г

A token is one position with several terms: its lemmas, by which it is found, and its forms,
by which `=переговорів` finds that very form. `ukrainian` holds the letters and word lists.
"""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple, Protocol

from searchkit.analysis.dictionary import dictionary_version
from searchkit.analysis.language import (
    ENGLISH,
    RUSSIAN,
    UKRAINIAN,
    language_of,
    named,
    stretches,
)
from searchkit.analysis.lemmatize import adjective, half_of, lemmas, russian_lemmas
from searchkit.analysis.normalize import fold, normalize
from searchkit.analysis.tokenize import parts, spans
from searchkit.analysis.ukrainian import (
    CARDINAL_ENDINGS,
    EUPHONY,
    FUNCTION_WORDS,
    ORDINAL_ENDINGS,
    RUSSIAN_FUNCTION_WORDS,
)
from searchkit.article import Article

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
CHAIN = "5"

_REMEMBERED = 500_000  # distinct words kept with their terms: about 200 MB at the worst

Terms = tuple[tuple[str, ...], tuple[str, ...], int]
TermsOf = Callable[[str], tuple[str, ...]]  # of a folded form


class Listed(Protocol):
    """Words whose terms are known without the dictionary: a `dict`, say."""

    def get(self, form: str, /) -> tuple[str, ...] | None:
        """Return the terms of a folded form; None if it is not there."""

    def __contains__(self, form: object, /) -> bool:
        """Tell whether they may be others than those of the dictionary."""


NO_WORDS: Listed = {}

# How words get terms, besides by the dictionary of UKRAINIAN or RUSSIAN: not at all, as in other
# languages, or by both.
BY_FORM, BY_BOTH = "form", "both"

# What an index puts behind a form that got its terms otherwise than in Ukrainian: all lemmas of a
# form stand wherever it does, so стали, which in Russian is a form of сталь, is another form there.
MARKS = {RUSSIAN: "\x1e", BY_FORM: "\x1d"}


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


def analyze(text: str, language: str | None = None, words: Listed = NO_WORDS) -> list[Token]:
    """Return the words of any text; a token's index is its position.

    Args:
        text: as written.
        language: what the text is in (`language.named`); without it that is recognised. A line of
            a Ukrainian text may be in Russian, and the other way round.
        words: the terms of the forms on the user's list (`searchkit.words`).
    """
    tokens: list[Token] = []
    for start, end, spoken in stretches(text, named(language) or language_of(text)):
        tokens += _tokens(text[start:end], way_of(spoken), words, start)
    return tokens


def spoken_in(article: Article) -> str | None:
    """Return the language that an article's record names or, without it, that its text is in."""
    return named(article.language) or language_of(article.text)


def _tokens(text: str, way: str, words: Listed, shift: int = 0) -> list[Token]:
    tokens = []
    for start, end in spans(text):
        word = text[start:end]
        found = terms(word, terms_by(way, words)) if words else _remember(word, way)
        tokens.append(Token(word, start + shift, end + shift, *found))
    return tokens


def form_pairs(form: str, terms_of: TermsOf | None = None) -> list[tuple[str, str]]:
    """Return each (lemma, form) that a normalised word is indexed by; a part has its own.

    Args:
        form: the word.
        terms_of: gives its terms; without it `form_terms`.

    >>> form_pairs("києві"), form_pairs("36-й")
    ([('київ', 'києві'), ('кий', 'києві')], [('36-й', '36-й'), ('36', '36')])
    """
    terms_of = terms_of or form_terms
    if _is_one(form):
        spelled = fold(form)
        return [(lemma, spelled) for lemma in terms_of(spelled)]
    readings = _readings(form, terms_of)
    pairs = ((lemma, spelled) for spelled, found in readings for lemma in found)
    return list(dict.fromkeys(pairs))


def word_pairs(word: str, language: str | None = None) -> list[tuple[str, str]]:
    """Return the pairs of a word as it is written, in a text of some language."""
    return form_pairs(normalize(word), terms_by(way_of(language)))


def terms(word: str, terms_of: TermsOf | None = None) -> Terms:
    """Return a word's lemmas, its forms, and how many of the lemmas are the whole word's.

    >>> terms("Онлайн-переговорів")[1]
    ('онлайн-переговорів', 'онлайн', 'переговорів')
    """
    forms, lemmas = zip(*_readings(normalize(word), terms_of or form_terms), strict=True)
    return tuple(dict.fromkeys(chain(*lemmas))), tuple(dict.fromkeys(forms)), len(lemmas[0])


def form_terms(form: str) -> tuple[str, ...]:
    """Return the lemmas of a folded form, as terms; a compound is looked up as a whole."""
    found = lemmas(form)
    return (fold(found[0]),) if len(found) == 1 else tuple(dict.fromkeys(map(fold, found)))


def _russian_terms(form: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(fold, russian_lemmas(form))))


def terms_by(way: str, words: Listed = NO_WORDS) -> TermsOf:
    """Return what gives the terms of a folded form.

    Args:
        way: UKRAINIAN, RUSSIAN, BY_FORM or BY_BOTH.
        words: the terms of the forms on the user's list; they come before those of Ukrainian.
    """
    if way == BY_FORM:
        return lambda form: (form,)
    if way == RUSSIAN:
        return _russian_terms
    ukrainian = (lambda form: words.get(form) or form_terms(form)) if words else form_terms
    if way == BY_BOTH:
        return lambda form: tuple(dict.fromkeys(ukrainian(form) + _russian_terms(form)))
    return ukrainian


def way_of(language: str | None) -> str:
    """Return how the words of a language get their terms: UKRAINIAN, RUSSIAN or BY_FORM.

    English and what is not recognised goes the way of Ukrainian: a Latin word is its own lemma.
    """
    if language in (None, ENGLISH):
        return UKRAINIAN
    return language if language in (UKRAINIAN, RUSSIAN) else BY_FORM


def _readings(whole: str, terms_of: TermsOf) -> list[tuple[str, tuple[str, ...]]]:
    """Return a normalised word and, if it is a compound, its parts: each folded, with its terms."""
    spelled = fold(whole)
    readings = [(spelled, terms_of(spelled))]
    if _is_one(whole):
        return readings
    if rest := half_of(whole):
        return readings + [(part, terms_of(part)) for part in ("пів", fold(rest))]
    pieces = [fold(part) for part in parts(whole)]
    for i, piece in enumerate(pieces):
        if i and piece in _NUMBER_ENDINGS and pieces[i - 1][-1].isdigit():
            continue  # 36-й
        found = terms_of(piece)
        if i < len(pieces) - 1:  # військово-морський
            found = tuple(dict.fromkeys((*found, *map(fold, adjective(piece)))))
        readings.append((piece, found))
    return readings


def _is_one(word: str) -> bool:
    """Tell whether a word is not made of several: most are not."""
    return word.isalpha() and not word.startswith("пів")


_NUMBER_ENDINGS = ORDINAL_ENDINGS | CARDINAL_ENDINGS


def is_function_word(form: str) -> bool:
    """Tell whether a word only ties a sentence together: в, та, не."""
    return EUPHONY.get(form, form) in FUNCTION_WORDS or form in RUSSIAN_FUNCTION_WORDS


_known: dict[tuple[str, str], Terms] = {}


def _remember(word: str, way: str) -> Terms:
    found = _known.get((word, way))
    if found is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        found = _known[word, way] = terms(word, terms_by(way))
    return found
