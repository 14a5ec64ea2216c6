"""A word's lemmas: every dictionary entry it may be a form of, by pymorphy3."""

import re
from functools import cache
from typing import Any

from searchkit.analysis.ukrainian import COMMON_WORDS, EUPHONY

MAX_LENGTH = 50  # the longest word of the dictionary has 34 letters

# What may be in the dictionary, or be guessed by its Cyrillic ending (it-компанії, though not
# 36-й). For letters that have no name in Unicode, the Tangut ones, pymorphy3 raises an error.
_UKRAINIAN = re.compile(r"(?=.*[\u0400-\u04ff])[a-z\u00df-\u024f\u0400-\u04ff'-]+")


@cache
def _dictionary() -> Any:
    """Load pymorphy3 and its dictionary at the first word, not at import: 0.1 s, 40 MB."""
    import pymorphy3  # noqa: PLC0415

    return pymorphy3.MorphAnalyzer(lang="uk")


def dictionary_version() -> str:
    """Name the dictionary's release: an index is only as good as the one it was built with."""
    from importlib.metadata import version  # noqa: PLC0415 - slow, and needed at builds only

    return f"pymorphy3-dicts-uk {version('pymorphy3-dicts-uk')}"


def lemmas(word: str) -> tuple[str, ...]:
    """Return the lemmas of a normalised word, the likeliest first, at least one.

    A word that the dictionary lacks has its own form among its lemmas, and those guesses by
    its ending that are at least half as likely as the best. Latin words, numbers and words
    with letters of any third script are their own lemma.

    >>> lemmas("києві"), lemmas("covid"), lemmas("зі")
    (('київ', 'кий'), ('covid',), ('з',))
    """
    word = EUPHONY.get(word, word)
    if len(word) > MAX_LENGTH or not _UKRAINIAN.fullmatch(word):
        return (word,)
    found = _known(word)
    if len(found) > 1:
        found.sort(key=lambda lemma: lemma not in COMMON_WORDS)
    elif not found:
        parses = _dictionary().parse(word)
        least = max(parse.score for parse in parses) / 2
        found = [parse.normal_form for parse in parses if parse.score >= least]
        found.append(word)
    return tuple(dict.fromkeys(found))


def _known(word: str) -> list[str]:
    """Ask the dictionary itself: ten times as fast as all of pymorphy3's analysers in turn."""
    words, substitutes = _words()
    if "г" in word:  # which may be written for ґ
        found = words.similar_items(word, substitutes)
        return [_lemma(fixed, *parse) for fixed, parses in found for parse in parses]
    return [_lemma(word, para, idx) for para, idx in words.get(word) or ()]


def _lemma(word: str, para: int, idx: int) -> str:
    """Put the endings of the base form in the place of those of a form."""
    before, after, prefix, suffix = _endings(para, idx)
    return prefix + word[before : len(word) - after] + suffix


@cache
def _words() -> tuple[Any, Any]:
    morph = _dictionary()
    return morph.dictionary.words, morph.char_substitutes


@cache
def _endings(para: int, idx: int) -> tuple[int, int, str, str]:
    """Return how much of a form is prefix and suffix, and those of its paradigm's first form."""
    dictionary = _dictionary().dictionary
    paradigm, prefixes = dictionary.paradigms[para], dictionary.paradigm_prefixes
    forms = len(paradigm) // 3
    before, after = prefixes[paradigm[2 * forms + idx]], dictionary.suffixes[paradigm[idx]]
    return (
        len(before), len(after), prefixes[paradigm[2 * forms]], dictionary.suffixes[paradigm[0]]
    )  # fmt: skip
