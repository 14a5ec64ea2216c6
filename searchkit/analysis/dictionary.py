"""The dictionary: pymorphy3's, asked directly; and how a word inflects like another."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from searchkit.analysis.normalize import fold

SHIPPED = Path(__file__).with_name("words.txt")  # words that the dictionary lacks

Parse = tuple[int, int]  # a paradigm of the dictionary, and the number of a form in it


@cache
def morph(language: str = "uk") -> Any:
    """Load pymorphy3 and a dictionary at the first word, not at import: 0.1 s, 40 MB."""
    import pymorphy3  # noqa: PLC0415

    return pymorphy3.MorphAnalyzer(lang=language)


def dictionary_version() -> str:
    """Name the dictionaries' releases: an index is only as good as those it was built with."""
    import pymorphy3_dicts_ru  # noqa: PLC0415 - not all of pymorphy3
    import pymorphy3_dicts_uk  # noqa: PLC0415

    told = []
    for package in (pymorphy3_dicts_uk, pymorphy3_dicts_ru):
        meta = Path(package.get_path(), "meta.json").read_text(encoding="utf-8")
        name = package.__name__.replace("_", "-")
        told.append(f"{name} of {dict(json.loads(meta))['compiled_at'][:16]}")
    return ", ".join(told)


def parses(word: str) -> list[tuple[str, Parse]]:
    """Return what a word may be a form of, each with the word as it is spelled there.

    The dictionary is asked itself: ten times as fast as all of pymorphy3's analysers in turn.

    >>> sorted({spelled for spelled, _ in parses("грунту")})  # г may be written for ґ
    ['грунту', 'ґрунту']
    """
    words, substitutes = _words()
    if "г" not in word:
        return [(word, parse) for parse in words.get(word) or ()]
    similar = words.similar_items(word, substitutes)
    return [(spelled, parse) for spelled, found in similar for parse in found]


def base_forms(found: list[tuple[str, Parse]]) -> list[str]:
    """Return the base forms of parses: their endings take the place of those of the forms."""
    return [
        before + spelled[stem] + after
        for spelled, parse in found
        for before, stem, after in (_endings(parse),)
    ]


@cache
def shipped() -> dict[str, list[Parse]]:
    """Return the forms, folded, of the words in words.txt, and what each is a form of."""
    found: dict[str, list[Parse]] = {}
    for line in SHIPPED.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            word, model = line.split()
            for form, parses in inflected(fold(word), model).items():
                found.setdefault(form, []).extend(parses)
    return found


def tag(parse: Parse) -> Any:
    """Return what the dictionary says of a form, as pymorphy3's tag."""
    return morph().dictionary.build_tag_info(*parse)


def grammemes(parse: Parse) -> frozenset[str]:
    """Return what the dictionary says of a form: NOUN, Fixd, gent and so on."""
    found: frozenset[str] = tag(parse).grammemes
    return found


def inflected(word: str, model: str) -> dict[str, list[Parse]]:
    """Return the forms of a word that inflects like another, with what each is a form of.

    Raises:
        ValueError: with the reason, if the dictionary has no such model or the two do not end
            alike.
    """
    dictionary = morph().dictionary
    bases = [number for number, idx in _words()[0].get(model) or () if idx == 0]
    if not bases:
        raise ValueError(f"the dictionary has no word {model!r} in this base form")
    found: dict[str, list[Parse]] = {}
    for number in bases:
        paradigm = dictionary.paradigms[number]
        forms, ending = len(paradigm) // 3, dictionary.suffixes[paradigm[0]]
        is_fixed = len({*paradigm[:forms]}) == 1  # нато: any word can go without endings
        if word.endswith(ending) and (is_fixed or _end_alike(word, model)):
            for idx in range(forms):
                prefix = dictionary.paradigm_prefixes[paradigm[2 * forms + idx]]
                form = prefix + word.removesuffix(ending) + dictionary.suffixes[paradigm[idx]]
                found.setdefault(form, []).append((number, idx))
    if not found:
        raise ValueError(f"{word!r} does not end like {model!r}, so it cannot inflect like it")
    return found


_NOT_PLAIN = frozenset("аеєиіїоуюяьй")  # vowels, and what ends the base form of soft stems


def _end_alike(word: str, model: str) -> bool:
    """Tell whether both end in the same letter, or both in a plain consonant."""
    last = {word[-1:], model[-1:]}
    return len(last) == 1 or last.isdisjoint(_NOT_PLAIN)


@cache
def _words() -> tuple[Any, Any]:
    return morph().dictionary.words, morph().char_substitutes


@cache
def _endings(parse: Parse) -> tuple[str, slice, str]:
    """Return what stands in the first form of a paradigm before and after the stem of a form."""
    dictionary = morph().dictionary
    paradigm, prefixes = dictionary.paradigms[parse[0]], dictionary.paradigm_prefixes
    forms, idx = len(paradigm) // 3, parse[1]
    before, after = prefixes[paradigm[2 * forms + idx]], dictionary.suffixes[paradigm[idx]]
    stem = slice(len(before), -len(after) or None)
    return prefixes[paradigm[2 * forms]], stem, dictionary.suffixes[paradigm[0]]
