r"""One spelling for a word, however it was typed; the dictionary knows only this one.

>>> normalize("П’ЯТЬ"), normalize("за́мок"), normalize("Iрпінь"), normalize("пере\u00adговори")
("п'ять", 'замок', 'ірпінь', 'переговори')
"""

import re
import unicodedata

from searchkit.analysis.ukrainian import (
    APOSTROPHES,
    CYRILLIC_TO_LATIN,
    FOLDED_LETTERS,
    HYPHENS,
    INVISIBLE,
    LATIN_TO_CYRILLIC,
    STRESS,
    STRESSED_LETTERS,
)

LETTERS = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"

_PLAIN = re.compile(f"[{LETTERS}{LETTERS.upper()}]+")  # most words: there is nothing to unify
_WITH_APOSTROPHES = re.compile(f"[{LETTERS}]+(?:'[{LETTERS}]+)*")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u02af\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff]")
_UNIFY = str.maketrans(
    dict.fromkeys(APOSTROPHES, "'")
    | dict.fromkeys(HYPHENS, "-")
    | dict.fromkeys(INVISIBLE)
    | {"İ": "I"}  # whose small letter Python writes with a dot above the dot
)
_NO_STRESS = STRESSED_LETTERS | str.maketrans(dict.fromkeys(STRESS))


def normalize(word: str) -> str:
    """Return the word in lower case, NFC, with plain apostrophes and hyphens and no marks.

    ґ is kept, since the dictionary tells it from г; see `fold`.
    """
    if _PLAIN.fullmatch(word):
        return word.lower()
    word = unicodedata.normalize("NFC", word).translate(_UNIFY)
    if word.isascii():
        return word.lower()
    if _CYRILLIC.search(word):
        word = word.translate(_NO_STRESS)  # of a Latin é it is a part
    if _LATIN.search(word):
        word = "-".join(_one_script(part) for part in word.split("-"))  # IT-компанія
    return unicodedata.normalize("NFC", word.lower())


def is_plain(word: str) -> bool:
    """Tell whether a normalised word has Ukrainian letters only, and apostrophes among them."""
    return bool(_WITH_APOSTROPHES.fullmatch(word))


def fold(word: str) -> str:
    """Return a normalised word as the term it is indexed by: ґ written as г, ё as е."""
    return word.translate(FOLDED_LETTERS) if "ґ" in word or "ё" in word else word


def _one_script(part: str) -> str:
    if not (_LATIN.search(part) and _CYRILLIC.search(part)):
        return part
    if not _LATIN.search(cyrillic := part.translate(LATIN_TO_CYRILLIC)):
        return cyrillic
    if not _CYRILLIC.search(latin := part.translate(CYRILLIC_TO_LATIN)):
        return latin
    return part
