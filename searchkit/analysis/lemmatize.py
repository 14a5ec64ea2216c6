"""A word's lemmas: every dictionary entry it may be a form of, by pymorphy3."""

import re
from functools import cache
from typing import Any

from searchkit.analysis.ukrainian import COMMON_WORDS, EUPHONY

MAX_LENGTH = 50  # the longest word of the dictionary has 34 letters

# What may be in the dictionary, or be guessed by its Cyrillic ending (it-компанії, though not
# 36-й). For letters that have no name in Unicode, the Tangut ones, pymorphy3 raises an error.
_OTHERS = r"a-z\u00df-\u024f'-"
_UKRAINIAN = re.compile(rf"[{_OTHERS}]*[\u0400-\u04ff][\u0400-\u04ff{_OTHERS}]*")


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
    if not found:
        parses = _dictionary().parse(word)
        least = max(parse.score for parse in parses) / 2
        found = [parse.normal_form for parse in parses if parse.score >= least]
        found.append(word)
    elif not COMMON_WORDS.isdisjoint(found):
        found.sort(key=lambda lemma: lemma not in COMMON_WORDS)
    return tuple(dict.fromkeys(found))


def _known(word: str) -> list[str]:
    """Ask the dictionary itself: ten times as fast as all of pymorphy3's analysers in turn."""
    words, substitutes = _words()
    if "г" not in word:
        found = [(word, words.get(word) or ())]
    else:  # which may be written for ґ
        found = words.similar_items(word, substitutes)
    lemmas = []
    for form, parses in found:
        for parse in parses:  # the endings of the base form take the place of those of the form
            prefix, stem, suffix = _endings(parse)
            lemmas.append(prefix + form[stem] + suffix)
    return lemmas


@cache
def _words() -> tuple[Any, Any]:
    morph = _dictionary()
    return morph.dictionary.words, morph.char_substitutes


@cache
def _endings(parse: tuple[int, int]) -> tuple[str, slice, str]:
    """Return what stands in the first form of a paradigm before and after the stem of a form."""
    dictionary = _dictionary().dictionary
    paradigm, prefixes = dictionary.paradigms[parse[0]], dictionary.paradigm_prefixes
    forms, idx = len(paradigm) // 3, parse[1]
    before, after = prefixes[paradigm[2 * forms + idx]], dictionary.suffixes[paradigm[idx]]
    stem = slice(len(before), -len(after) or None)
    return prefixes[paradigm[2 * forms]], stem, dictionary.suffixes[paradigm[0]]
